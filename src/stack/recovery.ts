// What a connection repeats when segments are lost (RFC 5681 §3.2, RFC 6582, RFC 6675), and in which order.
//
// A link keeps packets in order. So a gap before something that has arrived is lost, and if something has arrived that was sent
// after a repetition which has not, that repetition is lost as well.

import { distance, isBefore, later, SequenceRanges } from "./sequence.ts";
import { isSackSound, type TcpSegment } from "./tcp-segment.ts";

const DUPLICATES = 3;

type Mode = "none" | "fast" | "timeout";

export class Recovery {
  #mode: Mode = "none";
  #sacks = false;
  /** The recovery ends here. */
  #end = 0;
  /** The next octet to repeat. */
  #next = 0;
  /** One past the octet that was repeated last, and one past the highest number sent by then. */
  #last = 0;
  #lastMax = 0;
  /** How many segments may be repeated that are not known to be lost. */
  #allowance = 0;
  #duplicates = 0;
  readonly #sacked = new SequenceRanges();
  /** What {@link find} has found: octets in [from, to). */
  from = 0;
  to = 0;

  get isOn(): boolean {
    return this.#mode !== "none";
  }

  /** Only what is missing is repeated. */
  get isFast(): boolean {
    return this.#mode === "fast";
  }

  /** Octets that have arrived before others that have not. */
  get sackedOctets(): number {
    return this.#sacked.total();
  }

  /** Nothing new is sent. */
  blocksNew(): boolean {
    return this.#mode === "timeout" && isBefore(this.#next, this.#end);
  }

  /** All that is in flight may be lost. */
  startAll(una: number, max: number): void {
    // The peer may have dropped what it reported by SACK (RFC 2018 §8).
    this.#sacked.clear();
    this.#start("timeout", una, max);
  }

  #start(mode: Mode, una: number, max: number): void {
    this.#mode = mode;
    this.#end = max;
    this.#next = this.#last = una;
    this.#lastMax = max;
    this.#allowance = 1;
  }

  /**
   * The peer has acknowledged all before `una`. Returns true when this shows that the timeout was right: the repetition has
   * arrived, and what was sent before it and behind it in the stream has not.
   */
  advance(una: number): boolean {
    this.#duplicates = 0;
    this.#sacked.dropBefore(una);
    if (this.#mode === "none") return false;
    const isLoss = this.#mode === "timeout" && !isBefore(this.#last, una) && isBefore(this.#last, this.#end);
    if (!isBefore(una, this.#end)) {
      this.#mode = "none";
      return false;
    }
    this.#next = later(this.#next, una);
    if (isLoss) this.#allowance = Infinity;
    else if (this.#mode === "timeout") this.#allowance += 2;
    else if (!this.#sacks) {
      // A partial acknowledgment: the next segment is lost as well (RFC 6582 §3.2).
      this.#next = una;
      this.#allowance = 1;
    }
    return isLoss;
  }

  duplicate(): void {
    this.#duplicates++;
  }

  /** Notes the SACK blocks of a segment. Returns true when `measured`, the end of a segment, is among what has arrived. */
  noteSack(segment: TcpSegment, una: number, max: number, measured: number): boolean {
    this.#sacks = true;
    const sacked = this.#sacked;
    const before = sacked.total();
    for (let block = 0; block < segment.blocks; block++)
      if (isSackSound(segment, block, una, max)) sacked.add(segment.sack[2 * block]!, segment.sack[2 * block + 1]!);
    if (sacked.count === 0) return false;
    if (this.#mode === "timeout" && sacked.total() > before) this.#allowance++;
    const newest = sacked.to(sacked.count - 1);
    const isPast = isBefore(una, this.#last) && (isBefore(this.#lastMax, newest) || this.#covers(this.#last));
    if (isPast) {
      this.#next = una;
      this.#last = una;
    }
    return this.#covers(measured);
  }

  /** The octet before `end` has arrived. */
  #covers(end: number): boolean {
    const octet = (end - 1) >>> 0;
    const range = this.#sacked.after(octet);
    return range < this.#sacked.count && !isBefore(octet, this.#sacked.from(range));
  }

  /** Starts a fast recovery if segments look lost. Returns true when it begins. */
  look(una: number, max: number, mss: number): boolean {
    if (this.#mode !== "none") return false;
    if (this.#duplicates < DUPLICATES && this.#sacked.total() <= (DUPLICATES - 1) * mss) return false;
    this.#start("fast", una, max);
    return true;
  }

  /** Looks for octets to repeat, of those before `edge`. */
  find(una: number, edge: number): boolean {
    if (this.#mode === "none") return false;
    const sacked = this.#sacked;
    let from = later(this.#next, una);
    let range = sacked.after(from);
    if (range < sacked.count && !isBefore(from, sacked.from(range))) from = sacked.to(range++);
    const isLost = range < sacked.count;
    if (!isLost && (this.#allowance <= 0 || (this.#mode === "fast" && sacked.count > 0))) return false;
    let to = isLost ? sacked.from(range) : this.#end;
    if (isBefore(edge, to)) to = edge;
    this.from = from;
    this.to = to;
    return distance(from, to) > 0;
  }

  /** The octets up to `last` are sent again. */
  repeated(last: number, max: number): void {
    this.#next = this.#last = last;
    this.#lastMax = max;
    this.#allowance--;
  }
}
