// SLIP's framing: whole, octet by octet, and cut anywhere.

import { expect, test } from "bun:test";
import { Ring } from "../../src/bytes/ring.ts";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import { putSlip, SlipDeframer, worstSlip } from "../../src/frame/slip.ts";
import { cuts } from "../kit/cuts.ts";
import { Rng } from "../kit/rng.ts";

function packetsIn(pieces: readonly Uint8Array[], deframer = new SlipDeframer(new Uint8Array(16))): string[] {
  const packets: string[] = [];
  for (const piece of pieces)
    for (let at = 0; at < piece.length;) {
      at = deframer.push(piece, at, piece.length);
      if (deframer.length > 0) packets.push(toHex(deframer.packet, 0, deframer.length));
    }
  return packets;
}

test("packets are found between ENDs, and their escapes undone (RFC 1055)", () => {
  for (const pieces of cuts(fromHex("c04500dbdcdbddc0c0db0145c0db dbdc 46c0")))
    expect(packetsIn(pieces)).toEqual(["4500c0db", "0145", "dbdc46"]);
});

test("a packet that is too long is dropped and counted, and the next is found", () => {
  for (const pieces of cuts(fromHex(`c0${"41".repeat(40)}c04242c0`))) {
    const deframer = new SlipDeframer(new Uint8Array(16));
    expect(packetsIn(pieces, deframer)).toEqual(["4242"]);
    expect(deframer.stats).toEqual({ packets: 1, overlong: 1 });
  }
});

test("what is put into a ring, at any place of it, comes out again", () => {
  const rng = new Rng(5);
  const ring = new Ring(new Uint8Array(64));
  const deframer = new SlipDeframer(new Uint8Array(16));
  for (let round = 0; round < 500; round++) {
    const packet = rng.bytes(1 + rng.below(16)).map((octet) => (octet < 90 ? 0xc0 : octet < 180 ? 0xdb : octet));
    putSlip(packet, 0, packet.length, ring);
    expect(ring.length).toBeLessThanOrEqual(worstSlip(packet.length));
    const found: string[] = [];
    while (ring.length > 0) {
      const at = ring.readAt;
      ring.consume(deframer.push(ring.bytes, at, at + ring.readable) - at);
      if (deframer.length > 0) found.push(toHex(deframer.packet, 0, deframer.length));
    }
    expect(found).toEqual([toHex(packet)]);
  }
});
