// Stac LZS (RFC 1974) with one history, in both directions and all five check modes, written for clarity.
//
// Protocol and packet are compressed. Mode 0 has no check. Mode 1 begins with the exclusive or of ff and all octets,
// mode 2 with their FCS-16, mode 3 with a sequence number of one octet. Mode 4 (extended) begins with A (the history
// was cleared before this packet), two unused bits around C (the rest is compressed) and a count of twelve bits.

import type { Rng } from "../kit/rng.ts";
import { fcs16Oracle } from "./fcs32-oracle.ts";

export const LZS_MODES = [0, 1, 2, 3, 4] as const;

const WINDOW = 2047;
const FLUSHED = 0x8000;
const COMPRESSED = 0x2000;
const END_MARKER = "110000000";

type Token =
  { readonly literal: number } | { readonly offset: number; readonly length: number; readonly isLong: boolean };

function binary(value: number, width: number): string {
  return value.toString(2).padStart(width, "0");
}

/** The bits of a code. An offset that fits seven bits may be written with eleven. */
export function tokenBits(token: Token): string {
  if ("literal" in token) return `0${binary(token.literal, 8)}`;
  const { offset, length, isLong } = token;
  const where = offset > 127 || isLong ? `10${binary(offset, 11)}` : `11${binary(offset, 7)}`;
  if (length <= 4) return where + binary(length - 2, 2);
  if (length <= 7) return where + binary(12 + length - 5, 4);
  return `${where}1111${"1111".repeat(Math.floor((length - 8) / 15))}${binary((length - 8) % 15, 4)}`;
}

export function bitsToOctets(bits: string): number[] {
  const octets: number[] = [];
  for (let at = 0; at < bits.length; at += 8) octets.push(parseInt(bits.slice(at, at + 8).padEnd(8, "0"), 2));
  return octets;
}

/** The check value before the compressed data, in modes that have one over the data. */
function checkOf(mode: number, input: readonly number[]): number[] {
  if (mode === 1) return [input.reduce((lcb, octet) => lcb ^ octet, 0xff)];
  return mode === 2 ? fcs16Oracle(input) : [];
}

export class LzsOracleEncoder {
  readonly #mode: number;
  readonly #rng: Rng | undefined;
  /** All octets since the history was last cleared, and the places of each pair of octets in it. */
  #past: number[] = [];
  #pairs = new Map<number, number[]>();
  #count: number;
  #isFlushed = true;
  #isFirst = true;

  /**
   * With `rng`, it uses any form that means the same: literals although there is a match, shorter or nearer matches,
   * long forms of short offsets, short forms of the protocol, zeros deleted, kept or added at the end. Some packets
   * that do not shrink are sent compressed, and some that do are sent plain.
   */
  constructor(mode: number, rng?: Rng) {
    this.#mode = mode;
    this.#rng = rng;
    this.#count = mode === 4 && rng !== undefined ? rng.below(4096) : 1;
  }

  /** The payload, or undefined for a packet that is sent plain. */
  encode(protocol: number, packet: Uint8Array): Uint8Array | undefined {
    const mode = this.#mode;
    const full = [protocol >> 8, protocol & 0xff];
    const input = [...(mode !== 4 && protocol < 0x100 && this.#chance(0.5) ? [protocol] : full), ...packet];
    const octets = bitsToOctets(this.#compress(input));
    const grows = octets.length > input.length;
    if ((grows && !this.#chance(0.3)) || this.#chance(0.05)) {
      this.#clear();
      if (mode !== 4 || this.#chance(0.3)) return undefined;
      // A is on this packet, or on the next compressed one. It is always on the first, so that the count has a start.
      return this.#extended([...full, ...packet], this.#isFirst || this.#chance(0.5) ? FLUSHED : 0);
    }
    if (mode === 4) {
      const flags = COMPRESSED + (this.#isFlushed ? FLUSHED : 0);
      this.#isFlushed = false;
      return this.#extended(octets, flags);
    }
    // A last octet of zero may be left out, and the receiver adds one. Some implementations send one too many.
    if (octets.at(-1) === 0 && this.#chance(0.5)) octets.pop();
    else if (this.#chance(0.1)) octets.push(0);
    const check = mode === 3 ? [this.#count++ % 256] : checkOf(mode, input);
    return Uint8Array.from([...check, ...octets]);
  }

  /** The peer sent a Reset-Request. The numbers continue. */
  reset(): void {
    this.#clear();
  }

  #chance(probability: number): boolean {
    return this.#rng?.chance(probability) ?? false;
  }

  #clear(): void {
    this.#past = [];
    this.#pairs.clear();
    this.#isFlushed = true;
  }

  #extended(octets: readonly number[], flags: number): Uint8Array {
    const header = flags + (this.#count++ % 4096);
    this.#isFirst = false;
    return Uint8Array.from([header >> 8, header & 0xff, ...octets]);
  }

  #compress(input: readonly number[]): string {
    const past = this.#past;
    let at = past.length;
    let bits = "";
    for (const octet of input) past.push(octet);
    while (at < past.length) {
      const token = this.#match(at) ?? { literal: past[at] ?? 0 };
      bits += tokenBits(token);
      const stop = at + ("literal" in token ? 1 : token.length);
      // Pairs that end in the present packet: the history reaches up to them.
      for (; at < stop; at++) if (at > 0) this.#placesOf(at - 1).push(at - 1);
    }
    return bits + END_MARKER;
  }

  /** The places within the window of the pair of octets that begins at `at`. */
  #placesOf(at: number): number[] {
    const pair = 256 * (this.#past[at] ?? 0) + (this.#past[at + 1] ?? 0);
    const places = (this.#pairs.get(pair) ?? []).filter((place) => at - place <= WINDOW);
    this.#pairs.set(pair, places);
    return places;
  }

  #match(at: number): Token | undefined {
    const past = this.#past;
    const rng = this.#rng;
    const lengthAt = (place: number): number => {
      let length = 0;
      while (at + length < past.length && past[place + length] === past[at + length]) length++;
      return length;
    };
    if (at === 0 || at + 1 >= past.length || this.#chance(0.05)) return undefined;
    // A run copies the octet before it, so the source need not be complete when copying begins.
    const places = [...this.#placesOf(at), at - 1];
    const tried = rng === undefined ? places : [rng.pick(places), rng.pick(places), at - 1];
    const lengths = tried.map(lengthAt);
    let length = Math.max(...lengths);
    const offset = at - (tried[lengths.indexOf(length)] ?? 0);
    if (length < 2) return undefined;
    if (rng?.chance(0.2)) length = 2 + rng.below(length - 1);
    return { offset, length, isLong: this.#chance(0.05) };
  }
}

export class LzsOracleDecoder {
  readonly #mode: number;
  #history: number[] = [];
  /** Undefined: any number may come first. */
  #count: number | undefined;
  /** Extended mode: the next compressed packet must report that the history was cleared. */
  #needsFlush = false;

  constructor(mode: number) {
    this.#mode = mode;
    this.#count = mode === 3 ? 1 : undefined;
  }

  /** Protocol and packet. Throws when the payload is not what a compressor in step with us sends. */
  decode(payload: Uint8Array): Uint8Array {
    const mode = this.#mode;
    const check = [...payload.subarray(0, [0, 1, 2, 1, 2][mode])];
    const rest = payload.subarray(check.length);
    if (mode === 3) {
      this.#expect(check[0] ?? -1, 256);
    } else if (mode === 4) {
      const flags = 256 * (check[0] ?? 0) + (check[1] ?? 0);
      if ((flags & 0x5000) !== 0) throw new Error("LZS: unused bits are set");
      this.#expect(flags % 4096, 4096);
      if ((flags & FLUSHED) !== 0) {
        this.#history = [];
        this.#needsFlush = false;
      }
      if ((flags & COMPRESSED) === 0) {
        // It is not a part of the history, and the compressor starts again after it.
        this.#history = [];
        return rest;
      }
      if (this.#needsFlush) throw new Error("LZS: A is not set after a reset");
    }
    const output = this.#decompress(rest);
    if (mode === 1 || mode === 2) {
      const wanted = checkOf(mode, output);
      if (check.join() !== wanted.join()) throw new Error(`LZS: check ${check.join()}, not ${wanted.join()}`);
    }
    return Uint8Array.from(output);
  }

  /** A packet came plain: the compressor clears its history if it would compress this packet. */
  plain(protocol: number): void {
    if (protocol >= 0x21 && protocol <= 0xf9) this.#history = [];
  }

  /** Our Reset-Request was answered. In extended mode the compressor itself reports it. */
  reset(): void {
    if (this.#mode === 4) this.#needsFlush = true;
    else this.#history = [];
  }

  #expect(count: number, modulus: number): void {
    if (this.#count !== undefined && count !== this.#count) throw new Error(`LZS: number ${count}, not ${this.#count}`);
    this.#count = (count + 1) % modulus;
  }

  #decompress(octets: Uint8Array): number[] {
    // The zero octet that may have been deleted. In extended mode none is.
    const inserted = this.#mode === 4 ? "" : "00000000";
    const bits = [...octets].map((octet) => binary(octet, 8)).join("") + inserted;
    const start = this.#history.length;
    let at = 0;
    const take = (width: number): number => {
      if (at + width > bits.length) throw new Error("LZS: no end marker");
      at += width;
      return parseInt(bits.slice(at - width, at), 2);
    };
    for (;;) {
      if (take(1) === 0) {
        this.#history.push(take(8));
        continue;
      }
      const isShort = take(1) === 1;
      const offset = take(isShort ? 7 : 11);
      if (isShort && offset === 0) break;
      let length = take(2) + 2;
      if (length === 5) length = take(2) + 5;
      if (length === 8) {
        let more = 15;
        while (more === 15) length += more = take(4);
      }
      for (; length > 0; length--) {
        const octet = this.#history.at(-offset);
        if (offset === 0 || octet === undefined) throw new Error(`LZS: offset ${offset} leads out of the history`);
        this.#history.push(octet);
      }
    }
    const padding = bits.slice(at, bits.length - inserted.length);
    if (padding.length >= 16 || padding.includes("1")) throw new Error(`LZS: ${padding} behind the end marker`);
    const output = this.#history.slice(start);
    this.#history = this.#history.slice(-2048);
    return output;
  }
}
