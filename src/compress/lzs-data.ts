// The data of Stac LZS (RFC 1974 §2.5.5, ANSI X3.241), for CCP option 17.
//
// A packet may copy from the last 2047 octets of all packets, protocols included. Bits begin at the most significant
// bit of an octet:
//
//     literal    0 and 8 bits
//     copy       11 and a distance of 7 bits, or 10 and a distance of 11 bits; then the length:
//                2 to 4 as 2 bits from 00 on; 5 to 7 as 4 bits from 1100 on; from 8 on 1111, then 1111 for each
//                15 in the rest, and what then remains as 4 bits
//     end mark   11 and the distance 0, then zeros to the next octet
//
// Octets after the end mark are padding. A sender may leave out a last octet of zeros (RFC 1974 §2.2). We never do, and
// read any data as if an octet of zeros followed.

import { put16 } from "../bytes/be.ts";
import { MAX_FRAME } from "../frame/deframer.ts";
import { DAMAGED, FATAL } from "./codec.ts";
import { ENOUGH, FIRST_POSITION, LAST_POSITION, Matches } from "./matches.ts";

const WINDOW = 2048;
const FARTHEST = WINDOW - 1;
const SHORTEST = 2;
/**
 * The octets of text that each end keeps: the window and room for some packets, so that the text is not moved for each
 * packet.
 */
const TEXT = 65536;
/** The longest packet that LzsEncoder takes, protocol included. */
export const LZS_LONGEST = TEXT - WINDOW;

/** The sender's history. */
export class LzsEncoder {
  readonly text = new Uint8Array(TEXT);
  /** The filled part of the text. The packet encoded last ends there. */
  fill = 0;
  readonly #matches = new Matches(this.text, WINDOW, SHORTEST);
  /** A position minus this is the index in the text. */
  #base = FIRST_POSITION;
  /** The position of the first octet that may be copied. */
  #floor = FIRST_POSITION;

  forget(): void {
    this.#base += this.fill + WINDOW;
    this.fill = 0;
    if (this.#base >= LAST_POSITION) {
      this.#base = FIRST_POSITION;
      this.#matches.forget();
    }
    this.#floor = this.#base;
  }

  /** Appends a packet of at most LZS_LONGEST octets, protocol first. Returns the index where it begins. */
  append(protocol: number, packet: Uint8Array, start: number, end: number): number {
    const { text } = this;
    if (this.fill + 2 + end - start > TEXT) this.#slide();
    const index = this.fill;
    let fill = put16(text, index, protocol);
    while (start < end) text[fill++] = packet[start++]!;
    this.fill = fill;
    return index;
  }

  /**
   * Encodes what was appended at `index` to out[at, …) and returns the end. Returns -1 when the end would reach
   * `limit`; then the history must be forgotten. Fewer than 6 octets are written at or after `limit`.
   */
  encode(index: number, out: Uint8Array, at: number, limit: number): number {
    const text = this.text;
    const matches = this.#matches;
    const base = (matches.base = this.#base);
    const floor = this.#floor;
    let position = base + index;
    const stop = base + this.fill;
    let bits = 0;
    let count = 0;
    for (let isKnown = false; position < stop;) {
      if (at >= limit) return -1;
      if (!isKnown) matches.find(position, stop - position, floor, 0, 0);
      let same = matches.length;
      const distance = matches.distance;
      isKnown = same !== 0 && same < ENOUGH;
      if (isKnown) {
        // A literal and a longer match at the next octet may need fewer bits.
        matches.find(position + 1, stop - position - 1, floor, 0, 0);
        if (matches.length > same) same = 0;
      }
      if (same === 0) {
        bits = (bits << 9) | text[position++ - base]!;
        count += 9;
      } else {
        matches.enter(isKnown ? position + 2 : position + 1, position + same, stop);
        position += same;
        isKnown = false;
        if (distance < 128) {
          bits = (bits << 9) | 0x180 | distance;
          count += 9;
        } else {
          bits = (bits << 13) | 0x1000 | distance;
          count += 13;
        }
        for (; count >= 8; out[at++] = bits >>> count) count -= 8;
        if (same < 5) {
          bits = (bits << 2) | (same - 2);
          count += 2;
        } else if (same < 8) {
          bits = (bits << 4) | (same + 7);
          count += 4;
        } else {
          bits = (bits << 4) | 15;
          count += 4;
          for (same -= 8; same >= 15 && at < limit; same -= 15) {
            bits = (bits << 4) | 15;
            count += 4;
            for (; count >= 8; out[at++] = bits >>> count) count -= 8;
          }
          bits = (bits << 4) | same;
          count += 4;
        }
      }
      for (; count >= 8; out[at++] = bits >>> count) count -= 8;
    }
    bits = (bits << 16) | (0x180 << 7);
    count += 9;
    for (; count > 0; out[at++] = bits >>> (count + 7)) count -= 8;
    return at < limit ? at : -1;
  }

  #slide(): void {
    const { fill } = this;
    this.text.copyWithin(0, fill - WINDOW, fill);
    this.#base += fill - WINDOW;
    this.fill = WINDOW;
    if (this.#base >= LAST_POSITION) this.forget();
  }
}

/** The receiver's history. */
export class LzsDecoder {
  readonly #text = new Uint8Array(TEXT);
  #fill = 0;
  /** The index of the first octet that may be copied. */
  #floor = 0;

  forget(): void {
    this.#floor = this.#fill;
  }

  /** Decodes payload[start, end) to out[at, …): protocol and packet. Returns the end, DAMAGED or FATAL. */
  decode(payload: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
    if (this.#fill + MAX_FRAME > TEXT) this.#slide();
    const text = this.#text;
    const floor = this.#floor;
    const begin = this.#fill;
    const limit = begin + MAX_FRAME;
    let fill = begin;
    let window = 0;
    /** Bits in the window. Bits after the end of the payload are zeros. */
    let count = 0;
    /** Bits still to come: those in the window, those in the payload, and the octet of zeros after it. */
    let left = (end - start + 1) * 8;
    for (;;) {
      for (; count <= 24; count += 8) window = (window << 8) | (start < end ? payload[start++]! : 0);
      if (left < 9) return DAMAGED;
      count -= 9;
      left -= 9;
      const token = window >>> count;
      if ((token & 0x100) === 0) {
        if (fill === limit) return FATAL;
        text[fill++] = token;
        continue;
      }
      let distance = token & 0x7f;
      if ((token & 0x80) === 0) {
        count -= 4;
        left -= 4;
        distance = (window >>> count) & FARTHEST;
      } else if (distance === 0) {
        break;
      }
      count -= 2;
      left -= 2;
      let length = 2 + ((window >>> count) & 3);
      if (length === 5) {
        count -= 2;
        left -= 2;
        length += (window >>> count) & 3;
        for (let more = length === 8 ? 15 : 0; more === 15; length += more) {
          for (; count <= 24; count += 8) window = (window << 8) | (start < end ? payload[start++]! : 0);
          count -= 4;
          left -= 4;
          more = (window >>> count) & 15;
        }
      }
      let from = fill - distance;
      if (distance === 0 || from < floor) return DAMAGED;
      if (fill + length > limit) return FATAL;
      for (const stop = fill + length; fill < stop;) text[fill++] = text[from++]!;
    }
    this.#fill = fill;
    for (let from = begin; from < fill;) out[at++] = text[from++]!;
    return at;
  }

  #slide(): void {
    const moved = this.#fill - WINDOW;
    this.#text.copyWithin(0, moved, this.#fill);
    this.#floor = Math.max(0, this.#floor - moved);
    this.#fill = WINDOW;
  }
}
