import { expect, test } from "bun:test";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import { BsdCompressor, BsdDecompressor } from "../../src/compress/bsd.ts";
import { DAMAGED } from "../../src/compress/codec.ts";
import { withRng } from "../kit/rng.ts";
import { BsdOracleDecoder, BsdOracleEncoder } from "./bsd-oracle.ts";
import type { Packet } from "./traffic.ts";
import { compressed, decompressed, lossyLine, oracleReads, oracleWrites, packetOf, traffic } from "./traffic.ts";

// The same packet three times in BSD Compress with 12 bits (RFC 1977 §2.2). The oracle writes the same octets.
const PACKET = {
  protocol: 0x21,
  bytes: fromHex(
    "450000340001000040110000c0a80001c0a8000248656c6c6f2c2048656c6c6f2c2048656c6c6f2c205050502050505020505050",
  ),
};
const PAYLOADS = [
  "00001091400001a00003032004606c05441a180001120ca6c361bc5820894522d1889c562e5090082405091483",
  "000180c0e0b0700426170d00c3e231d8dc663d1c8d47e432392943",
  "0002934120d08850021f2e86cc26d359a4ce3739a5483f",
];

test("the known packets are written and read by both", () => {
  const compressor = new BsdCompressor(12);
  const decompressor = new BsdDecompressor(12);
  const encoder = new BsdOracleEncoder(12);
  const decoder = new BsdOracleDecoder(12);
  for (const payload of PAYLOADS) {
    expect(toHex(encoder.encode(0x21, PACKET.bytes) ?? new Uint8Array())).toBe(payload);
    expect(packetOf(decoder.decode(fromHex(payload)))).toEqual(PACKET);
    expect(toHex(compressed(compressor, PACKET) ?? new Uint8Array())).toBe(payload);
    expect(packetOf(decompressed(decompressor, fromHex(payload)))).toEqual(PACKET);
  }
});

for (const bits of [9, 12, 15]) {
  test(`${bits} bits: the oracle reads what the compressor writes`, () =>
    withRng((rng) => {
      const tally = oracleReads(new BsdCompressor(bits), new BsdOracleDecoder(bits), traffic(rng, 500));
      expect(tally.compressed).toBeGreaterThan(50);
      expect(tally.plain).toBeGreaterThan(50);
    }));

  test(`${bits} bits: the decompressor reads what the oracle writes, CLEAR at any time`, () =>
    withRng((rng) => {
      const oracle = new BsdOracleEncoder(bits, rng);
      const tally = oracleWrites(oracle, new BsdDecompressor(bits), traffic(rng, 500));
      expect(tally.compressed).toBeGreaterThan(50);
      expect(tally.plain).toBeGreaterThan(50);
    }));

  test(`${bits} bits: a full dictionary is cleared at the same packet, compressed or plain`, () =>
    withRng((rng) => {
      // With the protocol a thousand octets each, so that a checkpoint is at the end of a packet.
      const packets: Packet[] = [];
      const add = (count: number, octet: () => number): void => {
        while (count-- > 0) packets.push({ protocol: 0x21, bytes: Uint8Array.from({ length: 999 }, octet) });
      };
      for (let round = 0; round < 2; round++) {
        add(45, () => rng.below(256));
        add(30, () => rng.below(3));
        // Input that slowly becomes almost incompressible, and then stays so.
        for (let letters = 53; letters > 35; letters--) add(11, () => rng.below(letters));
        add(150, () => rng.below(20));
      }
      const reader = new BsdOracleDecoder(bits);
      oracleReads(new BsdCompressor(bits), reader, packets);
      expect(reader.clears).toBeGreaterThanOrEqual(2);
      const writer = new BsdOracleEncoder(bits);
      oracleWrites(writer, new BsdDecompressor(bits), packets);
      expect(writer.clears).toBe(reader.clears);
    }));
}

test("the counts are aged when they get large", () => {
  // More than 0x7fffff octets, some of them in very few codes.
  const zeros = { protocol: 0x21, bytes: new Uint8Array(16000) };
  const packets: Packet[] = Array.from({ length: 530 }, () => zeros);
  packets.push(...Array.from({ length: 12 }, () => PACKET));
  for (let at = 0; at < 20; at++) packets.push({ protocol: 0x21, bytes: new Uint8Array(1000).fill(at) });
  const reader = new BsdOracleDecoder(9);
  oracleReads(new BsdCompressor(9), reader, packets);
  oracleWrites(new BsdOracleEncoder(9), new BsdDecompressor(9), packets);
});

test("the sequence number wraps, and counts packets that went plain", () =>
  withRng((rng) => {
    const encoder = new BsdOracleEncoder(9);
    const decompressor = new BsdDecompressor(9);
    const compressor = new BsdCompressor(9);
    const decoder = new BsdOracleDecoder(9);
    const out = new Uint8Array(64);
    for (let packet = 0; packet < 65530; packet++) {
      const tiny = Uint8Array.of(packet & 0xff);
      expect(encoder.encode(0x21, tiny)).toBeUndefined();
      decompressor.incompressible(0x21, tiny, 0, 1);
      if (compressor.compress(0x21, tiny, 0, 1, out, 0) >= 0) throw new Error("a packet of one octet got shorter");
      decoder.plain(0x21, tiny);
    }
    const packets = [...traffic(rng, 60)];
    oracleReads(compressor, decoder, packets);
    oracleWrites(encoder, decompressor, packets);
  }));

test("a lost packet is noticed, and a reset begins anew at both ends", () =>
  withRng((rng) => {
    for (let round = 0; round < 5; round++) {
      const packets = [...traffic(rng, 20)];
      const encoder = new BsdOracleEncoder(12);
      const decompressor = new BsdDecompressor(12);
      oracleWrites(encoder, decompressor, packets);
      encoder.encode(0x21, PACKET.bytes);
      const behind = encoder.encode(0x21, PACKET.bytes);
      expect(decompressed(decompressor, behind ?? new Uint8Array())).toBe(DAMAGED);
      encoder.reset();
      decompressor.reset();
      oracleWrites(encoder, decompressor, packets);

      const compressor = new BsdCompressor(12);
      const decoder = new BsdOracleDecoder(12);
      oracleReads(compressor, decoder, packets);
      compressor.reset();
      decoder.reset();
      oracleReads(compressor, decoder, packets);
    }
  }));

test("a line that loses packets gives no wrong one", () =>
  withRng((rng) => {
    const packets = [...traffic(rng, 500)];
    const tally = lossyLine(rng, new BsdOracleEncoder(12, rng), new BsdDecompressor(12), true, packets);
    expect(tally.compressed).toBeGreaterThan(20);
  }));
