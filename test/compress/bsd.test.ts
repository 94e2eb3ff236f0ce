import { expect, test } from "bun:test";
import { bytesOf, fromHex, toHex } from "../../src/bytes/text.ts";
import { BsdCompressor, BsdDecompressor } from "../../src/compress/bsd.ts";
import { DAMAGED, FATAL, PLAIN } from "../../src/compress/codec.ts";
import { MAX_FRAME } from "../../src/frame/deframer.ts";
import { damaged } from "../kit/codec.ts";
import { Rng, withRng } from "../kit/rng.ts";
import { compressed, decompressed, type Packet, packetOf, traffic } from "../oracle/traffic.ts";

// The same packet three times in BSD Compress with 12 bits (RFC 1977 §2.2). oracle/bsd.test.ts has the same.
const PACKET: Packet = {
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

/**
 * A payload with these codes. The reader knows `last` and all codes below in advance, and learns one with every code
 * except the first. The codes have the widths that it then expects.
 */
function payloadOf(sequence: number, codes: readonly number[], last = 256): Uint8Array {
  const width = (index: number): number => Math.min(15, Math.floor(Math.log2(last + Math.max(index, 1))) + 1);
  const text = codes.map((code, index) => code.toString(2).padStart(width(index), "0")).join("");
  const octets = text.match(/.{1,8}/g) ?? [];
  return Uint8Array.of(sequence >> 8, sequence & 0xff, ...octets.map((octet) => parseInt(octet.padEnd(8, "1"), 2)));
}

/** Both ends process the packet. Returns whether it was sent compressed. */
function pass(compressor: BsdCompressor, decompressor: BsdDecompressor, packet: Packet): boolean {
  const payload = compressed(compressor, packet);
  if (payload === undefined) decompressor.incompressible(packet.protocol, packet.bytes, 0, packet.bytes.length);
  else {
    expect(packetOf(decompressed(decompressor, payload))).toEqual(packet);
    expect(payload.length).toBeLessThan(packet.bytes.length);
  }
  return payload !== undefined;
}

test("the known packets are written and read, octet for octet; other protocols change nothing", () => {
  const compressor = new BsdCompressor(12);
  const decompressor = new BsdDecompressor(12);
  for (const payload of PAYLOADS) {
    for (const protocol of [0x1f, 0xfb, 0xfd, 0x281, 0x8021]) {
      expect(compressed(compressor, { ...PACKET, protocol })).toBeUndefined();
      decompressor.incompressible(protocol, PACKET.bytes, 0, PACKET.bytes.length);
    }
    expect(toHex(compressed(compressor, PACKET) ?? new Uint8Array())).toBe(payload);
    expect(packetOf(decompressed(decompressor, fromHex(payload)))).toEqual(PACKET);
  }
});

test("data of the protocols 21 to f9 is compressed", () => {
  for (const protocol of [0x21, 0x57, 0xf9])
    expect(compressed(new BsdCompressor(12), { ...PACKET, protocol })).toBeDefined();
});

test("everything comes out as it went in, with codes of any length", () =>
  withRng((rng) => {
    let count = 0;
    for (let bits = 9; bits <= 15; bits++) {
      const compressor = new BsdCompressor(bits);
      const decompressor = new BsdDecompressor(bits);
      for (const packet of traffic(rng, 150)) if (pass(compressor, decompressor, packet)) count++;
    }
    expect(count).toBeGreaterThan(100);
  }));

test("a dictionary full of noise is cleared at both ends at once, and text is compressed again", () => {
  const rng = new Rng(3);
  const compressor = new BsdCompressor(12);
  const decompressor = new BsdDecompressor(12);
  const text = { protocol: 0x21, bytes: bytesOf("packets of text, one like the other; ".repeat(40)) };
  for (let count = 0; count < 50; count++)
    expect(pass(compressor, decompressor, { protocol: 0x21, bytes: rng.bytes(1400) })).toBe(false);
  for (let count = 0; count < 20; count++) pass(compressor, decompressor, text);
  expect(compressed(compressor, text)?.length).toBeLessThan(150);
});

test("a lost packet is noticed until both ends are reset", () =>
  withRng((rng) => {
    const compressor = new BsdCompressor(12);
    const decompressor = new BsdDecompressor(12);
    for (const lost of [PACKET, { protocol: 0x21, bytes: rng.bytes(100) }]) {
      for (let count = 0; count < 3; count++) expect(pass(compressor, decompressor, PACKET)).toBe(true);
      compressed(compressor, lost);
      for (let count = 0; count < 3; count++)
        expect(decompressed(decompressor, compressed(compressor, PACKET) ?? new Uint8Array())).toBe(DAMAGED);
      compressor.reset();
      decompressor.reset();
    }
    expect(toHex(compressed(compressor, PACKET) ?? new Uint8Array())).toBe(PAYLOADS[0]!);
  }));

test("codes are read as they are defined, also CLEAR at the end of a packet and the string that was just made", () => {
  const decompressor = new BsdDecompressor(9);
  expect(decompressed(decompressor, payloadOf(0, [0x21, 0x41, 258, 259, 0x42]))).toEqual(bytesOf("!AAAAAAB"));
  expect(decompressed(decompressor, payloadOf(1, [257, 260, 256]))).toEqual(bytesOf("!AAAAB"));
  expect(decompressed(decompressor, payloadOf(2, [0x21, 258]))).toBe(FATAL);
  expect(decompressed(decompressor, payloadOf(3, [0x21]))).toBe(DAMAGED);
});

test("impossible codes are FATAL, and no later packet is accepted", () => {
  for (const [why, codes] of Object.entries({
    "a code not given away yet": [0x21, 258],
    "a string just made, and nothing before it": [257],
    "CLEAR in the middle": [0x21, 256, 0x41],
    "CLEAR and nothing else": [256],
  })) {
    const decompressor = new BsdDecompressor(12);
    expect([why, decompressed(decompressor, payloadOf(0, codes))]).toEqual([why, FATAL]);
    expect(decompressed(decompressor, payloadOf(1, [0x21, 0x41]))).toBe(DAMAGED);
    decompressor.reset();
    expect(decompressed(decompressor, payloadOf(0, [0x21, 0x41]))).toEqual(bytesOf("!A"));
    expect(decompressed(decompressor, Uint8Array.of(0, 1))).toBe(DAMAGED);
    expect(decompressed(decompressor, Uint8Array.of(0))).toBe(DAMAGED);
  }
});

test("truncated packets and single wrong bits do no harm, and after a reset packets pass again", () => {
  const decompressor = new BsdDecompressor(12);
  for (const bad of damaged(fromHex(PAYLOADS[2]!))) {
    for (const payload of PAYLOADS.slice(0, 2))
      expect(packetOf(decompressed(decompressor, fromHex(payload)))).toEqual(PACKET);
    const result = decompressed(decompressor, bad);
    if (bad[1] !== 2 || bad[0] !== 0) expect(result).toBe(DAMAGED);
    if (typeof result === "number") decompressed(decompressor, bad);
    decompressor.incompressible(0x21, PACKET.bytes, 0, PACKET.bytes.length);
    decompressor.reset();
  }
});

test("a payload gives MAX_FRAME octets at most", () => {
  for (const [octets, expected] of [
    [MAX_FRAME - 1, MAX_FRAME],
    [MAX_FRAME, FATAL],
    [1_000_000, FATAL],
  ] as const) {
    const payload = compressed(new BsdCompressor(15), { protocol: 0x21, bytes: new Uint8Array(octets) });
    const result = decompressed(new BsdDecompressor(15), payload ?? new Uint8Array());
    expect(typeof result === "number" ? result : result.length).toBe(expected);
  }
});

test("the string that was just made does not exceed MAX_FRAME", () => {
  // B after B, and then A, AA, AAA, …: each code is the one that the reader is about to learn.
  for (const [others, expected] of [
    [101, MAX_FRAME],
    [102, FATAL],
  ] as const) {
    const codes = [0x21, ...Array.from({ length: others }, () => 0x42), 0x41];
    while (codes.length < 1 + others + 180) codes.push(256 + codes.length);
    const result = decompressed(new BsdDecompressor(15), payloadOf(0, codes));
    expect(typeof result === "number" ? result : result.length).toBe(expected);
  }
});

test("a sender that learns the same string many times is understood, and needs no more memory", () => {
  const decompressor = new BsdDecompressor(15);
  expect(decompressed(decompressor, payloadOf(0, [0x21, 0x41, 257, 0x43]))).toEqual(bytesOf("!A!AC"));
  const codes = Array.from({ length: 1000 }, (_, index) => (index % 2 === 0 ? 257 : 0x42));
  for (let sequence = 1; sequence <= 32; sequence++) {
    const payload = payloadOf(sequence, codes, 259 + (sequence - 1) * (codes.length - 1));
    expect(decompressed(decompressor, payload)).toEqual(bytesOf("!AB".repeat(500)));
  }
  // !AC was learnt before all those !AB.
  const plain = bytesOf("AC");
  const before = process.cpuUsage().user;
  for (let count = 0; count < 20_000; count++) decompressor.incompressible(0x21, plain, 0, plain.length);
  expect(process.cpuUsage().user - before).toBeLessThan(300_000);
});

test("50000 random packets use no more memory", () => {
  const rng = new Rng(9);
  const compressor = new BsdCompressor(12);
  const decompressor = new BsdDecompressor(12);
  const noise = rng.bytes(4096);
  const packet = new Uint8Array(MAX_FRAME);
  const out = new Uint8Array(MAX_FRAME);
  const used = (): number => {
    Bun.gc(true);
    return process.memoryUsage().heapUsed;
  };
  let before = 0;
  for (let count = 0; count < 50_000; count++) {
    if (count === 5000) before = used();
    const length = 1 + rng.below(200);
    const from = rng.below(noise.length - length);
    packet.set(noise.subarray(from, from + length), 0);
    packet.fill(count, length >> 1, length);
    const end = compressor.compress(0x21, packet, 0, length, out, 0);
    if (end === PLAIN) decompressor.incompressible(0x21, packet, 0, length);
    else if (rng.chance(0.01)) {
      out[rng.below(end)]! ^= 1 << rng.below(8);
      decompressor.decompress(out, 0, end, packet, 0);
      compressor.reset();
      decompressor.reset();
    } else if (decompressor.decompress(out, 0, end, packet, 0) !== length + 1) throw new Error(`packet ${count}`);
  }
  expect(used() - before).toBeLessThan(200_000);
});
