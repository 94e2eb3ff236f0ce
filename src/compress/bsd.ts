// BSD-Compress (RFC 1977): LZW with codes of 9 to 15 bits over all packets, whose dictionary is thrown away when it no
// longer pays.
//
// Payload: a sequence number of two octets, then the codes, most significant bit first, the last octet filled up with ones.
// A packet begins with its protocol, one octet; protocols outside 0x21 … 0xf9 are none of ours. Every packet starts with a
// fresh string, and the dictionary goes on. A packet that did not shrink goes out plain, and the receiver compresses it
// for the sake of the same dictionary. Sender and receiver count the same octets, and so agree when a full dictionary is
// to be cleared: the sender says CLEAR at the end of the packet that decided it (all counting as in the Linux kernel's
// and pppd's, which is stricter than the RFC).
//
// The dictionary is a tree: a code is a string, its children the strings one octet longer. The children of the 256 single
// octets have a table of their own, those of other codes are a list: a search is 255 steps at worst, whatever the peer
// chose to send, where a hash table has to hope.

import { put16, u16 } from "../bytes/be.ts";
import { MAX_FRAME } from "../frame/deframer.ts";
import { type Compressor, DAMAGED, type Decompressor, FATAL, PLAIN } from "./codec.ts";

const CLEAR = 256;
const MIN_BITS = 9;
const MAX_BITS = 15;
const SEQUENCE = 2;

/** Octets taken in from one look at the ratio to the next. */
const CHECK_GAP = 10_000;
/** Counts that reach this lose a quarter, so that the ratio is of the recent past. */
const COUNT_MAX = 0x7fffff;
/** The ratio is octets in over octets out, times this, rounded down. */
const RATIO_SCALE = 256;

const NOWHERE = new Uint8Array(0);

function isEligible(protocol: number): boolean {
  return protocol >= 0x21 && protocol <= 0xf9;
}

/** The dictionary of one direction and what decides when to clear it. Entries have codes from 257; 0 is no entry. */
class Dictionary {
  readonly maxCode: number;
  readonly prefix: Uint16Array;
  readonly suffix: Uint8Array;
  /** Octets of the string. */
  readonly length: Uint16Array;
  /** The code of two octets. */
  readonly #pairs = new Uint16Array(1 << 16);
  /** The child added last, and of a child its elder sibling << 8 | its own octet. */
  readonly #child: Uint16Array;
  readonly #sibling: Int32Array;

  /** The highest code given away. */
  last = CLEAR;
  /** Width of the next code. */
  bits = MIN_BITS;
  octetsIn = 0;
  octetsOut = 0;
  #checkpoint = CHECK_GAP;
  #ratio = 0;

  constructor(bits: number) {
    if (!(bits >= MIN_BITS && bits <= MAX_BITS)) throw new Error(`no BSD-Compress of ${bits} bits`);
    const codes = 1 << bits;
    this.maxCode = codes - 1;
    this.prefix = new Uint16Array(codes);
    this.suffix = new Uint8Array(codes);
    this.length = new Uint16Array(codes).fill(1, 0, CLEAR);
    this.#child = new Uint16Array(codes);
    this.#sibling = new Int32Array(codes);
  }

  clear(): void {
    this.#pairs.fill(0);
    this.#child.fill(0);
    this.last = CLEAR;
    this.bits = MIN_BITS;
    this.octetsIn = this.octetsOut = this.#ratio = 0;
    this.#checkpoint = CHECK_GAP;
  }

  /** To be called at the end of each packet. True: it is cleared, and the sender must say so. */
  check(): boolean {
    if (this.octetsIn < this.#checkpoint) return false;
    if (this.octetsIn >= COUNT_MAX || this.octetsOut >= COUNT_MAX) {
      this.octetsIn -= this.octetsIn >>> 2;
      this.octetsOut -= this.octetsOut >>> 2;
    }
    this.#checkpoint = this.octetsIn + CHECK_GAP;
    if (this.last < this.maxCode) return false;
    const ratio = Math.floor((this.octetsIn * RATIO_SCALE) / Math.max(this.octetsOut, 1));
    if (ratio < this.#ratio || ratio < RATIO_SCALE) {
      this.clear();
      return true;
    }
    this.#ratio = ratio;
    return false;
  }

  /**
   * Adds the string of `prefix` and one octet more under the next code; the caller has seen that there is one. A string
   * that has a code already (its sender does not look far) is `findable` by the older one only.
   */
  add(prefix: number, octet: number, findable = true): void {
    const code = ++this.last;
    this.prefix[code] = prefix;
    this.suffix[code] = octet;
    this.length[code] = this.length[prefix]! + 1;
    if (!findable) return;
    if (prefix < CLEAR) {
      this.#pairs[(prefix << 8) | octet] = code;
    } else {
      this.#sibling[code] = (this.#child[prefix]! << 8) | octet;
      this.#child[prefix] = code;
    }
  }

  /** The code of the string of `prefix` and one octet more, or 0. */
  find(prefix: number, octet: number): number {
    if (prefix < CLEAR) return this.#pairs[(prefix << 8) | octet]!;
    const sibling = this.#sibling;
    let code = this.#child[prefix]!;
    while (code !== 0) {
      const link = sibling[code]!;
      if ((link & 0xff) === octet) break;
      code = link >>> 8;
    }
    return code;
  }

  /**
   * Compresses a packet and writes the codes to out[at, limit), as far as they fit; returns where they would end. Does all
   * there is to do with the dictionary.
   */
  encode(
    protocol: number,
    packet: Uint8Array,
    start: number,
    end: number,
    out: Uint8Array,
    at: number,
    limit: number,
  ): number {
    const { maxCode } = this;
    let { bits } = this;
    let put = at;
    // Bits not written yet, fewer than eight between two codes.
    let hold = 0;
    let held = 0;
    let code = protocol;
    for (let from = start; ; from++) {
      const octet = from < end ? packet[from]! : 0;
      if (from < end) {
        const longer = this.find(code, octet);
        if (longer !== 0) {
          code = longer;
          continue;
        }
      }
      hold = (hold << bits) | code;
      for (held += bits; held >= 8; put++) {
        held -= 8;
        if (put < limit) out[put] = hold >>> held;
      }
      if (from === end) break;
      if (this.last < maxCode) {
        if (this.last >= (1 << bits) - 1) bits++;
        this.add(code, octet);
      }
      code = octet;
    }
    this.bits = this.last >= (1 << bits) - 1 && this.last < maxCode ? bits + 1 : bits;
    this.octetsIn += 1 + end - start;
    this.octetsOut += put - at + (held > 0 ? 1 : 0);
    if (this.check()) {
      hold = (hold << bits) | CLEAR;
      held += bits;
    }
    const padding = -held & 7;
    hold = (hold << padding) | ((1 << padding) - 1);
    for (held += padding; held > 0; put++) {
      held -= 8;
      if (put < limit) out[put] = hold >>> held;
    }
    return put;
  }
}

export class BsdCompressor implements Compressor {
  readonly overhead = 0;
  readonly #dictionary: Dictionary;
  #sequence = 0;

  /** `bits`: the longest code, 9 … 15. */
  constructor(bits: number) {
    this.#dictionary = new Dictionary(bits);
  }

  compress(protocol: number, packet: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
    if (!isEligible(protocol)) return PLAIN;
    const limit = at + end - start;
    put16(out, at, this.#sequence);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    const stop = this.#dictionary.encode(protocol, packet, start, end, out, at + SEQUENCE, limit);
    return stop < limit ? stop : PLAIN;
  }

  reset(): void {
    this.#dictionary.clear();
    this.#sequence = 0;
  }
}

export class BsdDecompressor implements Decompressor {
  readonly selfHealing = false;
  readonly #dictionary: Dictionary;
  /** Of the next packet. One with a code that cannot be does not count, so that nothing after it is believed either. */
  #sequence = 0;

  /** `bits`: the longest code, 9 … 15. */
  constructor(bits: number) {
    this.#dictionary = new Dictionary(bits);
  }

  decompress(packet: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
    if (end - start <= SEQUENCE || u16(packet, start) !== this.#sequence) return DAMAGED;
    const dictionary = this.#dictionary;
    const { prefix, suffix, length, maxCode } = dictionary;
    const limit = at + Math.min(MAX_FRAME, out.length - at);
    let put = at;
    let hold = 0;
    let held = 0;
    let before = CLEAR;
    let cleared = false;
    for (let from = start + SEQUENCE; from < end; from++) {
      hold = (hold << 8) | packet[from]!;
      held += 8;
      if (held < dictionary.bits) continue;
      held -= dictionary.bits;
      const code = hold >>> held;
      hold &= (1 << held) - 1;
      if (code === CLEAR) {
        // Only the end of a packet can say so, and then the packet is not counted.
        if (from + 1 < end) return FATAL;
        dictionary.clear();
        cleared = true;
        break;
      }
      // The sender may use the string it has just added, which is known here only by how it must begin: with what was before.
      const isNew = code > dictionary.last;
      if (isNew && (code !== dictionary.last + 1 || before === CLEAR)) return FATAL;
      let walk = isNew ? before : code;
      const stop = put + length[walk]!;
      if (stop + (isNew ? 1 : 0) > limit) return FATAL;
      let back = stop;
      while (walk > CLEAR) {
        out[--back] = suffix[walk]!;
        walk = prefix[walk]!;
      }
      out[--back] = walk;
      put = stop;
      if (isNew) out[put++] = walk;
      if (before !== CLEAR && dictionary.last < maxCode) {
        dictionary.add(before, walk, dictionary.find(before, walk) === 0);
        if (dictionary.last >= (1 << dictionary.bits) - 1 && dictionary.last < maxCode) dictionary.bits++;
      }
      before = code;
    }
    if (put === at) return FATAL;
    if (!cleared) {
      dictionary.octetsIn += put - at;
      dictionary.octetsOut += end - start - SEQUENCE;
      // The sender has come to the same conclusion: had it cleared its dictionary, it would have said so.
      dictionary.check();
    }
    this.#sequence = (this.#sequence + 1) & 0xffff;
    return put;
  }

  incompressible(protocol: number, packet: Uint8Array, start: number, end: number): void {
    if (!isEligible(protocol)) return;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#dictionary.encode(protocol, packet, start, end, NOWHERE, 0, 0);
  }

  reset(): void {
    this.#dictionary.clear();
    this.#sequence = 0;
  }
}
