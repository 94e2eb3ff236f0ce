// Cuts packets for several links, and writes the headers of the fragments (RFC 1990 §2, §3).
//
// The header after protocol 003d has the bits B (a packet begins here) and E (it ends here) and a number. The number
// grows by one with each fragment, whatever the link. After the header comes a part of the packet. The first part
// begins with the packet's protocol.
//
//     long     B E 0 0 0 0 0 0   number of 24 bits
//     short    B E 0 0   number of 12 bits
//
// A packet is cut so that its fragments arrive together, because it is whole only when the last of them has come. Small
// packets are not cut, because every fragment costs a frame.

import { put16, put32 } from "../bytes/be.ts";

export const BEGINS = 0x80;
export const ENDS = 0x40;
export const LONG_HEADER = 4;
export const SHORT_HEADER = 2;
export const LONG_NUMBERS = 0xffffff;
export const SHORT_NUMBERS = 0xfff;

/** Cutting makes no smaller fragment. */
export const SMALLEST = 64;
/** The octets on the line that a fragment needs besides its data: flag, address, control, protocol, MP header, FCS. */
const FRAME_COST = 11;

/** The state of a link when a packet is sent. */
export interface MpLink {
  /** Octets a millisecond. 0: unknown, and taken as the fastest known rate. */
  readonly rate: number;
  /** Octets that will be sent before the packet, in a buffer or not. */
  readonly backlog: number;
  /**
   * The longest part of a packet that a fragment may have: the peer's MRU less the MP header. 0: the link takes nothing
   * now.
   */
  readonly largest: number;
}

/**
 * The octets of the next fragment when `left` octets remain for a link: as few fragments as possible, of equal size.
 */
export function fragmentLength(left: number, largest: number): number {
  return left <= largest ? left : Math.ceil(left / Math.ceil(left / largest));
}

export class MpSender {
  readonly headerLength: number;
  readonly #numbers: number;
  #number = 0;
  /**
   * The link to try first. Equally good links take turns, because otherwise the peer would not notice a loss (§4.1).
   */
  #turn = 0;

  /** `shortSequence`: the peer asked for short headers. */
  constructor(shortSequence: boolean) {
    this.headerLength = shortSequence ? SHORT_HEADER : LONG_HEADER;
    this.#numbers = shortSequence ? SHORT_NUMBERS : LONG_NUMBERS;
  }

  /**
   * Cuts a packet of `length` octets, including its protocol field. shares[n] becomes the octets for links[n], or 0.
   * The first share is the beginning of the packet, and so on. All are 0 when no link takes anything.
   */
  split(length: number, links: readonly MpLink[], shares: Int32Array): void {
    let fastest = 0;
    let taking = 0;
    for (let n = 0; n < links.length; n++) {
      const link = links[n];
      const takes = link !== undefined && link.largest > 0;
      shares[n] = takes ? 1 : 0;
      if (!takes) continue;
      taking++;
      if (link.rate > fastest) fastest = link.rate;
    }
    if (fastest === 0) fastest = 1;
    // A link whose share would be too small gets none. The other shares grow.
    for (; taking > 1; taking--) {
      const worst = cut(length, links, shares, fastest);
      if (worst < 0) return;
      shares[worst] = 0;
    }
    shares.fill(0, 0, links.length);
    const best = this.#soonest(length, links, fastest);
    if (best >= 0) shares[best] = length;
  }

  /** The link that would finish the whole packet first. -1: none takes it. */
  #soonest(length: number, links: readonly MpLink[], fastest: number): number {
    let best = -1;
    let least = Infinity;
    for (let step = 0; step < links.length; step++) {
      const n = (this.#turn + step) % links.length;
      const link = links[n];
      if (link === undefined || link.largest <= 0) continue;
      const done = (link.backlog + length + FRAME_COST) / (link.rate || fastest);
      if (done < least) {
        least = done;
        best = n;
      }
    }
    this.#turn = best + 1;
    return best;
  }

  /**
   * Writes the header of the next fragment before buf[at] and returns where it begins. On each link, fragments must be
   * sent in this order. A fragment with B, E and no data keeps the number of an idle link from falling behind (§4.1).
   */
  putHeader(buf: Uint8Array, at: number, begins: boolean, ends: boolean): number {
    const bits = (begins ? BEGINS : 0) | (ends ? ENDS : 0);
    const number = this.#number;
    this.#number = (number + 1) & this.#numbers;
    const start = at - this.headerLength;
    if (this.headerLength === SHORT_HEADER) put16(buf, start, (bits << 8) | number);
    else put32(buf, start, (bits << 24) | number);
    return start;
  }
}

/**
 * Cuts the packet for the links whose share is not 0, and sets their shares. When a share would be less than SMALLEST,
 * it sets none and returns the link with the smallest share, else -1.
 */
function cut(length: number, links: readonly MpLink[], shares: Int32Array, fastest: number): number {
  let octets = length;
  let rates = 0;
  for (let n = 0; n < links.length; n++) {
    const link = links[n];
    if (link === undefined || shares[n] === 0) continue;
    octets += link.backlog + FRAME_COST;
    rates += link.rate || fastest;
  }
  /** When all of them will have finished, in milliseconds from now. */
  const done = octets / rates;
  let worst = -1;
  let least = SMALLEST;
  for (let n = 0; n < links.length; n++) {
    const link = links[n];
    if (link === undefined || shares[n] === 0) continue;
    const share = shareOf(link, done, fastest);
    if (share < least) {
      least = share;
      worst = n;
    }
  }
  if (worst >= 0) return worst;
  let left = length;
  let last = 0;
  for (let n = 0; n < links.length; n++) {
    const link = links[n];
    if (link === undefined || shares[n] === 0) continue;
    left -= shares[n] = shareOf(link, done, fastest);
    last = n;
  }
  // The rounding remainder, at most one octet a link.
  shares[last]! += left;
  return -1;
}

/** The octets of a packet that a link can send until `done`. */
function shareOf(link: MpLink, done: number, fastest: number): number {
  return Math.floor(done * (link.rate || fastest) - link.backlog) - FRAME_COST;
}
