import { expect, test } from "bun:test";
import { put16 } from "../../src/bytes/be.ts";
import { bytesOf, fromHex, toHex } from "../../src/bytes/text.ts";
import { DAMAGED, FATAL } from "../../src/compress/codec.ts";
import { PredictorCompressor, PredictorDecompressor } from "../../src/compress/predictor.ts";
import { MAX_FRAME } from "../../src/frame/deframer.ts";
import { FCS_INIT, fcsOver } from "../../src/frame/fcs.ts";
import { damaged } from "../kit/codec.ts";
import { Rng, withRng } from "../kit/rng.ts";
import { compressed, decompressed, type Packet, packetOf, traffic } from "../oracle/traffic.ts";

// The same packet twice in Predictor type 1 (RFC 1978 §3). oracle/predictor.test.ts has the same.
const PACKET: Packet = { protocol: 0x21, bytes: bytesOf("A".repeat(16) + "B".repeat(16)) };
const PAYLOADS = ["8022c12141414141ff834242424242ff0314e4", "8022d00021414141ffbb4242ff0314e4"];

/** A payload of `data` that claims to be `length` octets. The FCS is over `inside`. */
function payloadOf(length: number, data: Uint8Array, inside: Uint8Array): Uint8Array {
  const summed = new Uint8Array(2 + inside.length);
  summed.set(inside, put16(summed, 0, length & 0x7fff));
  const fcs = ~fcsOver(FCS_INIT, summed, 0, summed.length);
  return Uint8Array.of(length >> 8, length & 0xff, ...data, fcs & 0xff, (fcs >> 8) & 0xff);
}

test("the known packets are written and read, octet for octet; other protocols change nothing", () => {
  const compressor = new PredictorCompressor();
  const decompressor = new PredictorDecompressor();
  for (const payload of PAYLOADS) {
    for (const protocol of [0xfd, 0xfb, 0x4021, 0x8021, 0xc021])
      expect(compressed(compressor, { ...PACKET, protocol })).toBeUndefined();
    expect(toHex(compressed(compressor, PACKET) ?? new Uint8Array())).toBe(payload);
    expect(packetOf(decompressed(decompressor, fromHex(payload)))).toEqual(PACKET);
    // Plain packets are ignored.
    decompressor.incompressible();
  }
});

test("every protocol of data is compressed, the last of them is 3fff", () => {
  for (const protocol of [0x21, 0x281, 0x3fff])
    expect(compressed(new PredictorCompressor(), { ...PACKET, protocol })).toBeDefined();
});

test("every packet comes out as it went in, and is at most six octets longer on the line", () =>
  withRng((rng) => {
    const compressor = new PredictorCompressor();
    const decompressor = new PredictorDecompressor();
    let longer = 0;
    for (const packet of traffic(rng, 400)) {
      const payload = compressed(compressor, packet);
      expect(payload !== undefined).toBe(packet.protocol < 0x4000);
      if (payload === undefined) continue;
      expect(packetOf(decompressed(decompressor, payload))).toEqual(packet);
      if (payload.length === packet.bytes.length + compressor.overhead) longer++;
    }
    expect(longer).toBeGreaterThan(0);
  }));

test("a lost packet is noticed by the FCS of the next one, and both ends start again after a reset", () => {
  const rng = new Rng(4);
  const compressor = new PredictorCompressor();
  const decompressor = new PredictorDecompressor();
  for (let round = 0; round < 3; round++) {
    for (const packet of traffic(rng, 10)) {
      const payload = compressed(compressor, packet);
      if (payload) expect(packetOf(decompressed(decompressor, payload))).toEqual(packet);
    }
    compressed(compressor, { protocol: 0x21, bytes: bytesOf("the quick brown fox jumps over the lazy dog") });
    const next = compressed(compressor, { protocol: 0x21, bytes: bytesOf("a brown fox jumps over the lazy dog") });
    expect(decompressed(decompressor, next ?? new Uint8Array())).toBe(DAMAGED);
    compressor.reset();
    decompressor.reset();
  }
});

test("a protocol of one octet is handed on as it came, compressed or stored", () => {
  const inside = bytesOf("!AAAA");
  const decompressor = new PredictorDecompressor();
  expect(decompressed(decompressor, payloadOf(5, inside, inside))).toEqual(inside);
  decompressor.reset();
  // Nothing is guessed until the hash contains A four times.
  expect(decompressed(decompressor, payloadOf(0x8005, Uint8Array.of(0, ...inside), inside))).toEqual(inside);
});

test("truncated packets and single wrong bits give no packet", () => {
  const rng = new Rng(6);
  const decompressor = new PredictorDecompressor();
  const compressor = new PredictorCompressor();
  const packets: Packet[] = [PACKET, { protocol: 0x57, bytes: rng.bytes(40) }, PACKET];
  const payloads = packets.map((packet) => compressed(compressor, packet) ?? new Uint8Array());
  for (const [last, whole] of payloads.entries())
    for (const bad of damaged(whole)) {
      for (const payload of payloads.slice(0, last)) expect(decompressed(decompressor, payload)).not.toBeNumber();
      expect(decompressed(decompressor, bad)).toBe(DAMAGED);
      decompressor.reset();
    }
});

test("a payload gives MAX_FRAME octets at most", () => {
  for (const [octets, expected] of [
    [MAX_FRAME, MAX_FRAME],
    [MAX_FRAME + 1, FATAL],
    [0x7fff, FATAL],
  ] as const) {
    // All octets are guessed, because the table is full of zeros at first.
    const inside = new Uint8Array(octets);
    const flags = new Uint8Array(Math.ceil(octets / 8)).fill(0xff);
    if (octets % 8 > 0) flags[flags.length - 1] = (1 << (octets % 8)) - 1;
    for (const payload of [payloadOf(0x8000 | octets, flags, inside), payloadOf(octets, inside, inside)]) {
      const result = decompressed(new PredictorDecompressor(), payload);
      expect(typeof result === "number" ? result : result.length).toBe(expected);
    }
  }
  // More flags than the length needs, and a wrong length.
  const zeros = new Uint8Array(16);
  for (const [length, data] of [
    [16, fromHex("ffffff")],
    [16, fromHex("ff")],
    [12, fromHex("ffff")],
    [0x7fff, fromHex("ffff")],
    [0, fromHex("ff")],
    [0, zeros.subarray(16)],
  ] as const)
    expect(decompressed(new PredictorDecompressor(), payloadOf(0x8000 | length, data, zeros.subarray(0, length)))).toBe(
      DAMAGED,
    );
});

test("50000 random packets use no more memory", () => {
  const rng = new Rng(9);
  const compressor = new PredictorCompressor();
  const decompressor = new PredictorDecompressor();
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
    if (rng.chance(0.01)) {
      out[rng.below(end)]! ^= 1 << rng.below(8);
      decompressor.decompress(out, 0, end, packet, 0);
      compressor.reset();
      decompressor.reset();
    } else if (decompressor.decompress(out, 0, end, packet, 0) !== length + 2) throw new Error(`packet ${count}`);
  }
  expect(used() - before).toBeLessThan(200_000);
});
