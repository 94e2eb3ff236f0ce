// Parts of LZS that test/oracle/lzs.test.ts does not cover: the edges of the data, and the check modes.

import { expect, test } from "bun:test";
import { bytesOf, toHex } from "../../src/bytes/text.ts";
import { DAMAGED, FATAL } from "../../src/compress/codec.ts";
import { LzsCheck, LzsCompressor, LzsDecompressor } from "../../src/compress/lzs.ts";
import { MAX_FRAME } from "../../src/frame/deframer.ts";
import { damaged } from "../kit/codec.ts";
import { Rng, withRng } from "../kit/rng.ts";
import { compressed, decompressed, type Packet, packetOf, traffic } from "../oracle/traffic.ts";
import { binary, heapGrowth, octetsOf } from "./bits.ts";

const CHECKS = Object.values(LzsCheck);
const END = "110000000";

/** Octets as literals. */
function literals(...octets: number[]): string {
  return octets.map((octet) => `0${binary(octet, 8)}`).join("");
}

function read(bits: string): Uint8Array | number {
  return decompressed(new LzsDecompressor(LzsCheck.None), octetsOf(bits));
}

const PACKET: Packet = { protocol: 0x21, bytes: bytesOf("abababababababababababab") };
// 00 21 a b, and 22 from two back: 8, 14, 0 more than fifteen.
const DATA = `${literals(0x00, 0x21, 0x61, 0x62)} 11 0000010 1111 1110 ${END}`;

test("a packet in each check mode, octet for octet", () => {
  const data = toHex(octetsOf(DATA));
  // ff ^ 00 ^ 21: the letters cancel out.
  for (const [check, field] of [
    [LzsCheck.None, ""],
    [LzsCheck.Lcb, "de"],
    [LzsCheck.Crc, undefined],
    [LzsCheck.Sequence, "01"],
    [LzsCheck.Extended, "a000"],
  ] as const) {
    const payload = compressed(new LzsCompressor(check), PACKET)!;
    const text = toHex(payload);
    if (field !== undefined) expect(text).toBe(field + data);
    expect(text.endsWith(data)).toBe(true);
    expect(packetOf(decompressed(new LzsDecompressor(check), payload))).toEqual(PACKET);
    if (check !== LzsCheck.Crc) continue;
    expect(payload.length).toBe(data.length / 2 + 2);
    // A missing complement is accepted, no other error.
    expect(
      packetOf(
        decompressed(
          new LzsDecompressor(check),
          payload.map((octet, at) => (at < 2 ? ~octet : octet)),
        ),
      ),
    ).toEqual(PACKET);
    expect(
      decompressed(
        new LzsDecompressor(check),
        payload.map((octet, at) => (at < 1 ? ~octet : octet)),
      ),
    ).toBe(DAMAGED);
  }
});

test("one octet of zeros at the end may be missing; behind the end mark is padding", () => {
  const octets = octetsOf(literals(0x21, 0x61, 0x62, 0x63, 0x64, 0x65) + END);
  expect([octets.length, octets[7]]).toEqual([8, 0]);
  for (const data of [octets, octets.subarray(0, 7), Uint8Array.of(...octets, 0xff, 0xff)])
    expect(packetOf(decompressed(new LzsDecompressor(LzsCheck.None), data))).toEqual({
      protocol: 0x21,
      bytes: bytesOf("abcde"),
    });
  expect(decompressed(new LzsDecompressor(LzsCheck.None), octets.subarray(0, 6))).toBe(DAMAGED);
  expect(read(END)).toBe(DAMAGED);
});

test("copies from before the beginning are refused, and so is a payload that gives too many octets", () => {
  expect(read(`${literals(1)} 11 0000010 00 ${END}`)).toBe(DAMAGED);
  expect(read(`${literals(1)} 10 00000000000 00 ${END}`)).toBe(DAMAGED);
  const bomb = (length: number): string =>
    `${literals(0x21)} 11 0000001 1111 ${"1111".repeat(Math.floor((length - 8) / 15))} ${binary((length - 8) % 15, 4)} ${END}`;
  const most = read(bomb(MAX_FRAME - 1));
  expect(typeof most === "number" ? most : most.length).toBe(MAX_FRAME);
  expect(read(bomb(MAX_FRAME))).toBe(FATAL);
  expect(read(`${literals(0x21)} 11 0000001 ${"1".repeat(90_000)}`)).toBe(FATAL);
  expect(read(literals(...new Uint8Array(MAX_FRAME + 1)) + END)).toBe(FATAL);
});

test("nothing is copied from before a reset", () => {
  const decompressor = new LzsDecompressor(LzsCheck.None);
  const second = octetsOf(`${literals(0x21)} 11 0000010 00 ${END}`);
  decompressed(decompressor, octetsOf(literals(0x21, 0x61) + END));
  expect(decompressed(decompressor, second)).toEqual(Uint8Array.of(0x21, 0x61, 0x21));
  decompressor.reset();
  expect(decompressed(decompressor, second)).toBe(DAMAGED);
});

test("a packet that repeats the one before is always found", () => {
  const compressor = new LzsCompressor(LzsCheck.None);
  const packet = { protocol: 0x21, bytes: new Rng(13).bytes(500).fill(0, 200) };
  for (let round = 0; round < 400; round++) {
    const payload = compressed(compressor, packet)!;
    if (round > 0) expect(payload.length).toBeLessThan(30);
  }
});

test("a packet that would grow is sent plain and begins a new history; in mode 4 it is sent behind the header", () => {
  const noise = { protocol: 0x57, bytes: new Rng(4).bytes(100) };
  for (const check of CHECKS) {
    const compressor = new LzsCompressor(check);
    const first = compressed(compressor, PACKET)!;
    expect(compressed(compressor, PACKET)!.length).toBeLessThan(first.length);
    const plain = compressed(compressor, noise);
    if (check === LzsCheck.Extended) expect(plain).toEqual(Uint8Array.of(0, 2, 0, 0x57, ...noise.bytes));
    else expect(plain).toBeUndefined();
    const again = compressed(compressor, PACKET)!;
    expect(again.length).toBe(first.length);
    if (check === LzsCheck.Sequence) expect(again[0]).toBe(3);
    if (check === LzsCheck.Extended) expect(toHex(again, 0, 2)).toBe("a003");
    for (const protocol of [0x1f, 0xfb, 0xfd, 0x8021])
      expect(compressed(compressor, { ...PACKET, protocol })).toBeUndefined();
    expect(compressed(compressor, PACKET)!.length).toBeLessThan(first.length);
  }
});

test("without a history each packet stands alone, and a lost one does not matter", () => {
  for (const check of CHECKS) {
    const compressor = new LzsCompressor(check, 0);
    const decompressor = new LzsDecompressor(check, 0);
    let good = 0;
    for (const [at, packet] of [...traffic(new Rng(6), 200)].entries()) {
      const payload = compressed(compressor, packet);
      if (payload === undefined || at % 3 === 0) continue;
      if (at % 5 === 0) decompressed(decompressor, payload.subarray(0, -2));
      expect(packetOf(decompressed(decompressor, payload))).toEqual(packet);
      good++;
    }
    expect(good).toBeGreaterThan(50);
  }
});

test("modes 3 and 4 accept a peer that counts from 0 or from 1, and notice losses after that", () => {
  const data = toHex(octetsOf(DATA));
  for (const [check, counts] of [
    [LzsCheck.Sequence, ["00", "01", "02"]],
    [LzsCheck.Extended, ["2000", "2001", "2002"]],
  ] as const)
    for (const first of [0, 1]) {
      const decompressor = new LzsDecompressor(check);
      const take = (field: string): Uint8Array | number => decompressed(decompressor, Uint8Array.fromHex(field + data));
      for (const field of counts.slice(first)) expect(packetOf(take(field))).toEqual(PACKET);
      expect(take(counts[1])).toBe(DAMAGED);
      expect(take(counts[2])).toBe(DAMAGED);
      decompressor.reset();
      // In mode 4 the bit A is the only Reset-Ack.
      if (check === LzsCheck.Extended) expect(take("2003")).toBe(DAMAGED);
      expect(packetOf(take(check === LzsCheck.Extended ? "a123" : "03"))).toEqual(PACKET);
    }
});

test("packets of any size pass through any number of windows", () =>
  withRng((rng) => {
    const compressor = new LzsCompressor(LzsCheck.Sequence);
    const decompressor = new LzsDecompressor(LzsCheck.Sequence);
    const words = [...traffic(new Rng(12), 40)].map(({ bytes }) => bytes);
    let compressedOnes = 0;
    for (let round = 0; round < 300; round++) {
      const parts: Uint8Array[] = [];
      for (let length = rng.pick([1, 300, 4000, 14_000]); length > 0;) {
        const part = rng.pick(words);
        parts.push(part);
        length -= part.length;
      }
      const packet = { protocol: 0x57, bytes: new Uint8Array(Buffer.concat(parts)) };
      const payload = compressed(compressor, packet);
      if (payload === undefined) continue;
      expect(packetOf(decompressed(decompressor, payload))).toEqual(packet);
      compressedOnes++;
    }
    expect(compressedOnes).toBeGreaterThan(100);
  }));

test("truncated, damaged and random payloads neither throw nor write outside their buffer", () =>
  withRng((rng) => {
    for (const check of CHECKS) {
      const compressor = new LzsCompressor(check);
      const payloads = [PACKET, PACKET, ...traffic(rng, 2)].flatMap((packet) => compressed(compressor, packet) ?? []);
      for (const payload of payloads) {
        const decompressor = new LzsDecompressor(check);
        for (const bad of damaged(payload.subarray(0, 100))) {
          if (decompressed(decompressor, bad) === DAMAGED) decompressor.reset();
        }
      }
      const decompressor = new LzsDecompressor(check);
      for (let round = 0; round < 500; round++) {
        decompressed(decompressor, rng.bytes(rng.below(300)));
        decompressor.reset();
      }
    }
  }));

test("positions in the history start again before they get too large", () => {
  const compressor = new LzsCompressor(LzsCheck.None);
  const decompressor = new LzsDecompressor(LzsCheck.None);
  const [payload, plain] = [new Uint8Array(100), new Uint8Array(100)];
  const { bytes } = PACKET;
  const length = octetsOf(DATA).length;
  for (let round = 0; round < 530_000; round++) {
    compressor.reset();
    const end = compressor.compress(0x21, bytes, 0, bytes.length, payload, 0);
    if (end !== length || decompressor.decompress(payload, 0, end, plain, 0) !== 26) throw new Error(`round ${round}`);
  }
  expect(packetOf(plain.subarray(0, 26))).toEqual(PACKET);
});

test("it uses no more memory with time", () => {
  const compressor = new LzsCompressor(LzsCheck.Sequence);
  const decompressor = new LzsDecompressor(LzsCheck.Sequence);
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
