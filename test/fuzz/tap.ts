// What a link that shares the network takes from the peer's packets: solicitations and name queries, damaged anywhere. None of it
// throws, the memory stays small, and a whole solicitation is answered after it.

import { parseAddress } from "../../src/bytes/prefix.ts";
import { fromHex } from "../../src/bytes/text.ts";
import type { Sockets } from "../../src/run/host/sockets.ts";
import type { PacketPort } from "../../src/run/packets/port.ts";
import { LinkServices } from "../../src/run/share/link-services.ts";
import { NameRelay } from "../../src/run/share/name-relay.ts";
import type { Resolvers } from "../../src/run/share/resolvers.ts";
import { NotedSockets } from "../kit/noted-sockets.ts";
import { Rng } from "../kit/rng.ts";
import { ipv4Packet } from "../kit/segment-text.ts";
import type { FuzzInput, Target } from "./target.ts";

const PIECES = 40;
const [OUR, PEER] = ["10.0.0.1", "10.0.0.2"];
const SOLICITATION = fromHex(
  "60000000 0008 3a ff fe800000000000000000000000000002 ff020000000000000000000000000002 8500 7d35 00000000",
);
const NEIGHBOR = fromHex(
  "60000000 0018 3aff fe800000000000000000000000000002 ff0200000000000000000001ff000001 8700 7da2 00000000fe800000000000000000000000000001",
);
const QUERY = ipv4Packet(PEER, OUR, 17, [0x10, 0, 0, 53, 0, 11, 0, 0, 1, 2, 3]);
const UP = { ipv4Up: true, ipv6Up: true };

class World {
  now = 0;
  readonly sockets = new NotedSockets();
  readonly services: LinkServices;
  readonly #room = new Uint8Array(2000);

  constructor(rng: Rng) {
    const resolvers = { now: { own: [parseAddress("127.0.0.1")!] } } as unknown as Resolvers;
    const random = { u32: () => rng.u32() };
    this.services = new LinkServices({
      clock: { now: () => this.now } as never,
      random,
      port: { device: undefined, setNetworkAddress: () => true } as unknown as PacketPort,
      network: fromHex("fd010203040500000000000000000000"),
      servesNames: true,
      relay: new NameRelay(this.sockets as unknown as Sockets, resolvers, random.u32),
      mtu: () => 1500,
      hasWayOut: () => true,
    });
    this.services.up({ type: "ipv4-up", our: 0x0a000001, peer: 0x0a000002, dns: [0, 0], wins: [0, 0] });
    this.services.up({ type: "ipv6-up", our: { high: 0, low: 1 }, peer: { high: 0, low: 2 } });
  }

  pass(ms: number): void {
    this.now += ms;
    if (this.services.nextTimeout() <= this.now) this.services.handleTimeout(this.now);
    this.services.collect(this.now);
  }

  /** How many packets there are for the peer. */
  take(): number {
    let count = 0;
    while (this.services.take(this.#room, 0, UP, this.now) > 0) count++;
    return count;
  }
}

export const TAP: Target = {
  name: "tap",
  kinds: ["flip", "flip", "cut", "noise"],
  pieces: PIECES,
  run({ seed, mutations }: FuzzInput) {
    const rng = new Rng(seed);
    const world = new World(rng);
    let fed = 0;
    for (let at = 0; at < PIECES; at++) {
      let packet: Uint8Array = rng.pick([SOLICITATION, NEIGHBOR, QUERY]).slice();
      for (const { kind, a, b } of mutations.filter((one) => one.piece === at)) {
        const place = a % (packet.length + 1);
        if (kind === "flip" && place < packet.length) packet[place]! ^= 1 << (b & 7);
        else if (kind === "cut") packet = packet.slice(0, place);
        else if (kind === "noise") packet = new Rng(b).bytes(a % 1500);
      }
      if (rng.chance(0.3)) world.sockets.answer = rng.bytes(rng.below(600));
      world.services.receive(packet, 0, packet.length, world.now);
      world.pass(rng.below(700));
      // The line does not always have room.
      if (rng.chance(0.3) && world.take() > 200) throw new Error("too many packets wait");
      fed += packet.length;
    }
    world.take();
    world.services.receive(SOLICITATION, 0, SOLICITATION.length, world.now);
    world.pass(500);
    if (world.take() === 0) throw new Error("a solicitation was not answered");
    world.services.receive(NEIGHBOR, 0, NEIGHBOR.length, world.now);
    if (world.take() === 0) throw new Error("a neighbor was not answered");
    return fed;
  },
};
