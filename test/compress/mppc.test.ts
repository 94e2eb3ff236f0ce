import { expect, test } from "bun:test";
import { bytesOf, toHex } from "../../src/bytes/text.ts";
import { DAMAGED, FATAL } from "../../src/compress/codec.ts";
import { MppcCompressor, MppcDecompressor } from "../../src/compress/mppc.ts";
import { damaged } from "../kit/codec.ts";
import { Rng, withRng } from "../kit/rng.ts";
import { compressed, decompressed, type Packet, packetOf, traffic } from "../oracle/traffic.ts";
import { binary, heapGrowth, octetsOf } from "./bits.ts";

/** A literal and a copy as in RFC 2118 §4.1 and §4.2. */
function literal(octet: number): string {
  return octet < 0x80 ? binary(octet, 8) : `10${binary(octet & 0x7f, 7)}`;
}

function copy(offset: number, length: number): string {
  const where =
    offset < 64
      ? `1111${binary(offset, 6)}`
      : offset < 320
        ? `1110${binary(offset - 64, 8)}`
        : `110${binary(offset - 320, 13)}`;
  if (length === 3) return `${where}0`;
  const width = Math.floor(Math.log2(length));
  return `${where}${"1".repeat(width - 1)}0${binary(length - 2 ** width, width)}`;
}

function literals(bytes: Uint8Array): string {
  return Array.from(bytes, literal).join("");
}

/** A packet with these header bits and count. */
function packetWith(flags: number, count: number, data: Uint8Array): Uint8Array {
  return Uint8Array.of((flags << 4) | (count >> 8), count & 0xff, ...data);
}

const A = 8;
const B = 4;
const C = 2;
const D = 1;

const PACKET: Packet = { protocol: 0x21, bytes: bytesOf("for whom the bell tolls, the bell tolls for thee.") };

/** The example's codes after the first two octets of the string. */
const TOKENS =
  literals(bytesOf("r whom the bell tolls,")) +
  copy(16, 15) +
  literal(32) +
  copy(40, 4) +
  copy(19, 3) +
  literals(bytesOf("e."));

test("the example of RFC 2118 §4", () => {
  const payload = packetWith(A | B | C, 0, octetsOf(literals(bytesOf("fo")) + TOKENS));
  expect(decompressed(new MppcDecompressor(), payload)).toEqual(PACKET.bytes);
});

test("the compressor gives the same octets, and next to none for a repetition", () => {
  const compressor = new MppcCompressor();
  const first = literals(bytesOf("\x00!fo")) + TOKENS;
  expect(compressed(compressor, PACKET)).toEqual(packetWith(A | B | C, 0, octetsOf(first)));
  expect(compressed(compressor, PACKET)).toEqual(packetWith(C, 1, octetsOf(copy(51, 51))));
  compressor.reset();
  expect(toHex(compressed(compressor, PACKET)!, 0, 2)).toBe("e002");
});

test("every offset and every length is read", () => {
  const past = new Rng(2118).bytes(4000);
  const data = literals(past);
  for (let offset = 1; offset < 4000; offset += offset < 400 ? 1 : 97)
    for (const length of [3, 4]) {
      const expected = [...past];
      for (let i = 0; i < length; i++) expected.push(expected[expected.length - offset]!);
      const payload = packetWith(A | C, 7, octetsOf(data + copy(offset, length)));
      expect(decompressed(new MppcDecompressor(), payload)).toEqual(Uint8Array.from(expected));
    }
  for (let length = 3; length < 8192; length += length < 140 ? 1 : 113) {
    const payload = packetWith(A | C, 0, octetsOf(literal(0xff) + copy(1, length)));
    expect(decompressed(new MppcDecompressor(), payload)).toEqual(new Uint8Array(length + 1).fill(0xff));
  }
});

test("a copy reaches across the wrap of the window, into the round before and into the zeros at its beginning", () => {
  const decompressor = new MppcDecompressor();
  const round = new Rng(1).bytes(8192);
  expect(decompressed(decompressor, packetWith(A | C, 0, octetsOf(literals(round))))).toEqual(round);
  const across = octetsOf(literal(1) + copy(8191, 3) + copy(5, 4));
  expect(decompressed(decompressor, packetWith(B | C, 1, across))).toEqual(
    Uint8Array.of(1, ...round.subarray(2, 5), round[8191]!, 1, ...round.subarray(2, 4)),
  );
  expect(decompressed(decompressor, packetWith(A | C, 2, octetsOf(literal(1) + copy(300, 3))))).toEqual(
    Uint8Array.of(1, 0, 0, 0),
  );
});

test("an impossible packet is refused, and so are all others until bit A is set", () => {
  for (const bits of [
    copy(0, 3),
    literal(1) + "1111000001111111111111",
    literals(new Uint8Array(8192)) + literal(1),
    literals(new Uint8Array(8190)) + copy(1, 3),
    literal(1) + "111100000111110",
    "1100000000000000",
    `110${"1".repeat(13)}0`,
  ]) {
    const decompressor = new MppcDecompressor();
    expect(decompressed(decompressor, packetWith(A | C, 0, octetsOf(bits)))).toBe(DAMAGED);
    expect(decompressed(decompressor, packetWith(C, 1, bytesOf("good")))).toBe(DAMAGED);
    decompressor.reset();
    expect(decompressed(decompressor, packetWith(0, 2, bytesOf("good")))).toBe(DAMAGED);
    expect(decompressed(decompressor, packetWith(A | C, 9, bytesOf("good")))).toEqual(bytesOf("good"));
  }
  // Encryption was not agreed on.
  expect(decompressed(new MppcDecompressor(), packetWith(A | D, 0, bytesOf("secret")))).toBe(FATAL);
  for (const short of ["", "a0", "a000"])
    expect(decompressed(new MppcDecompressor(), Uint8Array.fromHex(short))).toBe(DAMAGED);
});

test("a packet that would grow is sent plain, and the next one begins a new history", () => {
  const compressor = new MppcCompressor();
  const noise = { protocol: 0x57, bytes: new Rng(3).bytes(200) };
  compressed(compressor, PACKET);
  expect(compressed(compressor, noise)).toEqual(packetWith(0, 1, Uint8Array.of(0, 0x57, ...noise.bytes)));
  expect(toHex(compressed(compressor, PACKET)!, 0, 2)).toBe("e002");
  // Larger than the history.
  const large = { protocol: 0x21, bytes: new Uint8Array(10_000) };
  expect(compressed(compressor, large)).toEqual(packetWith(0, 3, Uint8Array.of(0, 0x21, ...large.bytes)));
  expect(compressed(compressor, { protocol: 0x21, bytes: new Uint8Array(8190) })!.length).toBeLessThan(20);
});

test("a packet that repeats the one before is always found, on both sides of the wrap of the window", () => {
  const compressor = new MppcCompressor();
  const packet = { protocol: 0x21, bytes: new Rng(13).bytes(500).fill(0, 200) };
  for (let round = 0; round < 100; round++) {
    const payload = compressed(compressor, packet)!;
    if (round > 0) expect(payload.length).toBeLessThan(12);
  }
});

test("other protocols are left alone and change nothing", () => {
  const compressor = new MppcCompressor();
  for (const protocol of [0x01, 0x1f, 0xfb, 0xfd, 0x0281, 0x8021, 0xc021])
    expect(compressed(compressor, { ...PACKET, protocol })).toBeUndefined();
  expect(toHex(compressed(compressor, PACKET)!, 0, 2)).toBe("e000");
});

test("on a line that loses packets no wrong packet is given, and after a reset all packets pass", () =>
  withRng((rng) => {
    const compressor = new MppcCompressor();
    const decompressor = new MppcDecompressor();
    expect(decompressor.selfHealing).toBe(true);
    let late = Infinity;
    const tally = { lost: 0, refused: 0, good: 0 };
    for (const packet of traffic(rng, 5000)) {
      if (late-- === 0) {
        late = Infinity;
        compressor.reset();
      }
      const payload = compressed(compressor, packet);
      if (payload === undefined) continue;
      if (rng.chance(0.03)) {
        tally.lost++;
        continue;
      }
      const found = decompressed(decompressor, payload);
      if (found === DAMAGED) {
        tally.refused++;
        if (late === Infinity) late = rng.below(4);
      } else {
        expect(packetOf(found)).toEqual(packet);
        tally.good++;
      }
    }
    expect(tally.lost).toBeGreaterThan(20);
    expect(tally.good).toBeGreaterThan(10 * tally.refused);
  }));

test("truncated, damaged and random payloads neither throw nor write outside their buffer", () =>
  withRng((rng) => {
    const compressor = new MppcCompressor();
    const payloads = [PACKET, PACKET, ...traffic(rng, 3)].flatMap((packet) => compressed(compressor, packet) ?? []);
    for (const payload of payloads) {
      const decompressor = new MppcDecompressor();
      for (const bad of damaged(payload.subarray(0, 300))) decompressed(decompressor, bad);
    }
    const decompressor = new MppcDecompressor();
    for (let round = 0; round < 2000; round++) {
      const junk = rng.bytes(rng.below(300));
      if (junk.length > 0) junk[0]! &= 0xef;
      if (junk.length > 0 && rng.chance(0.8)) junk[0]! |= 0xa0;
      decompressed(decompressor, junk);
    }
  }));

test("positions in the history start again before they get too large", () => {
  const compressor = new MppcCompressor();
  const decompressor = new MppcDecompressor();
  const [payload, plain] = [new Uint8Array(100), new Uint8Array(100)];
  const { bytes } = PACKET;
  for (let round = 0; round < 70_000; round++) {
    compressor.reset();
    const end = compressor.compress(0x21, bytes, 0, bytes.length, payload, 0);
    if (end !== 37 || decompressor.decompress(payload, 0, end, plain, 0) !== 51) throw new Error(`round ${round}`);
  }
  expect(packetOf(plain.subarray(0, 51))).toEqual(PACKET);
});

test("it uses no more memory with time", () => {
  const compressor = new MppcCompressor();
  const decompressor = new MppcDecompressor();
  const packets = [...traffic(new Rng(5), 200)];
  const [payload, plain] = [new Uint8Array(2000), new Uint8Array(20_000)];
  const grown = heapGrowth(() => {
    for (let round = 0; round < 20; round++)
      for (const { protocol, bytes } of packets) {
        const end = compressor.compress(protocol, bytes, 0, bytes.length, payload, 0);
        if (end > 0) expect(decompressor.decompress(payload, 0, end, plain, 0)).toBe(bytes.length + 2);
      }
  });
  expect(grown).toBeLessThan(200_000);
});
