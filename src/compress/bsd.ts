// BSD-Compress (RFC 1977): LZW with codes of 9 to 15 bits over all packets. The dictionary is cleared when it no longer
// compresses well.
//
// The payload is a sequence number of two octets and then the codes, most significant bit first. The last octet is
// filled up with ones. A packet begins with its protocol as one octet. Protocols outside 0x21 … 0xf9 are not
// compressed. Every packet starts a new string, and the dictionary is kept. A packet that does not shrink is sent
// plain, and the receiver compresses it to keep the same dictionary. Sender and receiver count the same octets, so they
// agree when a full dictionary is to be cleared. The sender writes CLEAR at the end of the packet that decided it. All
// counting is that of the Linux kernel and of pppd, which is stricter than the RFC.
//
// The dictionary is a tree: a code is a string, and its children are the strings that are one octet longer. The
// children of the 256 single octets have a table of their own. Those of other codes are a list, so a search takes 255
// steps at most, whatever the peer sends. A hash table has no such limit.

import { put16, u16 } from "../bytes/be.ts";
import { MAX_FRAME } from "../frame/deframer.ts";
import { type Compressor, DAMAGED, type Decompressor, FATAL, PLAIN } from "./codec.ts";

const CLEAR = 256;
const MIN_BITS = 9;
const MAX_BITS = 15;
const SEQUENCE = 2;

/** Octets between two checks of the ratio. */
const CHECK_GAP = 10_000;
/** Counts that reach this value are reduced by a quarter, so that recent packets decide the ratio. */
const COUNT_MAX = 0x7fffff;
/** The ratio is the octets in, times this, divided by the octets out, rounded down. */
const RATIO_SCALE = 256;

const NOWHERE = new Uint8Array(0);

function isEligible(protocol: number): boolean {
  return protocol >= 0x21 && protocol <= 0xf9;
}

/**
 * The dictionary of one direction and the counts that decide when to clear it. Entries have codes from 257; 0 means no
 * entry.
 */
class Dictionary {
  readonly maxCode: number;
  readonly prefix: Uint16Array;
  readonly suffix: Uint8Array;
  /** The octets of each string. */
  readonly length: Uint16Array;
  /** The code of each string of two octets. */
  readonly #pairs = new Uint16Array(1 << 16);
  /**
   * For each code, the child that was added last. For each child: the sibling added before it << 8 | its last octet.
   */
  readonly #child: Uint16Array;
  readonly #sibling: Int32Array;

  /** The highest code in use. */
  last = CLEAR;
  /** The width of the next code. */
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

  /** Called at the end of each packet. True: the dictionary was cleared, and the sender must write CLEAR. */
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
   * Adds the string of `prefix` and one more octet under the next code. The caller has checked that there is a code
   * left. A sender that does not search far may add a string twice. The second one is not `findable`.
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

  /** The code of the string of `prefix` and one more octet, or 0. */
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
   * Compresses a packet and writes the codes to out[at, …), unless the payload would be no shorter than the packet.
   * Returns where all codes would end. Always updates the dictionary. To {@link NOWHERE} nothing is written.
   */
  encode(protocol: number, packet: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
    const { maxCode } = this;
    const limit = out === NOWHERE ? 0 : at - SEQUENCE + end - start;
    let { bits } = this;
    let put = at;
    // The bits that are not written yet, fewer than eight between two codes.
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

  /** `bits` is the width of the longest code, 9 to 15. */
  constructor(bits: number) {
    this.#dictionary = new Dictionary(bits);
  }

  compress(protocol: number, packet: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
    if (!isEligible(protocol)) return PLAIN;
    const limit = at + end - start;
    put16(out, at, this.#sequence);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    const stop = this.#dictionary.encode(protocol, packet, start, end, out, at + SEQUENCE);
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
  /**
   * The number of the next packet. A packet with an impossible code is not counted, so that no later packet is
   * accepted.
   */
  #sequence = 0;

  /** `bits` is the width of the longest code, 9 to 15. */
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
        // CLEAR is valid only at the end of a packet, and that packet is not counted.
        if (from + 1 < end) return FATAL;
        dictionary.clear();
        cleared = true;
        break;
      }
      // The sender may use the string that it has just added. The receiver does not know its last octet yet, but knows
      // that it equals the first one.
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
      // The sender reached the same result: had it cleared its dictionary, it would have written CLEAR.
      dictionary.check();
    }
    this.#sequence = (this.#sequence + 1) & 0xffff;
    return put;
  }

  incompressible(protocol: number, packet: Uint8Array, start: number, end: number): void {
    if (!isEligible(protocol)) return;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#dictionary.encode(protocol, packet, start, end, NOWHERE, 0);
  }

  reset(): void {
    this.#dictionary.clear();
    this.#sequence = 0;
  }
}
