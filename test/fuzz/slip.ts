// A SLIP line with compressed headers: packets of every kind, damaged and cut anywhere. Whatever comes, the next whole packet
// behind an END is received as it was sent.

import { toHex } from "../../src/bytes/text.ts";
import { put16 } from "../../src/bytes/be.ts";
import { Ring } from "../../src/bytes/ring.ts";
import { END, putSlip } from "../../src/frame/slip.ts";
import { SLIP_VJ, SlipLink } from "../../src/link/slip-link.ts";
import { ipv4HeaderChecksum } from "../../src/wire/ip.ts";
import { linkConfig, Side } from "../kit/pair.ts";
import { Rng } from "../kit/rng.ts";
import type { FuzzInput, Target } from "./target.ts";

const PIECES = 30;
const TCP = 6;
const UDP = 17;

function packetOf(rng: Rng, protocol: number): Uint8Array {
  const packet = rng.bytes(40 + rng.below(200));
  packet.set([0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
  put16(packet, 2, packet.length);
  if (protocol === TCP) packet.set([0x50, 0x10], 32);
  put16(packet, 10, ipv4HeaderChecksum(packet, 0, 20));
  return packet;
}

/** A packet as it is on the line, of a kind that its first octet shows. */
function piece(rng: Rng): Uint8Array {
  const packet = packetOf(rng, rng.chance(0.5) ? TCP : UDP);
  const kind = rng.below(4);
  if (kind === 1) {
    packet[0]! |= 0x70;
    packet[9] = rng.below(20);
  } else if (kind === 2) packet.set(rng.bytes(8).map((octet, at) => (at === 0 ? octet | 0x80 : octet)));
  else if (kind === 3) packet.set(rng.bytes(20));
  return framed(packet);
}

function framed(packet: Uint8Array): Uint8Array {
  const ring = new Ring(new Uint8Array(1024));
  putSlip(packet, 0, packet.length, ring);
  return ring.bytes.slice(0, ring.length);
}

export const SLIP: Target = {
  name: "slip",
  kinds: ["flip", "cut", "noise"],
  pieces: PIECES,
  run({ seed, mutations }: FuzzInput) {
    const rng = new Rng(seed);
    const side = new Side(linkConfig(), rng);
    const { networks } = side.link;
    const vj = rng.chance(0.8) ? SLIP_VJ : undefined;
    side.link.given.open({ our: 0x0a000002, peer: 0x0a000001, vjReceive: vj, vjTransmit: undefined }, 1006, 0);
    const slip = new SlipLink(networks, side.frame, side.output);
    let fed = 0;
    let last = "";
    const feed = (octets: Uint8Array): void => {
      for (let at = 0; at < octets.length;) {
        const end = Math.min(octets.length, at + 1 + rng.below(80));
        side.input.put(octets.subarray(at, end));
        while (slip.receive(side.input, fed)) last = toHex(slip.packet, slip.packetStart, slip.packetEnd);
        if (side.input.length > 0) throw new Error("octets are left");
        fed += end - at;
        at = end;
      }
    };
    for (let at = 0; at < PIECES; at++) {
      let octets = piece(rng);
      for (const { kind, a, b } of mutations.filter((one) => one.piece === at)) {
        const place = a % (octets.length + 1);
        if (kind === "flip" && place < octets.length) octets[place]! ^= 1 << (b & 7);
        else if (kind === "cut") octets = octets.slice(0, place);
        else if (kind === "noise") octets = Uint8Array.from([...octets, ...new Rng(b).bytes(a % 3000)]);
      }
      feed(octets);
      const packet = packetOf(rng, TCP);
      slip.send(Uint8Array.from([...new Uint8Array(64), ...packet, 0, 0, 0, 0]), 64, 64 + packet.length, fed);
      side.output.consume(side.output.length);
    }
    const good = packetOf(rng, UDP);
    feed(Uint8Array.of(END));
    feed(framed(good));
    if (last !== toHex(good)) throw new Error("a whole packet after damage was not received");
    return fed;
  },
};
