// Packets of many flows, damaged anywhere, through the queues of a slow line. Each packet comes out as it went in, or with its
// mark, or it is counted as lost; the packets of a flow keep their order, and the memory has its limit.

import { put32, u32 } from "../../src/bytes/be.ts";
import { flowHash } from "../../src/queue/flow-hash.ts";
import { FlowQueues } from "../../src/queue/flow-queues.ts";
import { Rng } from "../kit/rng.ts";
import { packet4, packet6, tcp4 } from "../queue/packets.ts";
import type { FuzzInput, Target } from "./target.ts";

const PIECES = 200;
const OCTETS = 40_000;
const PACKETS = 60;
const SEED = 99;
const LONGEST = 16_384;
/** Flags and class of a packet, and the checksum over them, change with the mark. */
const MAY_CHANGE: ReadonlySet<number> = new Set([1, 10, 11]);

class World {
  readonly queues = new FlowQueues(OCTETS, PACKETS, SEED);
  /** The packets that went in, and their number at the end of each. */
  readonly #given: { readonly packet: Uint8Array; readonly flow: number }[] = [];
  /** The number of the packet that came last of each flow. */
  readonly #latest = new Map<number, number>();
  readonly #into = new Uint8Array(LONGEST);
  taken = 0;

  put(packet: Uint8Array, now: number): void {
    if (packet.length >= 40) put32(packet, packet.length - 4, this.#given.length);
    this.#given.push({ packet, flow: flowHash(packet, 0, packet.length, SEED) & 255 });
    this.queues.put(packet, 0, packet.length, now);
    if (this.queues.octets > OCTETS + 128 || this.queues.length > PACKETS) throw new Error("more is kept than may be");
  }

  /** False: there was none. */
  take(now: number): boolean {
    const length = this.queues.take(this.#into, 0, now);
    if (length === 0) return false;
    this.taken++;
    if (length < 40) return true;
    const number = u32(this.#into, length - 4);
    const one = this.#given[number];
    if (one === undefined || one.packet.length !== length) throw new Error("a packet came that was never given");
    for (let at = 0; at < length; at++)
      if (one.packet[at] !== this.#into[at] && !MAY_CHANGE.has(at))
        throw new Error(`octet ${at} of ${length} is wrong`);
    if (number <= (this.#latest.get(one.flow) ?? -1)) throw new Error("the packets of a flow changed places");
    this.#latest.set(one.flow, number);
    return true;
  }

  finish(now: number): number {
    while (this.take(now));
    const { length, octets, dropped, overflowed } = this.queues;
    if (length !== 0 || octets !== 0) throw new Error(`${length} packets of ${octets} octets are left`);
    if (this.taken + dropped + overflowed !== this.#given.length) throw new Error("packets are lost and not counted");
    return this.#given.reduce((sum, { packet }) => sum + packet.length, 0);
  }
}

function packetOf(rng: Rng): Uint8Array {
  const port = rng.below(20);
  const length = 60 + rng.below(1440);
  if (rng.chance(0.2)) return packet6(length, port, rng.pick([undefined, 0, 43, 44, 60]));
  if (rng.chance(0.2)) return tcp4(rng.below(64), rng.below(1400), port);
  return packet4({
    length: rng.chance(0.5) ? 60 : length,
    port,
    tos: rng.below(4),
    fragment: rng.pick([0, 0, 0x2000, 9]),
  });
}

export const QUEUE: Target = {
  name: "queue",
  kinds: ["flip", "flip", "cut", "noise", "long", "back"],
  pieces: PIECES,
  run({ seed, mutations }: FuzzInput) {
    const rng = new Rng(seed);
    const world = new World();
    world.queues.setRate(rng.pick([0, 0.96, 11.52, 300]));
    const eagerness = rng.float();
    let now = 0;
    for (let piece = 0; piece < PIECES; piece++) {
      let packet: Uint8Array = packetOf(rng);
      for (const { kind, a, b } of mutations.filter((one) => one.piece === piece)) {
        if (kind === "flip" && packet.length > 0) packet[a % packet.length]! ^= 1 << (b & 7);
        else if (kind === "cut") packet = packet.slice(0, a % (packet.length + 1));
        else if (kind === "noise") packet = new Rng(b).bytes(a % 1500);
        else if (kind === "long") packet = packet4({ length: 2000 + (a % (LONGEST - 2000)) });
        else if (kind === "back") now -= a % 1000;
      }
      world.put(packet, now);
      for (let most = 3; most > 0 && rng.chance(eagerness); most--) world.take(now);
      now += rng.pick([0, 1, 130, 1500]);
    }
    return world.finish(now);
  },
};
