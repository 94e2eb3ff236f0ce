// BSD-Compress (RFC 1977) in both directions, written for clarity, with its packet format.

import type { Rng } from "../kit/rng.ts";

const CLEAR = 256;
const CHECK_GAP = 10000;
const RATIO_MAX = 0x7fffff;

/** Only packets of these protocols are compressed. Others do not change the dictionary or the sequence number. */
export function isBsdProtocol(protocol: number): boolean {
  return protocol >= 0x21 && protocol <= 0xf9;
}

/** The dictionary and the ratio check of both ends, and their update by a packet, which both ends need. */
class Dictionary {
  readonly top: number;
  /** The code of the string `prefix` + `octet`, found by 256 * prefix + octet. */
  codes = new Map<number, number>();
  /** The string of a code above CLEAR. */
  strings = new Map<number, number[]>();
  newest = CLEAR;
  width = 9;
  sequence = 0;
  clears = 0;
  #taken = 0;
  #given = 0;
  #checkpoint = CHECK_GAP;
  #ratio = 0;

  constructor(bits: number) {
    this.top = 2 ** bits - 1;
  }

  clear(): void {
    this.codes.clear();
    this.strings.clear();
    this.newest = CLEAR;
    this.width = 9;
    this.#taken = this.#given = this.#ratio = 0;
    this.#checkpoint = CHECK_GAP;
    this.clears++;
  }

  string(code: number): number[] {
    const string = code < CLEAR ? [code] : this.strings.get(code);
    if (string === undefined) throw new Error(`BSD: code ${code}, the newest is ${this.newest}`);
    return string;
  }

  isFull(): boolean {
    return this.newest >= this.top;
  }

  add(prefix: number, octet: number): void {
    this.newest++;
    this.codes.set(256 * prefix + octet, this.newest);
    this.strings.set(this.newest, [...this.string(prefix), octet]);
  }

  /** Called before a code is written or read. The width may grow. */
  grow(): void {
    if (this.newest >= 2 ** this.width - 1 && !this.isFull()) this.width++;
  }

  /** The codes of a packet whose first octet is its protocol, with the width of each. */
  walk(input: readonly number[]): [number, number][] {
    const written: [number, number][] = [];
    let prefix = input[0] ?? 0;
    for (const octet of input.slice(1)) {
      const known = this.codes.get(256 * prefix + octet);
      if (known !== undefined) {
        prefix = known;
        continue;
      }
      written.push([prefix, this.width]);
      if (!this.isFull()) {
        this.grow();
        this.add(prefix, octet);
      }
      prefix = octet;
    }
    written.push([prefix, this.width]);
    return written;
  }

  /** The end of a packet of `taken` octets that became `given`. True: the dictionary was cleared, and CLEAR is due. */
  check(taken: number, given: number): boolean {
    this.#taken += taken;
    this.#given += given;
    if (this.#taken < this.#checkpoint) return false;
    if (this.#taken >= RATIO_MAX || this.#given >= RATIO_MAX) {
      this.#taken -= Math.floor(this.#taken / 4);
      this.#given -= Math.floor(this.#given / 4);
    }
    this.#checkpoint = this.#taken + CHECK_GAP;
    if (!this.isFull()) return false;
    const ratio = Math.floor((256 * this.#taken) / this.#given);
    if (ratio >= this.#ratio && ratio >= 256) {
      this.#ratio = ratio;
      return false;
    }
    this.clear();
    return true;
  }

  /** Updates the dictionary with a packet. Returns its codes, with CLEAR if it was due. */
  take(protocol: number, packet: Uint8Array): [number, number][] {
    const input = [protocol, ...packet];
    const written = this.walk(input);
    this.grow();
    const { width } = this;
    this.sequence = (this.sequence + 1) % 65536;
    if (this.check(input.length, octetsOf(written))) written.push([CLEAR, width]);
    return written;
  }
}

function octetsOf(written: readonly [number, number][]): number {
  return Math.ceil(written.reduce((bits, [, width]) => bits + width, 0) / 8);
}

export class BsdOracleEncoder {
  readonly #dictionary: Dictionary;
  readonly #rng: Rng | undefined;

  /** With `rng`, the dictionary is sometimes cleared and packets are sent plain without need. */
  constructor(bits: number, rng?: Rng) {
    this.#dictionary = new Dictionary(bits);
    this.#rng = rng;
  }

  get clears(): number {
    return this.#dictionary.clears;
  }

  /** The payload, or undefined for a packet that is sent plain. */
  encode(protocol: number, packet: Uint8Array): Uint8Array | undefined {
    const dictionary = this.#dictionary;
    if (!isBsdProtocol(protocol)) return undefined;
    const sequence = [dictionary.sequence >> 8, dictionary.sequence & 0xff];
    const { clears } = dictionary;
    const written = dictionary.take(protocol, packet);
    if (octetsOf(written) + 2 >= packet.length + 2 || this.#rng?.chance(0.05)) return undefined;
    if (dictionary.clears === clears && this.#rng?.chance(0.02)) {
      written.push([CLEAR, dictionary.width]);
      dictionary.clear();
    }
    const bits = written.flatMap(([code, width]) => [...code.toString(2).padStart(width, "0")]);
    while (bits.length % 8 !== 0) bits.push("1");
    const octets: number[] = [];
    for (let at = 0; at < bits.length; at += 8) octets.push(parseInt(bits.slice(at, at + 8).join(""), 2));
    return Uint8Array.from([...sequence, ...octets]);
  }

  reset(): void {
    this.#dictionary.clear();
    this.#dictionary.sequence = 0;
  }
}

export class BsdOracleDecoder {
  readonly #dictionary: Dictionary;

  constructor(bits: number) {
    this.#dictionary = new Dictionary(bits);
  }

  get clears(): number {
    return this.#dictionary.clears;
  }

  /** Protocol, as one octet, and packet. Throws when the payload is not what a compressor in step with us sends. */
  decode(payload: Uint8Array): Uint8Array {
    const dictionary = this.#dictionary;
    const sequence = 256 * (payload[0] ?? -1) + (payload[1] ?? -1);
    if (sequence !== dictionary.sequence) throw new Error(`BSD: sequence ${sequence}, not ${dictionary.sequence}`);
    dictionary.sequence = (sequence + 1) % 65536;
    const bits = [...payload.subarray(2)].map((octet) => octet.toString(2).padStart(8, "0")).join("");
    const output: number[] = [];
    let at = 0;
    let before: number | undefined;
    let isCleared = false;
    while (at + dictionary.width <= bits.length && !isCleared) {
      const code = parseInt(bits.slice(at, at + dictionary.width), 2);
      at += dictionary.width;
      if (code === CLEAR) {
        isCleared = true;
        break;
      }
      // The string before and its own first octet: the only code that may be used before it is known.
      const prefix = before === undefined ? undefined : dictionary.string(before);
      const isNext = prefix !== undefined && code === dictionary.newest + 1 && !dictionary.isFull();
      const string = isNext ? [...prefix, ...prefix.slice(0, 1)] : dictionary.string(code);
      output.push(...string);
      if (before !== undefined && !dictionary.isFull()) {
        dictionary.add(before, string[0] ?? 0);
        dictionary.grow();
      }
      before = code;
    }
    const rest = bits.slice(at);
    if (rest.length >= 8 || rest.includes("0")) throw new Error(`BSD: ${rest} where there should be padding`);
    if (isCleared) dictionary.clear();
    else if (dictionary.check(output.length, payload.length - 2)) throw new Error("BSD: it was time for a CLEAR");
    return Uint8Array.from(output);
  }

  /** Handles a packet that came plain. */
  plain(protocol: number, packet: Uint8Array): void {
    if (isBsdProtocol(protocol)) this.#dictionary.take(protocol, packet);
  }

  reset(): void {
    this.#dictionary.clear();
    this.#dictionary.sequence = 0;
  }
}
