// MPPC, Microsoft's point-to-point compression: CCP option 18 with the bit C alone (RFC 2118).
//
// Both ends keep a history of 8192 octets. Each packet, protocol first, is put into it after the one before, and never
// across its end: if there is no room, it is put at the front, and the header says so. A packet is sent as literals and
// as copies of earlier octets. Bits begin at the most significant bit of an octet:
//
//     literal    0 and 7 bits; from 80 on 10 and 7 bits
//     distance   1111 and 6 bits; from 64 on 1110 and 8 bits; from 320 on 110 and 13 bits
//     length     0 for 3; else one less ones than bits that follow the highest one, a zero, and those bits
//
// There is no end mark: fewer than eight zero bits may follow. A packet that would grow is sent plain after the header
// and enters neither history. The sender's history is then useless, so the next packet is flushed. A distance may reach
// back across the front to what is left of the round before, as in a ring. FreeRDP and the MPPC patch for Linux do so
// too.

import { put16, u16 } from "../bytes/be.ts";
import { MAX_FRAME } from "../frame/deframer.ts";
import { type Compressor, DAMAGED, type Decompressor, FATAL, PLAIN } from "./codec.ts";
import { AT_FRONT, COMPRESSED, COUNT, ENCRYPTED, FLUSHED, isEligible } from "./coherency.ts";
import { ENOUGH, FIRST_POSITION, LAST_POSITION, Matches } from "./matches.ts";

const HISTORY = 8192;
const FARTHEST = HISTORY - 1;
const SHORTEST = 3;

/**
 * The sender's history. A position counts all octets since the start, including those skipped at the end of each round.
 * The difference of two positions is the distance of the octets in the ring.
 */
export class MppcEncoder {
  /** The packet encoded last is at the front of the history (bit B). */
  isAtFront = false;
  /** The round before, and the one that is being filled. */
  readonly #text = new Uint8Array(2 * HISTORY);
  readonly #matches = new Matches(this.#text, HISTORY, SHORTEST);
  /** The position of the front of this round, and how much of the round is filled. */
  #front = FIRST_POSITION;
  #fill = 0;
  /** The position where the round before ends, and the first position that the peer has. */
  #edge = 0;
  #floor = FIRST_POSITION;

  /** Forgets everything: the next packet is the first. */
  flush(): void {
    this.#front += 2 * HISTORY;
    if (this.#front >= LAST_POSITION) {
      this.#front = FIRST_POSITION;
      this.#matches.forget();
    }
    this.#floor = this.#front;
    this.#fill = 0;
  }

  /**
   * Encodes a packet to out[at, …) and returns the end. Returns -1 when the result is not smaller than protocol and
   * packet; then the history must be flushed. Writes up to 5 octets more than protocol and packet have.
   */
  encode(protocol: number, packet: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
    const length = 2 + end - start;
    if (length > HISTORY) return -1;
    let position = this.#append(protocol, packet, start, end);
    const text = this.#text;
    const matches = this.#matches;
    const front = this.#front;
    const edge = this.#edge;
    const floor = this.#floor;
    // A position minus this is the index in the text.
    const base = (matches.base = front - HISTORY);
    const stop = position + length;
    const limit = at + length;
    let bits = 0;
    let count = 0;
    for (let isKnown = false; position < stop;) {
      if (at >= limit) return -1;
      if (!isKnown) matches.find(position, stop - position, floor, front, edge);
      let same = matches.length;
      const distance = matches.distance;
      isKnown = same !== 0 && same < ENOUGH;
      if (isKnown) {
        // A literal and a much longer match at the next octet may need fewer bits.
        matches.find(position + 1, stop - position - 1, floor, front, edge);
        if (matches.length > same + 1) same = 0;
      }
      if (same === 0) {
        const octet = text[position++ - base]!;
        if (octet < 0x80) {
          bits = (bits << 8) | octet;
          count += 8;
        } else {
          bits = (bits << 9) | 0x100 | (octet & 0x7f);
          count += 9;
        }
      } else {
        const width = distance < 64 ? 10 : distance < 320 ? 12 : 16;
        bits = (bits << width) | distanceCode(distance);
        count += width;
        for (; count >= 8; out[at++] = bits >>> count) count -= 8;
        if (same === SHORTEST) {
          bits <<= 1;
          count++;
        } else {
          const below = 31 - Math.clz32(same);
          bits = (bits << (2 * below)) | (((1 << (below - 1)) - 1) << (below + 1)) | (same & ((1 << below) - 1));
          count += 2 * below;
        }
        matches.enter(isKnown ? position + 2 : position + 1, position + same, stop);
        position += same;
        isKnown = false;
      }
      for (; count >= 8; out[at++] = bits >>> count) count -= 8;
    }
    if (count > 0) out[at++] = bits << (8 - count);
    return at < limit ? at : -1;
  }

  /** Puts a packet into the history and returns its position. */
  #append(protocol: number, packet: Uint8Array, start: number, end: number): number {
    if (this.#fill + 2 + end - start > HISTORY) this.#turnRound();
    this.isAtFront = this.#fill === 0;
    const text = this.#text;
    const position = this.#front + this.#fill;
    let at = HISTORY + this.#fill;
    text[at++] = protocol >>> 8;
    text[at++] = protocol;
    while (start < end) text[at++] = packet[start++]!;
    this.#fill = at - HISTORY;
    return position;
  }

  #turnRound(): void {
    this.#text.copyWithin(0, HISTORY, HISTORY + this.#fill);
    this.#edge = this.#front + this.#fill;
    this.#front += HISTORY;
    this.#fill = 0;
    if (this.#front >= LAST_POSITION) this.flush();
  }
}

/** The distance of a copy with the bits before it. */
function distanceCode(distance: number): number {
  if (distance < 64) return 0x3c0 | distance;
  return distance < 320 ? 0xe00 | (distance - 64) : 0xc000 | (distance - 320);
}

/** The receiver's history. */
export class MppcDecoder {
  readonly #history = new Uint8Array(HISTORY);
  #fill = 0;

  flush(): void {
    // As in other implementations, octets that were never written are zeros.
    this.#history.fill(0);
    this.#fill = 0;
  }

  /** Decodes payload[start, end) to out[at, …): protocol and packet. Returns the end, or DAMAGED. */
  decode(payload: Uint8Array, start: number, end: number, isAtFront: boolean, out: Uint8Array, at: number): number {
    const history = this.#history;
    const begin = isAtFront ? 0 : this.#fill;
    let fill = begin;
    let window = 0;
    /** Bits in the window. Bits after the end of the payload are zeros. */
    let count = 0;
    /** Bits still to come, those in the window included. */
    let left = (end - start) * 8;
    while (left >= 8) {
      for (; count <= 24; count += 8) window = (window << 8) | (start < end ? payload[start++]! : 0);
      // The number of ones at the start of the code.
      const ones = Math.clz32(~(window << (32 - count)));
      if (ones < 2) {
        if (fill === HISTORY) return DAMAGED;
        const width = 8 + ones;
        count -= width;
        left -= width;
        history[fill++] = ((window >>> count) & 0x7f) | (ones << 7);
        continue;
      }
      let distance: number;
      if (ones >= 4) {
        count -= 10;
        left -= 10;
        distance = (window >>> count) & 0x3f;
      } else if (ones === 3) {
        count -= 12;
        left -= 12;
        distance = ((window >>> count) & 0xff) + 64;
      } else {
        count -= 16;
        left -= 16;
        distance = ((window >>> count) & 0x1fff) + 320;
      }
      for (; count <= 24; count += 8) window = (window << 8) | (start < end ? payload[start++]! : 0);
      const more = Math.clz32(~(window << (32 - count)));
      let length = SHORTEST;
      if (more === 0) {
        count--;
        left--;
      } else {
        if (more > 11) return DAMAGED;
        count -= 2 * more + 2;
        left -= 2 * more + 2;
        length = (1 << (more + 1)) | ((window >>> count) & ((1 << (more + 1)) - 1));
      }
      if (left < 0 || distance === 0 || distance > FARTHEST || fill + length > HISTORY) return DAMAGED;
      let from = fill - distance;
      if (from >= 0) {
        for (const stop = fill + length; fill < stop;) history[fill++] = history[from++]!;
      } else {
        for (const stop = fill + length; fill < stop;) history[fill++] = history[from++ & FARTHEST]!;
      }
    }
    if (left < 0) return DAMAGED;
    this.#fill = fill;
    for (let from = begin; from < fill;) out[at++] = history[from++]!;
    return at;
  }
}

export class MppcCompressor implements Compressor {
  readonly overhead = 4;
  readonly #encoder = new MppcEncoder();
  #count = 0;
  #isFlushed = true;

  compress(protocol: number, packet: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
    if (!isEligible(protocol)) return PLAIN;
    let header = this.#count;
    this.#count = (header + 1) & COUNT;
    if (this.#isFlushed) header |= FLUSHED;
    let put = this.#encoder.encode(protocol, packet, start, end, out, at + 2);
    this.#isFlushed = put < 0;
    if (put < 0) {
      this.#encoder.flush();
      put = put16(out, at + 2, protocol);
      while (start < end) out[put++] = packet[start++]!;
    } else {
      header |= this.#encoder.isAtFront ? COMPRESSED | AT_FRONT : COMPRESSED;
    }
    put16(out, at, header);
    return put;
  }

  reset(): void {
    this.#encoder.flush();
    this.#isFlushed = true;
  }
}

export class MppcDecompressor implements Decompressor {
  readonly selfHealing = true;
  readonly #decoder = new MppcDecoder();
  #expected = 0;
  #isDamaged = false;

  decompress(packet: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
    if (end - start < 3) return DAMAGED;
    const header = u16(packet, start);
    start += 2;
    if ((header & ENCRYPTED) !== 0) return FATAL;
    const count = header & COUNT;
    if ((header & FLUSHED) !== 0) {
      this.#decoder.flush();
      this.#isDamaged = false;
    } else if (count !== this.#expected) {
      this.#isDamaged = true;
    }
    if (this.#isDamaged) return DAMAGED;
    this.#expected = (count + 1) & COUNT;
    if ((header & COMPRESSED) !== 0) {
      const put = this.#decoder.decode(packet, start, end, (header & AT_FRONT) !== 0, out, at);
      this.#isDamaged = put < 0;
      return put;
    }
    if (end - start > MAX_FRAME) return FATAL;
    while (start < end) out[at++] = packet[start++]!;
    return at;
  }

  incompressible(): void {}

  /** Does nothing: a flushed packet resets the history, and at the right place. */
  reset(): void {}
}
