// Packets cut for several links, and the headers of the pieces (RFC 1990 §2, §3).
//
// Behind protocol 003d stands B (a packet begins here), E (it ends here) and a number that goes up by one a fragment,
// whatever the link. Then comes a part of the packet, whose first octets are its protocol.
//
//     long     B E 0 0 0 0 0 0   number of 24 bits
//     short    B E 0 0   number of 12 bits
//
// A packet is cut so that its pieces arrive together: the link whose last piece is done last decides when the packet is
// whole. Small ones are not cut at all, since every piece costs a frame.

import { put16, put32 } from "../bytes/be.ts";

export const BEGINS = 0x80;
export const ENDS = 0x40;
export const LONG_HEADER = 4;
export const SHORT_HEADER = 2;
export const LONG_NUMBERS = 0xffffff;
export const SHORT_NUMBERS = 0xfff;

/** No piece that cutting makes is smaller. */
export const SMALLEST = 64;
/** What a fragment costs its link beside its octets: flag, address, control, protocol, MP header, FCS. */
const FRAME_COST = 11;

/** A link of the bundle, as it is when the packet goes out. */
export interface MpLink {
  /** Octets a millisecond; 0: unknown, taken for as fast as the fastest that is known. */
  readonly rate: number;
  /** Octets that go out before it, written or not. */
  readonly backlog: number;
  /** Octets of a packet that one fragment may have: the peer's MRU less the MP header; 0: the link takes nothing now. */
  readonly largest: number;
}

/** Octets of the next fragment when `left` octets are still to go out on a link: as few fragments as can be, all alike. */
export function fragmentLength(left: number, largest: number): number {
  return left <= largest ? left : Math.ceil(left / Math.ceil(left / largest));
}

export class MpSender {
  readonly headerLength: number;
  readonly #numbers: number;
  #number = 0;
  /** Where to look first for a link: of several that are as good, each in turn, or the peer knows of no loss (§4.1). */
  #turn = 0;

  /** `shortSequence`: the peer asked for short headers. */
  constructor(shortSequence: boolean) {
    this.headerLength = shortSequence ? SHORT_HEADER : LONG_HEADER;
    this.#numbers = shortSequence ? SHORT_NUMBERS : LONG_NUMBERS;
  }

  /**
   * Cuts a packet of `length` octets, its protocol field among them: shares[n] becomes the octets for links[n], 0 for
   * none. The first share is the beginning of the packet, and so on. All are 0 when no link takes anything.
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
    // Without a link that would be given too little, the others are done a little later, and their shares grow.
    for (; taking > 1; taking--) {
      const worst = cut(length, links, shares, fastest);
      if (worst < 0) return;
      shares[worst] = 0;
    }
    shares.fill(0, 0, links.length);
    const best = this.#soonest(length, links, fastest);
    if (best >= 0) shares[best] = length;
  }

  /** The link that would be done first with the whole packet; -1: none takes it. */
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
   * Writes the header of the next fragment before buf[at] and returns where it begins. Fragments must go out in this
   * order on each link. One that begins and ends and has no octets keeps an idle link's number from falling behind (§4.1).
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
 * Cuts the packet for the links whose share is not 0 and sets their shares; when one of them would have less than
 * SMALLEST, sets none and returns the one that would have least, else -1.
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
  /** When all of them are done, in milliseconds from now. */
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
  // What rounding left over, an octet a link at most.
  shares[last]! += left;
  return -1;
}

/** What a link can send of a packet until `done`. */
function shareOf(link: MpLink, done: number, fastest: number): number {
  return Math.floor(done * (link.rate || fastest) - link.backlog) - FRAME_COST;
}
