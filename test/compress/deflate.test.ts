import { expect, test } from "bun:test";
import { constants, createDeflateRaw, deflateRawSync, inflateRawSync } from "node:zlib";
import { put16 } from "../../src/bytes/be.ts";
import { bytesOf, fromHex, toHex } from "../../src/bytes/text.ts";
import { DAMAGED, FATAL, PLAIN } from "../../src/compress/codec.ts";
import { DeflateCompressor, DeflateDecompressor } from "../../src/compress/deflate.ts";
import { MAX_FRAME } from "../../src/frame/deframer.ts";
import { damaged } from "../kit/codec.ts";
import { Rng, withRng } from "../kit/rng.ts";
import { compressed, decompressed, type Packet, packetOf, traffic } from "../oracle/traffic.ts";

// The same packet three times in PPP Deflate (RFC 1979 §2.2): zlib's level 6, window 15.
const PACKET: Packet = {
  protocol: 0x21,
  bytes: fromHex(
    "450000340001000040110000c0a80001c0a8000248656c6c6f2c2048656c6c6f2c2048656c6c6f2c205050502050505020505050",
  ),
};
const PAYLOADS = [
  "00005274656030616064607010646038b082811188993c527372f2751450a9808000180600",
  "00015224471300",
  "0002224b1300",
];

const { Z_SYNC_FLUSH } = constants;
const TRAILER = [0x00, 0x00, 0xff, 0xff];

function isEligible(protocol: number): boolean {
  return protocol <= 0x3fff && protocol !== 0xfd && protocol !== 0xfb;
}

/** The packet as the stream contains it. */
function inside({ protocol, bytes }: Packet): Uint8Array {
  return protocol > 0xff ? Uint8Array.of(protocol >> 8, protocol & 0xff, ...bytes) : Uint8Array.of(protocol, ...bytes);
}

function stored(octets: Uint8Array): Uint8Array {
  const { length } = octets;
  return Uint8Array.of(0, length & 0xff, length >> 8, ~length & 0xff, (~length >> 8) & 0xff, ...octets);
}

function payloadOf(sequence: number, deflated: Uint8Array): Uint8Array {
  const payload = new Uint8Array(2 + deflated.length);
  payload.set(deflated, put16(payload, 0, sequence));
  return payload;
}

/** Both ends process the packet. Returns whether it was sent compressed. */
function pass(compressor: DeflateCompressor, decompressor: DeflateDecompressor, packet: Packet): boolean {
  const payload = compressed(compressor, packet);
  if (payload === undefined) decompressor.incompressible(packet.protocol, packet.bytes, 0, packet.bytes.length);
  else {
    expect(packetOf(decompressed(decompressor, payload))).toEqual(packet);
    expect(payload.length).toBeLessThan(packet.bytes.length);
  }
  return payload !== undefined;
}

test("the known packets are one deflate stream to zlib", () => {
  const stream = PAYLOADS.flatMap((payload) => [fromHex(payload).subarray(2), Uint8Array.from(TRAILER)]);
  const packets = Buffer.concat(PAYLOADS.map(() => inside(PACKET)));
  expect(inflateRawSync(Buffer.concat(stream), { finishFlush: Z_SYNC_FLUSH }).equals(packets)).toBe(true);
});

test("the known packets are written and read, octet for octet", () => {
  const compressor = new DeflateCompressor(15);
  const decompressor = new DeflateDecompressor(15);
  for (const payload of PAYLOADS) {
    expect(toHex(compressed(compressor, PACKET) ?? new Uint8Array())).toBe(payload);
    expect(packetOf(decompressed(decompressor, fromHex(payload)))).toEqual(PACKET);
  }
});

test("what we send is one deflate stream to zlib with any window, in which plain packets are stored blocks", () =>
  withRng((rng) => {
    for (let window = 8; window <= 15; window++) {
      const compressor = new DeflateCompressor(window);
      const decompressor = new DeflateDecompressor(window);
      const stream: Uint8Array[] = [];
      const packets: Uint8Array[] = [];
      let plain = 0;
      for (const packet of traffic(rng, 120)) {
        const payload = compressed(compressor, packet);
        if (payload !== undefined) {
          expect(payload.length).toBeLessThan(packet.bytes.length);
          expect(packetOf(decompressed(decompressor, payload))).toEqual(packet);
          stream.push(payload.subarray(2), Uint8Array.from(TRAILER));
        } else {
          decompressor.incompressible(packet.protocol, packet.bytes, 0, packet.bytes.length);
          if (!isEligible(packet.protocol)) continue;
          stream.push(stored(inside(packet)));
          plain++;
        }
        packets.push(inside(packet));
      }
      // There is so little room for output that zlib can copy only from its window of this size.
      const options = { windowBits: window, chunkSize: 64, finishFlush: Z_SYNC_FLUSH };
      expect(inflateRawSync(Buffer.concat(stream), options).equals(Buffer.concat(packets))).toBe(true);
      expect(packets.length - plain).toBeGreaterThan(10);
      expect(plain).toBeGreaterThan(0);
    }
  }));

test("what zlib sends at any level is understood, with plain packets in between", () =>
  withRng(async (rng) => {
    for (const level of [1, 6, 9]) {
      const stream = createDeflateRaw({ level, windowBits: 9 + rng.below(7) });
      const decompressor = new DeflateDecompressor(15);
      let sequence = 0;
      for (const packet of traffic(rng, 100)) {
        if (!isEligible(packet.protocol)) {
          decompressor.incompressible(packet.protocol, packet.bytes, 0, packet.bytes.length);
          continue;
        }
        stream.write(inside(packet));
        await new Promise<void>((resolve) => stream.flush(Z_SYNC_FLUSH, () => resolve()));
        const parts: Buffer[] = [];
        for (let part: Buffer | null; (part = stream.read()) !== null;) parts.push(part);
        const block = Buffer.concat(parts);
        expect([...block.subarray(-4)]).toEqual(TRAILER);
        if (rng.chance(0.3)) decompressor.incompressible(packet.protocol, packet.bytes, 0, packet.bytes.length);
        else {
          const payload = payloadOf(sequence, block.subarray(0, -4));
          expect(packetOf(decompressed(decompressor, payload))).toEqual(packet);
        }
        sequence++;
      }
      stream.destroy();
    }
  }));

test("other protocols are left alone and change nothing", () => {
  const compressor = new DeflateCompressor(15);
  const decompressor = new DeflateDecompressor(15);
  for (const protocol of [0xfd, 0xfb, 0x4021, 0x8021, 0xc021]) {
    expect(compressed(compressor, { ...PACKET, protocol })).toBeUndefined();
    decompressor.incompressible(protocol, PACKET.bytes, 0, PACKET.bytes.length);
  }
  expect(toHex(compressed(compressor, PACKET) ?? new Uint8Array())).toBe(PAYLOADS[0]!);
  expect(packetOf(decompressed(decompressor, fromHex(PAYLOADS[0]!)))).toEqual(PACKET);
});

test("a packet longer than any frame goes plain and does no harm", () =>
  withRng((rng) => {
    for (const length of [MAX_FRAME - 2, MAX_FRAME - 1, MAX_FRAME, MAX_FRAME + 1, 40_000]) {
      const compressor = new DeflateCompressor(15);
      const decompressor = new DeflateDecompressor(15);
      expect(pass(compressor, decompressor, { protocol: 0x21, bytes: rng.bytes(length) })).toBe(false);
      for (let count = 0; count < 3; count++) expect(pass(compressor, decompressor, PACKET)).toBe(true);
    }
  }));

test("a lost packet, compressed or plain, is noticed until both ends are reset; the number wraps", () =>
  withRng((rng) => {
    const compressor = new DeflateCompressor(12);
    const decompressor = new DeflateDecompressor(12);
    const out = new Uint8Array(64);
    for (const lost of [PACKET, { protocol: 0x21, bytes: rng.bytes(100) }]) {
      for (let count = 0; count < 3; count++) expect(pass(compressor, decompressor, PACKET)).toBe(true);
      compressed(compressor, lost);
      for (let count = 0; count < 3; count++)
        expect(decompressed(decompressor, compressed(compressor, PACKET) ?? new Uint8Array())).toBe(DAMAGED);
      compressor.reset();
      decompressor.reset();
    }
    const octet = Uint8Array.of(7);
    for (let count = 0; count < 0xffff; count++) {
      if (compressor.compress(0x21, octet, 0, 1, out, 0) !== PLAIN) throw new Error("an octet got shorter");
      decompressor.incompressible(0x21, octet, 0, 1);
    }
    for (let count = 0; count < 3; count++) expect(pass(compressor, decompressor, PACKET)).toBe(true);
  }));

test("noise is sent plain, mostly without a try, and text among it and repeated noise are compressed", () =>
  withRng((rng) => {
    const compressor = new DeflateCompressor(15);
    const decompressor = new DeflateDecompressor(15);
    const noise = (): Packet => ({ protocol: 0x21, bytes: rng.bytes(1500) });
    for (let count = 0; count < 40; count++) {
      expect(pass(compressor, decompressor, noise())).toBe(false);
      if (count % 3 === 0) pass(compressor, decompressor, { protocol: 0x57, bytes: bytesOf("so be it ".repeat(80)) });
    }
    const again = noise();
    let plain = 0;
    while (!pass(compressor, decompressor, again)) expect(++plain).toBeLessThan(18);
    expect(pass(compressor, decompressor, again)).toBe(true);
  }));

test("of noise, the packets after 1, 3, 7 and then 15 others are tried, and after a success the next one", () => {
  const rng = new Rng(4);
  const [again, ...others] = Array.from({ length: 50 }, () => ({ protocol: 0x21, bytes: rng.bytes(600) }));
  /** Whether the packet is compressed that repeats the first one, after so many others. */
  const isTried = (count: number): boolean => {
    const compressor = new DeflateCompressor(15);
    for (const one of [again!, ...others.slice(0, count - 1)]) expect(compressed(compressor, one)).toBeUndefined();
    const tried = compressed(compressor, again!) !== undefined;
    expect(compressed(compressor, again!) !== undefined).toBe(tried || isTriedAt(count + 1));
    return tried;
  };
  const TRIED = [2, 6, 14, 30, 46];
  const isTriedAt = (count: number): boolean => TRIED.includes(count);
  for (let count = 1; count < 49; count++) expect([count, isTried(count)]).toEqual([count, isTriedAt(count)]);
});

test("truncated packets and single wrong bits do no harm, and after a reset packets pass again", () => {
  const decompressor = new DeflateDecompressor(15);
  const rng = new Rng(5);
  const noise = { protocol: 0x21, bytes: rng.bytes(60) };
  const both = { protocol: 0x57, bytes: bytesOf(`${"now and then ".repeat(4)}; never, ${"then and now ".repeat(4)}`) };
  const compressor = new DeflateCompressor(15);
  const payloads = [PACKET, both, noise, PACKET, both].map(
    (packet) => [packet, compressed(compressor, packet)] as const,
  );
  for (const [last, [packet, payload]] of payloads.entries()) {
    const whole = payload ?? payloadOf(last, stored(inside(packet)).subarray(0, -1));
    const stoppedAt = payload ? whole.length : 0;
    for (const bad of damaged(whole)) {
      for (const [packet, payload] of payloads.slice(0, last))
        if (payload) expect(packetOf(decompressed(decompressor, payload))).toEqual(packet);
        else decompressor.incompressible(packet.protocol, packet.bytes, 0, packet.bytes.length);
      const result = decompressed(decompressor, bad);
      if (bad.length < stoppedAt) expect([DAMAGED, FATAL]).toContain(Number(result));
      if (bad.length > 2 && (bad[1] !== last || bad[0] !== 0)) expect(result).toBe(DAMAGED);
      if (typeof result === "number") expect(decompressed(decompressor, bad)).toBeNumber();
      decompressor.reset();
    }
  }
});

test("impossible streams are FATAL, and no later packet is accepted", () => {
  const text = bytesOf("!to be, or not to be, that is the question");
  const sync = deflateRawSync(text, { finishFlush: Z_SYNC_FLUSH });
  const plain = stored(text);
  for (const [why, deflated] of Object.entries({
    "a block type that is none": Uint8Array.of(0x06),
    "a last block": deflateRawSync(text),
    "the trailer not left out": sync,
    "the flush not done": sync.subarray(0, -5),
    "a match before the beginning": fromHex("02020000"),
    "a stored block that lies": fromHex("000100ffff0000"),
    "a stored block four octets short": plain.subarray(0, -4),
    "nothing in it": Uint8Array.of(0x00),
  })) {
    const decompressor = new DeflateDecompressor(15);
    expect([why, decompressed(decompressor, payloadOf(0, deflated))]).toEqual([why, FATAL]);
    expect(decompressed(decompressor, payloadOf(1, sync.subarray(0, -4)))).toBe(DAMAGED);
    decompressor.reset();
    expect(decompressed(decompressor, payloadOf(0, sync.subarray(0, -4)))).toEqual(text);
  }
  const short = new DeflateDecompressor(15);
  expect(decompressed(short, Uint8Array.of(0, 0))).toBe(DAMAGED);
  expect(decompressed(short, new Uint8Array())).toBe(DAMAGED);
});

test("a payload gives MAX_FRAME octets at most", () => {
  for (const [octets, isFatal] of [
    [MAX_FRAME, false],
    [MAX_FRAME + 1, true],
    [10_000_000, true],
  ] as const) {
    const block = deflateRawSync(new Uint8Array(octets).fill(0x21), { finishFlush: Z_SYNC_FLUSH });
    const result = decompressed(new DeflateDecompressor(15), payloadOf(0, block.subarray(0, -4)));
    expect(typeof result === "number" ? result : result.length).toBe(isFatal ? FATAL : octets);
  }
});

test("50000 random packets use no more memory", () => {
  const rng = new Rng(9);
  const compressor = new DeflateCompressor(15);
  const decompressor = new DeflateDecompressor(15);
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
    const length = 1 + rng.below(60);
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
