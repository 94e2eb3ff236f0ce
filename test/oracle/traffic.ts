// Packets for tests of the codecs, and both sides of a codec with checks of the promises in src/compress/codec.ts.

import { expect } from "bun:test";
import { bytesOf } from "../../src/bytes/text.ts";
import type { Compressor, Decompressor } from "../../src/compress/codec.ts";
import { DAMAGED, ROOM } from "../../src/compress/codec.ts";
import { MAX_FRAME } from "../../src/frame/deframer.ts";
import type { Rng } from "../kit/rng.ts";

export interface Packet {
  readonly protocol: number;
  readonly bytes: Uint8Array;
}

const WORDS = "the of a link is up down frame and option peer reject ack timer octet number history reset open".split(
  " ",
);

function text(rng: Rng, length: number): Uint8Array {
  let text = "";
  while (text.length < length) text += rng.pick(WORDS) + rng.pick([" ", " ", " ", ", ", ".\n"]);
  return bytesOf(text.slice(0, length));
}

function runs(rng: Rng, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 1 + rng.below(rng.pick([4, 40, 1500]))) bytes.fill(rng.below(256), at);
  return bytes;
}

/**
 * Text, noise, runs and mixtures in packets of 1 to 1500 octets. The kinds come in stretches, so that learnt patterns
 * become useless.
 */
export function* traffic(rng: Rng, count: number): Generator<Packet> {
  const kinds = ["text", "text", "noise", "runs", "again", "mixed"] as const;
  let kind = rng.pick(kinds);
  let before = text(rng, 1500);
  for (let packet = 0; packet < count; packet++) {
    if (rng.chance(0.15)) kind = rng.pick(kinds);
    const length = rng.pick([1 + rng.below(8), 40, 1 + rng.below(300), 1 + rng.below(1500), 1500]);
    const make = kind === "text" ? text : kind === "runs" ? runs : (rng: Rng, length: number) => rng.bytes(length);
    let bytes = make(rng, length);
    if (kind === "again") bytes = before.slice(0, length);
    if (kind === "mixed") {
      bytes = text(rng, length);
      bytes.set(rng.bytes(length >> 2), length >> 1);
      for (let at = 0; at < length; at += 1 + rng.below(300)) bytes[at] = rng.below(256);
    }
    if (rng.chance(0.3)) bytes.set(before.subarray(0, Math.min(40, length)));
    if (length > 100) before = bytes;
    // Two NCPs among the network protocols: those must bypass the codec and not change it.
    yield { protocol: rng.pick([0x21, 0x21, 0x21, 0x21, 0x57, 0x2d, 0x2f, 0x2b, 0x281, 0x8021, 0xc021]), bytes };
  }
}

const FILL = 0xa5;
const AT = 9;

/**
 * The payload of a packet, or undefined for PLAIN. Checks that the compressor keeps to its room, its overhead and its
 * input.
 */
export function compressed(compressor: Compressor, { protocol, bytes }: Packet): Uint8Array | undefined {
  const input = new Uint8Array(AT + bytes.length + AT).fill(FILL);
  input.set(bytes, AT);
  const given = input.slice();
  const limit = AT + bytes.length + ROOM;
  const out = new Uint8Array(limit + 400).fill(FILL);
  const end = compressor.compress(protocol, input, AT, AT + bytes.length, out, AT);
  expect(input).toEqual(given);
  expect(out.subarray(0, AT).every((octet) => octet === FILL)).toBe(true);
  expect(out.subarray(limit).every((octet) => octet === FILL)).toBe(true);
  if (end < 0) {
    expect(end).toBe(-1);
    return undefined;
  }
  expect(end).toBeGreaterThan(AT);
  expect(end - AT).toBeLessThanOrEqual(bytes.length + compressor.overhead);
  return out.slice(AT, end);
}

/** The result of a payload, protocol and packet, or DAMAGED or FATAL. */
export function decompressed(decompressor: Decompressor, payload: Uint8Array): Uint8Array | number {
  const input = new Uint8Array(AT + payload.length + AT).fill(FILL);
  input.set(payload, AT);
  const out = new Uint8Array(AT + MAX_FRAME + AT).fill(FILL);
  const end = decompressor.decompress(input, AT, AT + payload.length, out, AT);
  expect(out.subarray(0, AT).every((octet) => octet === FILL)).toBe(true);
  expect(out.subarray(AT + MAX_FRAME).every((octet) => octet === FILL)).toBe(true);
  return end < 0 ? end : out.slice(AT, end);
}

/** A packet as it is inside a payload. A protocol may have lost its leading zero. */
export function packetOf(inside: Uint8Array | number): Packet {
  if (typeof inside === "number") throw new Error(`the payload was refused: ${inside}`);
  const first = inside[0] ?? 0;
  return first % 2 === 1
    ? { protocol: first, bytes: inside.slice(1) }
    : { protocol: 256 * first + (inside[1] ?? 0), bytes: inside.slice(2) };
}

export interface OracleEncoder {
  encode(protocol: number, packet: Uint8Array): Uint8Array | undefined;
}

export interface OracleDecoder {
  decode(payload: Uint8Array): Uint8Array;
  plain?(protocol: number, packet: Uint8Array): void;
}

/** The number of compressed packets and of plain ones. */
export interface Tally {
  compressed: number;
  plain: number;
}

/** An oracle reads the compressor's packets. */
export function oracleReads(compressor: Compressor, oracle: OracleDecoder, packets: Iterable<Packet>): Tally {
  const tally = { compressed: 0, plain: 0 };
  for (const packet of packets) {
    const payload = compressed(compressor, packet);
    if (payload === undefined) {
      oracle.plain?.(packet.protocol, packet.bytes);
      tally.plain++;
    } else {
      expect(packetOf(oracle.decode(payload))).toEqual(packet);
      tally.compressed++;
    }
  }
  return tally;
}

/** The decompressor reads an oracle's packets, with packets of NCPs and LCP between them. */
export function oracleWrites(oracle: OracleEncoder, decompressor: Decompressor, packets: Iterable<Packet>): Tally {
  const tally = { compressed: 0, plain: 0 };
  for (const packet of packets) {
    const { protocol, bytes } = packet;
    const payload = protocol < 0x4000 ? oracle.encode(protocol, bytes) : undefined;
    if (payload === undefined) {
      decompressor.incompressible(protocol, bytes, 0, bytes.length);
      tally.plain++;
    } else {
      expect(packetOf(decompressed(decompressor, payload))).toEqual(packet);
      tally.compressed++;
    }
  }
  return tally;
}

/**
 * Sends an oracle's packets over a line that loses some, with reset requests and acknowledgements, some packets late.
 * No packet may be decompressed wrongly, and soon after the last loss all must be decompressed. `acknowledges`: a
 * Reset-Ack answers.
 */
export function lossyLine(
  rng: Rng,
  oracle: OracleEncoder & { reset(): void },
  decompressor: Decompressor,
  acknowledges: boolean,
  packets: readonly Packet[],
): Tally {
  const tally = { compressed: 0, plain: 0 };
  let isWaiting = false;
  let refused = 0;
  /** The number of packets until the oracle receives the request. */
  let late = Infinity;
  packets.forEach(({ protocol, bytes }, at) => {
    const isQuiet = at >= packets.length - 60;
    if (late-- === 0) {
      late = Infinity;
      oracle.reset();
      if (acknowledges && (isQuiet || rng.chance(0.9))) {
        decompressor.reset();
        isWaiting = false;
      }
    }
    const payload = protocol < 0x4000 ? oracle.encode(protocol, bytes) : undefined;
    if (!isQuiet && rng.chance(0.1)) return;
    if (payload === undefined) {
      if (!isWaiting) decompressor.incompressible(protocol, bytes, 0, bytes.length);
      tally.plain++;
      return;
    }
    const found = isWaiting && !decompressor.selfHealing ? DAMAGED : decompressed(decompressor, payload);
    if (typeof found === "number") {
      expect(found).toBe(DAMAGED);
      if (isQuiet) expect(++refused).toBeLessThan(8);
      isWaiting = true;
      if (late === Infinity) late = rng.below(4);
    } else {
      expect(packetOf(found)).toEqual({ protocol, bytes });
      tally.compressed++;
    }
  });
  return tally;
}
