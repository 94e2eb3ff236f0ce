// Packets put together from the fragments of several links (RFC 1990 §3, §4).
//
// A link keeps the order of its fragments, so a number is lost once every link was heard with a higher one (§4.1). Until
// then what came early is held. A link that says nothing holds up all others: the owner times how long a number is
// awaited, and gives up; so does the receiver when it cannot hold more. The links that were waited for are not waited for
// again until they are heard.
//
// A fragment that comes in its turn goes straight into the packet, and a whole packet that does is not even copied.

import { u16, u32 } from "../bytes/be.ts";
import { BLOCK, HeldFragments } from "./held-fragments.ts";
import { BEGINS, ENDS, LONG_HEADER, LONG_NUMBERS, SHORT_HEADER, SHORT_NUMBERS } from "./mp-sender.ts";

/** Octets that can be held, unless that is less than four of the longest packets. */
const HELD = 65536;
/** The protocol field does not count for the MRRU (§5.1.1). */
const PROTOCOL = 2;
/** No loss is as long: a number so far ahead is doubted. */
const FAR = 32768;
/**
 * After so many fragments in a row that are late or far ahead, the peer began anew, or we believed a number that was wrong.
 * A link that was given up and comes to itself should not have so many in its buffers.
 */
const DOUBTS = 128;

interface Member {
  /** The number the link was heard with last. */
  last: number;
  /** It was waited for in vain. */
  silent: boolean;
}

export class MpReceiver {
  /** What take() found is packet[start, end), protocol first: the owner's buffer or one of ours, until the next call. */
  packet: Uint8Array;
  start = 0;
  end = 0;
  /**
   * `packets` that were whole; `fragments` that came; `lost`: numbers that never came; `dropped`: fragments of no use, as
   * they came late or twice, or others of their packet are missing, or it is too long.
   */
  readonly stats = { packets: 0, fragments: 0, lost: 0, dropped: 0 };
  readonly #headerLength: number;
  readonly #numbers: number;
  readonly #far: number;
  readonly #members: (Member | undefined)[] = [];
  readonly #held: HeldFragments;
  /** The number to come next. It goes on where those on the line begin again at 0. */
  #next = 0;
  /** The very first number is believed, whatever it is. */
  #doubts = DOUBTS - 1;
  #isLost = false;
  /** The packet being put together: its octets so far, and fragments; 0: there is none. */
  readonly #assembly: Uint8Array;
  #fill = 0;
  #pieces = 0;
  /** `packet` is whole and not taken yet. */
  #isWhole = false;

  /** `shortSequence`: we asked for short headers; `mrru` is the one we asked for. */
  constructor(shortSequence: boolean, mrru: number) {
    this.#headerLength = shortSequence ? SHORT_HEADER : LONG_HEADER;
    this.#numbers = shortSequence ? SHORT_NUMBERS : LONG_NUMBERS;
    this.#far = Math.min(FAR, (this.#numbers + 1) / 2);
    this.packet = this.#assembly = new Uint8Array(mrru + PROTOCOL);
    this.#held = new HeldFragments(Math.ceil(Math.max(HELD, 4 * this.#assembly.length) / BLOCK));
  }

  // ── links ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A link joins the bundle; returns the number it goes by. */
  addLink(): number {
    const members = this.#members;
    const unused = members.indexOf(undefined);
    const link = unused < 0 ? members.length : unused;
    // It is waited for at once: what is sent on it first may be behind what the others carry later.
    members[link] = { last: this.#next - 1, silent: false };
    return link;
  }

  /** A link leaves the bundle, and nothing on it is waited for (§7). Then the owner takes packets. */
  removeLink(link: number): void {
    if (link < this.#members.length) this.#members[link] = undefined;
  }

  /** The number that holds up others which came before it, when there is nothing to take; -1: none does. */
  get awaited(): number {
    const { lowest } = this.#held;
    return lowest === Infinity || lowest === this.#next ? -1 : this.#next;
  }

  /** The awaited number was waited for long enough. Then the owner takes packets. */
  giveUp(): void {
    if (this.awaited < 0) return;
    for (const member of this.#members) if (member !== undefined && member.last <= this.#next) member.silent = true;
  }

  /** RFC 1990's M: all numbers below it came or are lost. Infinity: nobody is waited for. */
  #horizon(): number {
    const members = this.#members;
    let least = Infinity;
    for (let link = 0; link < members.length; link++) {
      const member = members[link];
      if (member !== undefined && !member.silent && member.last < least) least = member.last;
    }
    return least;
  }

  // ── fragments ────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Takes the fragment packet[start, end), which begins with its MP header. Then the owner takes packets, all there are,
   * before it touches the buffer: one of them may lie in it.
   */
  receive(link: number, packet: Uint8Array, start: number, end: number): void {
    const { stats } = this;
    const member = this.#members[link];
    const at = start + this.#headerLength;
    stats.fragments++;
    if (member === undefined || at > end) {
      stats.dropped++;
      return;
    }
    const numbers = this.#numbers;
    const field = (this.#headerLength === SHORT_HEADER ? u16(packet, start) : u32(packet, start)) & numbers;
    let ahead = (field - this.#next) & numbers;
    if (ahead > numbers >>> 1) ahead -= numbers + 1;
    if (ahead < 0 || ahead >= this.#far) {
      if (++this.#doubts < DOUBTS) {
        // Late, but the link lives.
        if (ahead < 0) member.silent = false;
        stats.dropped++;
        return;
      }
      this.#restart(field);
      ahead = 0;
    }
    const number = this.#next + ahead;
    member.last = number;
    member.silent = false;
    this.#doubts = 0;
    const flags = packet[start]! & (BEGINS | ENDS);
    if (ahead === 0 && !this.#isWhole && this.#held.lowest !== number) this.#pass(flags, packet, at, end);
    else if (!this.#held.add(number, flags, packet, at, end)) stats.dropped++;
  }

  #restart(number: number): void {
    const held = this.#held;
    for (; held.lowest !== Infinity; held.drop()) this.stats.dropped++;
    this.#abandon();
    this.#isLost = true;
    this.#next = number;
    for (const member of this.#members) if (member !== undefined) member.last = number - 1;
  }

  /** The fragment packet[at, end) comes in its turn. */
  #pass(flags: number, packet: Uint8Array, at: number, end: number): void {
    this.#next++;
    if (!this.#joins(flags, end - at)) return;
    if (flags === (BEGINS | ENDS)) {
      this.#isWhole = this.#finish(packet, at, end);
      return;
    }
    const assembly = this.#assembly;
    let fill = this.#fill;
    while (at < end) assembly[fill++] = packet[at++]!;
    this.#fill = fill;
    if ((flags & ENDS) !== 0) this.#isWhole = this.#finish(assembly, 0, fill);
  }

  /** Whether the next fragment in order belongs to a packet that may become whole. */
  #joins(flags: number, length: number): boolean {
    if ((flags & BEGINS) !== 0) {
      this.#abandon();
      this.#fill = 0;
    }
    const isTooLong = this.#fill + length > this.#assembly.length;
    if (isTooLong) this.#abandon();
    if (isTooLong || (this.#pieces === 0 && (flags & BEGINS) === 0)) {
      this.stats.dropped++;
      this.#isLost = true;
      return false;
    }
    this.#pieces++;
    return true;
  }

  /** Gives up the packet that is not whole. */
  #abandon(): void {
    if (this.#pieces === 0) return;
    this.stats.dropped += this.#pieces;
    this.#pieces = 0;
    this.#isLost = true;
  }

  /** The packet is whole; false: it is empty, and was sent for its number alone. */
  #finish(packet: Uint8Array, start: number, end: number): boolean {
    this.#pieces = 0;
    if (start === end) return false;
    this.packet = packet;
    this.start = start;
    this.end = end;
    this.stats.packets++;
    return true;
  }

  // ── packets ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Finds the next whole packet in order; false: there is none (yet). */
  take(): boolean {
    if (this.#isWhole) {
      this.#isWhole = false;
      return true;
    }
    const held = this.#held;
    while (held.lowest !== Infinity) {
      if (held.lowest !== this.#next) {
        if (!this.#skip(held.lowest)) return false;
        continue;
      }
      this.#next++;
      const { flags, length } = held;
      if (!this.#joins(flags, length)) {
        held.drop();
        continue;
      }
      held.take(this.#assembly, this.#fill);
      this.#fill += length;
      if ((flags & ENDS) !== 0 && this.#finish(this.#assembly, 0, this.#fill)) return true;
    }
    return false;
  }

  /** Goes on towards number `to` past those that are lost; false: the next may still come. */
  #skip(to: number): boolean {
    let horizon = this.#horizon();
    if (horizon <= this.#next && !this.#held.hasRoom(this.#assembly.length)) {
      this.giveUp();
      horizon = this.#horizon();
    }
    if (horizon <= this.#next) return false;
    const number = Math.min(to, horizon);
    this.stats.lost += number - this.#next;
    this.#next = number;
    this.#abandon();
    this.#isLost = true;
    return true;
  }

  /** True once after something was lost since the last call: before the packet taken last, or later. */
  takeLost(): boolean {
    const isLost = this.#isLost;
    this.#isLost = false;
    return isLost;
  }
}
