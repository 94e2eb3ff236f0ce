// Finds frames in a serial byte stream and undoes transparency and FCS (RFC 1662 §4.2, §4.3, appendix C).

import { ACCM_ALL, ESCAPE, FLAG, TRANSPARENCY } from "./accm.ts";
import { addressEnd, protocolEnd } from "./header.ts";
import { FCS32_GOOD, FCS32_INIT, fcs32Over, FCS_GOOD, FCS_INIT, type FcsBits, fcsOver, isLcp, owesFcs } from "./fcs.ts";

/** Longest frame taken in, FCS included: the largest MRU pppd knows, doubled protocol and address fields, FCS-32. */
export const MAX_FRAME = 16384 + 4 + 4;
/** Address, control and protocol may be compressed away to one octet: so many a frame has without its FCS. */
const MIN_PACKET = 1;

export interface DeframerStats {
  /** Frames whose FCS was right. */
  frames: number;
  /** Their octets as RFC 1989 §2.3 counts them: without transparency, with FCS and one flag a frame. */
  counted: number;
  /** Frames dropped for a wrong FCS, because they end before their protocol field does, or because they are too long. */
  badFcs: number;
  runts: number;
  overlong: number;
  /** `7d 7e`: the sender gave the frame up. */
  aborted: number;
  /** Good frames that were dropped because handling them failed: a fault of this program. The link counts them. */
  faults: number;
}

export class Deframer {
  /** The frame found last, FCS still behind it; its protocol field is whole. Borrowed: the next push overwrites it. */
  readonly frame: Uint8Array;
  /** Octets of it without the FCS; 0 when push stopped for want of input. */
  length = 0;
  readonly stats: DeframerStats = { frames: 0, counted: 0, badFcs: 0, runts: 0, overlong: 0, aborted: 0, faults: 0 };
  /** Control characters the line itself may insert: dropped when they come unescaped (RFC 1662 §7.1). */
  #dropped = ACCM_ALL;
  #fcs: FcsBits = 16;
  #shortest = MIN_PACKET + 2;
  #fill = 0;
  #escape = 0;

  /** `frame` is the buffer to assemble frames in: MAX_FRAME octets (its owner may need its address). */
  constructor(frame: Uint8Array = new Uint8Array(MAX_FRAME)) {
    this.frame = frame;
  }

  /** Sets the receive ACCM. */
  set accm(accm: number) {
    this.#dropped = accm >>> 0;
  }

  /**
   * Sets the FCS to expect. Packets of LCP are taken with FCS-16 as well: their sender may have lost what was agreed
   * (RFC 1570 §2.1.1). 0: packets of network data have none, all others FCS-16.
   */
  set fcs(fcs: FcsBits) {
    this.#fcs = fcs;
    this.#shortest = MIN_PACKET + fcs / 8;
  }

  /** Forgets a half received frame: the line was opened anew. */
  reset(): void {
    this.#fill = this.#escape = this.length = 0;
  }

  /** Reads bytes[start, end) up to the end of the first good frame and returns where it stopped. */
  push(bytes: Uint8Array, start: number, end: number): number {
    const { frame } = this;
    const dropped = this.#dropped;
    let fill = this.#fill;
    let escape = this.#escape;
    let at = start;
    this.length = 0;
    while (at < end) {
      // All the octets that can be stored without asking for room again; a flag or an escape is 7c..7f.
      const stop = Math.min(end, at + (frame.length - fill));
      let octet = 0;
      if (dropped === 0 && escape === 0)
        while (at < stop && ((octet = bytes[at]!) & 0xfc) !== 0x7c) {
          frame[fill++] = octet;
          at++;
        }
      if (at === end) break;
      octet = bytes[at++]!;
      if (octet === FLAG) {
        // 7d 7e aborts a frame. The escape must die with it, or it eats the next frame's first octet.
        const length = escape !== 0 ? -1 : fill;
        fill = escape = 0;
        if ((this.length = this.#ends(length)) > 0) break;
      } else if (octet === ESCAPE) {
        escape = TRANSPARENCY;
      } else if (octet < 32 && ((dropped >>> octet) & 1) === 1) {
        // Inserted by the line.
      } else {
        if (fill < frame.length) frame[fill] = octet ^ escape;
        // One more than fits marks the frame as too long; nothing of it is kept.
        fill = Math.min(fill + 1, frame.length + 1);
        escape = 0;
      }
    }
    this.#fill = fill;
    this.#escape = escape;
    return at;
  }

  /** Judges what stood between two flags, -1 for an aborted frame. Octets without the FCS; 0: no packet. */
  #ends(length: number): number {
    const { frame, stats } = this;
    if (length === 0) return 0;
    if (length < 0) stats.aborted++;
    else if (length > frame.length) stats.overlong++;
    else if (length < this.#shortest) stats.runts++;
    else {
      const fcs = this.#fcs === 16 ? 2 : this.#otherFcs(length);
      if (fcs < 0 || (fcs === 2 && fcsOver(FCS_INIT, frame, 0, length) !== FCS_GOOD)) stats.badFcs++;
      else if (protocolEnd(frame, addressEnd(frame, 0, length - fcs), length - fcs) < 0) stats.runts++;
      else {
        stats.frames++;
        stats.counted += length + 1;
        return length - fcs;
      }
    }
    return 0;
  }

  /** Octets of FCS on frame[0, length); 2: FCS-16, not looked at yet; -1: it is wrong. */
  #otherFcs(length: number): number {
    const { frame } = this;
    if (this.#fcs === 32) {
      if (fcs32Over(FCS32_INIT, frame, 0, length) === FCS32_GOOD) return 4;
      return isLcp(frame, length - 2) ? 2 : -1;
    }
    if (!owesFcs(frame, 0, length)) return 0;
    return length < MIN_PACKET + 2 ? -1 : 2;
  }
}
