// Reassembles packets from the fragments of several links (RFC 1990 §3, §4).
//
// A link keeps the order of its fragments. So a number is lost once every link has delivered a higher one (§4.1). Until
// then, fragments after the missing one are held. A link that delivers nothing holds up all others. The owner therefore
// measures how long a number is missing and gives it up. The receiver gives it up too when it cannot hold more
// fragments. Links that did not deliver it are then ignored until they deliver something.
//
// A fragment that comes in its turn goes straight into the packet. A whole packet that comes in its turn is not even
// copied.

import { u16, u32 } from "../bytes/be.ts";
import { BLOCK, HeldFragments } from "./held-fragments.ts";
import { BEGINS, ENDS, LONG_HEADER, LONG_NUMBERS, SHORT_HEADER, SHORT_NUMBERS } from "./mp-sender.ts";

/** Octets that can be held, but at least four of the longest packets. */
const HELD = 65536;
/** The protocol field does not count for the MRRU (§5.1.1). */
const PROTOCOL = 2;
/** A number this far ahead is doubted: no loss is so long. */
const FAR = 32768;
/**
 * After this number of fragments in a row that are late or far ahead, either the peer has restarted its numbers or we
 * have accepted a wrong number. A link that delivers again after a pause should not have so many in its buffers.
 */
const DOUBTS = 128;

interface Member {
  /** The highest number that the link has delivered. */
  last: number;
  /** A number was given up because of this link. */
  silent: boolean;
}

export class MpReceiver {
  /**
   * take() leaves its packet in packet[start, end), protocol first. It is in the owner's buffer or in one of ours,
   * until the next call.
   */
  packet: Uint8Array;
  start = 0;
  end = 0;
  /**
   * `packets`: whole packets. `fragments`: fragments received. `lost`: numbers that never came. `dropped`: fragments
   * that are of no use, because they are late, repeated, part of an incomplete packet, or part of one that is too long.
   */
  readonly stats = { packets: 0, fragments: 0, lost: 0, dropped: 0 };
  readonly #headerLength: number;
  readonly #numbers: number;
  readonly #far: number;
  readonly #members: (Member | undefined)[] = [];
  readonly #held: HeldFragments;
  /** The next number. It goes on counting where the numbers on the line wrap to 0. */
  #next = 0;
  /** The first number is accepted, whatever it is. */
  #doubts = DOUBTS - 1;
  #isLost = false;
  /** The packet that is being reassembled, its octets so far, and its fragments. 0: there is none. */
  readonly #assembly: Uint8Array;
  #fill = 0;
  #pieces = 0;
  /** `packet` is whole and not taken yet. */
  #isWhole = false;

  /**
   * `shortSequence`: we asked for short headers. `mrru` is the one that we asked for. "single": there is one link only,
   * which keeps the order, so nothing is held for long.
   */
  constructor(shortSequence: boolean, mrru: number, links: "single" | "several" = "several") {
    this.#headerLength = shortSequence ? SHORT_HEADER : LONG_HEADER;
    this.#numbers = shortSequence ? SHORT_NUMBERS : LONG_NUMBERS;
    this.#far = Math.min(FAR, (this.#numbers + 1) / 2);
    this.packet = this.#assembly = new Uint8Array(mrru + PROTOCOL);
    const held = links === "single" ? this.#assembly.length : Math.max(HELD, 4 * this.#assembly.length);
    this.#held = new HeldFragments(Math.ceil(held / BLOCK));
    if (links === "single") this.addLink();
  }

  // ── links ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Adds a link to the bundle. Returns its number. */
  addLink(): number {
    const members = this.#members;
    const unused = members.indexOf(undefined);
    const link = unused < 0 ? members.length : unused;
    // The link is waited for at once: its first fragments may come later than higher ones on other links.
    members[link] = { last: this.#next - 1, silent: false };
    return link;
  }

  /** Removes a link from the bundle. It is no longer waited for (§7). The owner then takes packets. */
  removeLink(link: number): void {
    if (link < this.#members.length) this.#members[link] = undefined;
  }

  /** The missing number that holds up later ones. -1: none is missing, or there is a packet to take. */
  get awaited(): number {
    const { lowest } = this.#held;
    return lowest === Infinity || lowest === this.#next ? -1 : this.#next;
  }

  /** Gives up the missing number. The owner then takes packets. */
  giveUp(): void {
    if (this.awaited < 0) return;
    for (const member of this.#members) if (member !== undefined && member.last <= this.#next) member.silent = true;
  }

  /** M of RFC 1990: all numbers below it have come or are lost. Infinity: no link is waited for. */
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
   * Handles the fragment packet[start, end), which begins with its MP header. The owner then takes all packets before
   * it reuses the buffer, because one of them may be in it.
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
        // The fragment is late, but it shows that the link delivers again.
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

  /** Handles the fragment packet[at, end), which comes in its turn. */
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

  /** True when the next fragment in order belongs to a packet that can still become whole. */
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

  /** Drops the incomplete packet. */
  #abandon(): void {
    if (this.#pieces === 0) return;
    this.stats.dropped += this.#pieces;
    this.#pieces = 0;
    this.#isLost = true;
  }

  /** The packet is whole. False: it is empty and was sent only for its number. */
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

  /** Finds the next whole packet in order. False: there is none yet. */
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

  /** Skips lost numbers up to `to`. False: the next number may still come. */
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

  /** True once after a loss: before the packet taken last, or later. */
  takeLost(): boolean {
    const isLost = this.#isLost;
    this.#isLost = false;
    return isLost;
  }
}
