import { expect, test } from "bun:test";
import { bytesOf } from "../../src/bytes/text.ts";
import { DAMAGED } from "../../src/compress/codec.ts";
import { LzsCompressor, LzsDecompressor } from "../../src/compress/lzs.ts";
import { damaged } from "../kit/codec.ts";
import { Rng, withRng } from "../kit/rng.ts";
import { bitsToOctets, LZS_MODES, LzsOracleDecoder, LzsOracleEncoder, tokenBits } from "./lzs-oracle.ts";
import { compressed, decompressed, lossyLine, oracleReads, oracleWrites, packetOf, traffic } from "./traffic.ts";

const END = "110000000";
const TEXT = { protocol: 0x21, bytes: bytesOf("history repeats itself, history repeats itself, and repeats") };

function literals(bytes: Uint8Array): string {
  return [...bytes].map((literal) => tokenBits({ literal })).join("");
}

/** The result of mode 0 for these bits. The first two octets are the protocol. */
function readBits(bits: string): Uint8Array | number {
  return decompressed(new LzsDecompressor(0), Uint8Array.from(bitsToOctets(bits)));
}

test("a string written out by hand is read", () => {
  const bits =
    // 00 21 A B A, then five from one back, C, three from nine back, four from two back
    "000000000" +
    "000100001" +
    "001000001" +
    "001000010" +
    "001000001" +
    "1100000011100" +
    "001000011" +
    "11000100101" +
    "11000001010";
  const payload = Uint8Array.from(bitsToOctets(bits + END));
  const packet = { protocol: 0x21, bytes: bytesOf("ABAAAAAACABABABA") };
  expect(packetOf(new LzsOracleDecoder(0).decode(payload))).toEqual(packet);
  expect(packetOf(decompressed(new LzsDecompressor(0), payload))).toEqual(packet);
});

test("every offset is read, in its short form and its long one, and every length", () => {
  const past = Uint8Array.of(0x00, 0x21, ...new Rng(1974).bytes(2100));
  for (let offset = 1; offset < 2048; offset += offset < 140 ? 1 : 61)
    for (const isLong of [false, true]) {
      const copy = [past.length - offset, past.length - offset + 1].map((at) => past[at] ?? past[past.length - 1] ?? 0);
      const bits = literals(past) + tokenBits({ offset, length: 2, isLong }) + END;
      expect(readBits(bits)).toEqual(Uint8Array.from([...past, ...copy]));
    }
  for (let length = 2; length < 3000; length += length < 100 ? 1 : 97) {
    const bits = literals(Uint8Array.of(0x00, 0x21, 0x78)) + tokenBits({ offset: 1, length, isLong: false }) + END;
    expect(readBits(bits)).toEqual(Uint8Array.from([0x00, 0x21, 0x78, ...bytesOf("x".repeat(length))]));
  }
});

for (const mode of LZS_MODES) {
  test(`mode ${mode}: the oracle reads what the compressor writes`, () =>
    withRng((rng) => {
      const tally = oracleReads(new LzsCompressor(mode), new LzsOracleDecoder(mode), traffic(rng, 350));
      expect(tally.compressed).toBeGreaterThan(50);
    }));

  test(`mode ${mode}: the decompressor reads what the oracle writes in whatever way it likes`, () =>
    withRng((rng) => {
      const tally = oracleWrites(new LzsOracleEncoder(mode, rng), new LzsDecompressor(mode), traffic(rng, 350));
      expect(tally.compressed).toBeGreaterThan(50);
      expect(tally.plain).toBeGreaterThan(20);
    }));

  test(`mode ${mode}: a reset begins a new history at both ends`, () =>
    withRng((rng) => {
      const compressor = new LzsCompressor(mode);
      const decoder = new LzsOracleDecoder(mode);
      const encoder = new LzsOracleEncoder(mode, rng);
      const decompressor = new LzsDecompressor(mode);
      for (let round = 0; round < 10; round++) {
        oracleReads(compressor, decoder, traffic(rng, 5));
        compressor.reset();
        decoder.reset();
        oracleWrites(encoder, decompressor, traffic(rng, 5));
        encoder.reset();
        if (!decompressor.selfHealing) decompressor.reset();
      }
    }));
}

test("mode 3: a lost packet is noticed, and after the Reset-Ack the numbers go on from wherever they are", () =>
  withRng((rng) => {
    const encoder = new LzsOracleEncoder(3);
    const decompressor = new LzsDecompressor(3);
    for (let round = 0; round < 300; round++) {
      oracleWrites(encoder, decompressor, [TEXT, TEXT]);
      for (let lost = rng.below(5); lost >= 0; lost--) encoder.encode(0x21, TEXT.bytes);
      expect(decompressed(decompressor, encoder.encode(0x21, TEXT.bytes) ?? TEXT.bytes)).toBe(DAMAGED);
      // Packets that were under way when the peer heard of it have good numbers, but cannot be decompressed.
      for (let late = rng.below(4); late > 0; late--)
        expect(decompressed(decompressor, encoder.encode(0x21, TEXT.bytes) ?? TEXT.bytes)).toBe(DAMAGED);
      encoder.reset();
      decompressor.reset();
    }
  }));

for (const [mode, acknowledges] of [
  [3, true],
  [4, false],
  [4, true],
] as const)
  test(`mode ${mode}: a line that loses packets gives no wrong one${acknowledges ? "" : ", without any Reset-Ack"}`, () =>
    withRng((rng) => {
      const packets = [...traffic(rng, 400)].map(({ protocol, bytes }) => ({
        protocol,
        bytes: bytes.subarray(0, 200),
      }));
      const tally = lossyLine(rng, new LzsOracleEncoder(mode, rng), new LzsDecompressor(mode), acknowledges, packets);
      expect(tally.compressed).toBeGreaterThan(80);
    }));

test("mode 3: the numbers begin with 1 and go on over a reset", () => {
  const compressor = new LzsCompressor(3);
  for (let packet = 1; packet < 600; packet++) {
    expect(compressed(compressor, TEXT)?.[0]).toBe(packet % 256);
    if (packet % 7 === 0) compressor.reset();
  }
});

test("mode 4: what follows a lost packet is refused until a packet comes with A set, and is good from then on", () =>
  withRng((rng) => {
    const encoder = new LzsOracleEncoder(4);
    const decompressor = new LzsDecompressor(4);
    expect(decompressor.selfHealing).toBe(true);
    for (let round = 0; round < 1000; round++) {
      oracleWrites(encoder, decompressor, [TEXT, TEXT]);
      for (let lost = rng.below(5); lost >= 0; lost--) encoder.encode(0x21, TEXT.bytes);
      for (let late = 1 + rng.below(4); late > 0; late--)
        expect(decompressed(decompressor, encoder.encode(0x21, TEXT.bytes) ?? TEXT.bytes)).toBe(DAMAGED);
      encoder.reset();
    }
  }));

test("mode 4: the count goes up by one a packet, wraps at 4096, and A follows a reset", () => {
  const compressor = new LzsCompressor(4);
  let before: number | undefined;
  let isReset = false;
  for (let packet = 0; packet < 5000; packet++) {
    const [high = 0, low = 0] = compressed(compressor, TEXT) ?? [];
    const count = 256 * (high & 0x0f) + low;
    if (before !== undefined) expect(count).toBe((before + 1) % 4096);
    if (isReset) expect(high & 0x80).toBe(0x80);
    else if (packet > 0) expect(high & 0xf0).toBe(0x20);
    before = count;
    isReset = packet % 7 === 0;
    if (isReset) compressor.reset();
  }
});

test("mode 2: damage gives no wrong packet; mode 1 notices most of it", () => {
  const second = { protocol: 0x21, bytes: bytesOf("itself repeats history, and history repeats") };
  for (const mode of [1, 2] as const) {
    const encoder = new LzsOracleEncoder(mode);
    const first = encoder.encode(0x21, TEXT.bytes) ?? TEXT.bytes;
    const payload = encoder.encode(0x21, second.bytes) ?? TEXT.bytes;
    let refused = 0;
    for (const bad of damaged(payload)) {
      const decompressor = new LzsDecompressor(mode);
      expect(packetOf(decompressed(decompressor, first))).toEqual(TEXT);
      const found = decompressed(decompressor, bad);
      if (typeof found === "number") refused++;
      else if (mode === 2) expect(packetOf(found)).toEqual(second);
    }
    expect(refused).toBeGreaterThan(payload.length * 7);
  }
});

test("no damage to a payload makes the decompressor throw, in any mode", () => {
  for (const mode of LZS_MODES) {
    const encoder = new LzsOracleEncoder(mode);
    const decompressor = new LzsDecompressor(mode);
    decompressed(decompressor, encoder.encode(0x21, TEXT.bytes) ?? TEXT.bytes);
    for (const bad of damaged(encoder.encode(0x21, TEXT.bytes) ?? TEXT.bytes)) decompressed(decompressor, bad);
  }
});
