// Finds frames in a serial byte stream and undoes transparency and FCS (RFC 1662 §4.2, §4.3, appendix C).

import { ACCM_ALL, ESCAPE, FLAG, TRANSPARENCY } from "./accm.ts";
import { addressEnd, protocolEnd } from "./header.ts";
import { FCS32_GOOD, FCS32_INIT, fcs32Over, FCS_GOOD, FCS_INIT, type FcsBits, fcsOver, isLcp, owesFcs } from "./fcs.ts";

/** Longest frame accepted, with FCS: the largest MRU of pppd, uncompressed protocol and address fields, FCS-32. */
export const MAX_FRAME = 16384 + 4 + 4;
/** The shortest frame without its FCS: address and control are compressed away, and the protocol takes one octet. */
const MIN_PACKET = 1;

export interface DeframerStats {
  /** Frames with a correct FCS. */
  frames: number;
  /** Octets of these frames as RFC 1989 §2.3 counts them: without transparency, with the FCS and one flag a frame. */
  counted: number;
  /** Frames dropped because the FCS is wrong, the protocol field is incomplete, or the frame is too long. */
  badFcs: number;
  runts: number;
  overlong: number;
  /** Frames that their sender aborted with `7d 7e`. */
  aborted: number;
  /** Good frames dropped because handling them threw, which is a fault of this program. The link counts them. */
  faults: number;
}

export class Deframer {
  /**
   * The frame found last, with its FCS behind it and a complete protocol field. Borrowed: the next push overwrites it.
   */
  readonly frame: Uint8Array;
  /** The frame's octets without the FCS; 0 when push stopped for lack of input. */
  length = 0;
  readonly stats: DeframerStats = { frames: 0, counted: 0, badFcs: 0, runts: 0, overlong: 0, aborted: 0, faults: 0 };
  /** Control characters that the line may insert. They are dropped when they arrive unescaped (RFC 1662 §7.1). */
  #dropped = ACCM_ALL;
  #fcs: FcsBits = 16;
  #shortest = MIN_PACKET + 2;
  #fill = 0;
  #escape = 0;

  /** `frame` is the buffer for frames, MAX_FRAME octets. The caller passes one when it needs the buffer's address. */
  constructor(frame: Uint8Array = new Uint8Array(MAX_FRAME)) {
    this.frame = frame;
  }

  /** Sets the receive ACCM. */
  set accm(accm: number) {
    this.#dropped = accm >>> 0;
  }

  /**
   * Sets the FCS to expect. LCP packets may have FCS-16 in any case, because their sender may have lost the agreement
   * (RFC 1570 §2.1.1). With 0, packets of network data have no FCS and all others have FCS-16.
   */
  set fcs(fcs: FcsBits) {
    this.#fcs = fcs;
    this.#shortest = MIN_PACKET + fcs / 8;
  }

  /** Discards a partly received frame, for a line that was opened again. */
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
      // The end of the octets that fit without checking for room. Flags and escapes are 7c..7f.
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
        // 7d 7e aborts a frame. Clear the escape as well, or it swallows the next frame's first octet.
        const length = escape !== 0 ? -1 : fill;
        fill = escape = 0;
        if ((this.length = this.#ends(length)) > 0) break;
      } else if (octet === ESCAPE) {
        escape = TRANSPARENCY;
      } else if (octet < 32 && ((dropped >>> octet) & 1) === 1) {
        // The line inserted this octet.
      } else {
        if (fill < frame.length) frame[fill] = octet ^ escape;
        // A length of one more than the buffer marks the frame as too long. Its octets are not kept.
        fill = Math.min(fill + 1, frame.length + 1);
        escape = 0;
      }
    }
    this.#fill = fill;
    this.#escape = escape;
    return at;
  }

  /**
   * Checks the octets between two flags (-1: an aborted frame). Returns their number without the FCS; 0 for no packet.
   */
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

  /** The octets of FCS in frame[0, length). 2: FCS-16, still to be checked. -1: a wrong FCS. */
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
