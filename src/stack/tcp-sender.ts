// What the socket gives, on its way to the peer. Octets are read from the socket when the peer's window and the line have room
// for them, and kept until they are acknowledged. There is no congestion window: packets are taken when the line wants them,
// so nothing queues between the stack and the peer.
//
// Losses: three duplicate acknowledgments or SACK blocks start a fast retransmission (RFC 5681 §3.2, RFC 6675), and the
// timeout of RFC 6298 the repetition of all that is not known to have arrived, doubling its pace with each answer.

import { TcpFlag } from "../wire/ip.ts";
import { RoundTrip } from "./round-trip.ts";
import { FAILED, NOT_NOW, type SocketSide } from "./socket-side.ts";
import { distance, isBefore, later, type RingPool, SequenceRanges, type SequenceRing } from "./sequence.ts";
import { isSackSound, type TcpSegment } from "./tcp-segment.ts";

const FIRST_RING = 16384;
const MOST_RING = 262144;
/** The most octets of one read. */
const MOST_READ = 65536;
const DUPLICATES = 3;
const LEAST_MSS = 88;
/** Without the option (RFC 9293 §3.7.1). */
const DEFAULT_MSS = 536;

/** The line to the peer. */
export interface LineToPeer {
  /** How many octets the line takes in the time for which it may be filled ahead. */
  readonly readAhead: number;
  /** How long the line takes for so many octets. */
  msFor(octets: number): number;
}

type Recovery = "none" | "fast" | "timeout";

export class TcpSender {
  /** The oldest octet that is not acknowledged, and the next to send. */
  una: number;
  next: number;
  /** One past the highest number ever sent. It is ahead of {@link next} after a probe of a closed window. */
  max: number;
  /** The size of the peer's window, and the segment that told of it. */
  window = 0;
  #mostWindow = 0;
  #windowSequence = 0;
  #windowAck = 0;
  /** The largest segment. */
  mss = DEFAULT_MSS;
  /** What the peer and the path to it take. */
  #mostMss = DEFAULT_MSS;
  shift = 0;
  sackPermitted = false;
  hasFailed = false;
  /** The socket has given its last octet: the FIN has the number {@link #end}. */
  isEnded = false;
  /** What {@link prepare} has found to send. */
  sequence = 0;
  length = 0;
  flags = 0;
  /** When something is repeated; Infinity: nothing is in flight. */
  timeoutAt = Infinity;
  /** When the peer's closed window is probed. */
  probeAt = Infinity;
  repetitions = 0;
  readonly roundTrip = new RoundTrip();
  readonly #side: SocketSide;
  readonly #pool: RingPool;
  readonly #line: LineToPeer;
  #ring: SequenceRing | undefined;
  /** One past the last octet that was read from the socket. */
  #end: number;
  #mayRead = true;
  #probes = 0;
  #isProbeDue = false;
  #recovery: Recovery = "none";
  /** The recovery ends here. */
  #recover = 0;
  /** The next octet to repeat. */
  #repeat = 0;
  /** How many segments may be repeated now. */
  #allowance = 0;
  /** The timer has run out: one octet goes even into a closed window, and asks whether it is open again. */
  #isTimedOut = false;
  #duplicates = 0;
  readonly #sacked = new SequenceRanges();
  #measuredEnd = 0;
  #measuredAt = -1;

  /** `first` is the number of the first octet. */
  constructor(side: SocketSide, pool: RingPool, line: LineToPeer, first: number) {
    this.#side = side;
    this.#pool = pool;
    this.#line = line;
    this.una = this.next = this.max = this.#end = first;
  }

  /** The FIN has been sent. */
  get hasFinished(): boolean {
    return this.isEnded && isBefore(this.#end, this.max);
  }

  /** The peer has acknowledged the FIN. */
  get isDone(): boolean {
    return this.isEnded && isBefore(this.#end, this.una);
  }

  /**
   * The number of a segment without octets: behind all that was sent, as far as the peer's window goes. Otherwise two ends that have
   * taken each other's probes would discard each other's acknowledgments for ever.
   */
  get bareSequence(): number {
    const edge = (this.una + this.window) >>> 0;
    return isBefore(edge, this.max) ? later(edge, this.next) : this.max;
  }

  readable(): void {
    this.#mayRead = true;
  }

  /** The first window of a connection. */
  start(segment: TcpSegment, window: number): void {
    this.window = this.#mostWindow = window;
    this.#windowSequence = segment.sequence;
    this.#windowAck = segment.acknowledgment;
  }

  /** The peer takes segments of this size (0: it has not said), and a packet of the link has `room` for so many octets. */
  offerMss(mss: number, room: number): void {
    this.#mostMss = Math.max(LEAST_MSS, mss === 0 ? DEFAULT_MSS : mss);
    this.fitMss(room);
  }

  fitMss(room: number): void {
    this.mss = Math.min(this.#mostMss, room);
  }

  /** The path takes only this size. What is in flight may be lost, and is repeated (RFC 1191 §6.4). */
  limitMss(mss: number): void {
    if (mss >= this.mss) return;
    this.mss = this.#mostMss = Math.max(LEAST_MSS, mss);
    if (this.next !== this.una) this.#repeatAll();
  }

  release(): void {
    if (this.#ring !== undefined) this.#pool.giveBack(this.#ring);
    this.#ring = undefined;
  }

  // ── acknowledgments ──────────────────────────────────────────────────────────────────────────────────────────────

  /** Handles the acknowledgment of a segment. False: it acknowledges what was never sent, or what is far too old (RFC 5961 §5.2). */
  acknowledge(segment: TcpSegment, now: number): boolean {
    const ack = segment.acknowledgment;
    if (isBefore(this.max, ack) || isBefore(ack, this.una - this.#mostWindow)) return false;
    const window = segment.window * 2 ** this.shift;
    if (isBefore(this.una, ack)) this.#advance(ack, now);
    else if (ack === this.una && segment.length === 0 && window === this.window && this.next !== this.una)
      this.#duplicates++;
    const isOld = isBefore(ack, this.una);
    if (this.sackPermitted && segment.blocks > 0) this.#noteSack(segment);
    const isNewer =
      isBefore(this.#windowSequence, segment.sequence) ||
      (this.#windowSequence === segment.sequence && !isBefore(ack, this.#windowAck));
    if (!isOld && isNewer) this.#setWindow(window, segment);
    if (this.#recovery === "none" && this.next !== this.una && this.#looksLost()) this.#recoverFast();
    return true;
  }

  #advance(ack: number, now: number): void {
    if (this.#measuredAt >= 0 && !isBefore(ack, this.#measuredEnd)) {
      this.roundTrip.measured(now - this.#measuredAt);
      this.#measuredAt = -1;
    }
    this.una = ack;
    this.next = later(this.next, ack);
    this.#duplicates = 0;
    this.#sacked.dropBefore(ack);
    if (this.#recovery !== "none") this.#progressRecovery();
    if (this.next === this.una) this.timeoutAt = Infinity;
    else this.#startTimer(now);
    if (this.#end === this.una || this.isDone) this.release();
  }

  #progressRecovery(): void {
    if (!isBefore(this.una, this.#recover)) {
      this.#recovery = "none";
      return;
    }
    this.#repeat = later(this.#repeat, this.una);
    if (this.#recovery === "timeout") this.#allowance += 2;
    else if (!this.sackPermitted) {
      // A partial acknowledgment: the next segment is lost as well (RFC 6582 §3.2).
      this.#repeat = this.una;
      this.#allowance = 1;
    }
  }

  #noteSack(segment: TcpSegment): void {
    const before = this.#sacked.total();
    for (let block = 0; block < segment.blocks; block++)
      if (isSackSound(segment, block, this.una, this.max))
        this.#sacked.add(segment.sack[2 * block]!, segment.sack[2 * block + 1]!);
    if (this.#recovery === "timeout" && this.#sacked.total() > before) this.#allowance++;
  }

  #setWindow(window: number, segment: TcpSegment): void {
    if (window > 0 && window >= this.window) this.#probes = 0;
    // What was sent into the closed window was refused.
    if (window > 0 && this.window === 0 && this.next !== this.una) this.#repeatAll();
    this.window = window;
    this.#mostWindow = Math.max(this.#mostWindow, window);
    this.#windowSequence = segment.sequence;
    this.#windowAck = segment.acknowledgment;
    if (window > 0) this.probeAt = Infinity;
  }

  #looksLost(): boolean {
    return this.#duplicates >= DUPLICATES || this.#sacked.total() > (DUPLICATES - 1) * this.mss;
  }

  #recoverFast(): void {
    this.#recovery = "fast";
    this.#recover = this.max;
    this.#repeat = this.una;
    this.#allowance = 1;
  }

  // ── timers ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #startTimer(now: number): void {
    this.timeoutAt = now + this.roundTrip.timeoutMs + this.#line.msFor(distance(this.una, this.next) + this.mss);
  }

  /** The timeout of RFC 6298 §5.4 to §5.6. It runs again from when the first repeated segment is taken. */
  handleTimeout(): void {
    this.timeoutAt = Infinity;
    this.roundTrip.timedOut();
    this.#isTimedOut = true;
    this.#repeatAll();
  }

  #repeatAll(): void {
    this.#measuredAt = -1;
    // The peer may have dropped what it reported by SACK (RFC 2018 §8).
    this.#sacked.clear();
    this.#recovery = "timeout";
    this.#recover = this.max;
    this.#repeat = this.una;
    this.#allowance = 1;
  }

  handleProbe(): void {
    this.probeAt = Infinity;
    this.#isProbeDue = true;
  }

  // ── what to send ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Looks for a segment of at most `most` octets to send. Sets {@link sequence}, {@link length} and {@link flags}. */
  prepare(socket: number, most: number, now: number): boolean {
    const size = Math.min(most, this.mss);
    this.flags = 0;
    if (this.#recovery !== "none" && this.#prepareRepetition(size)) {
      this.repetitions++;
      this.#measuredAt = -1;
      this.#startTimer(now);
      return true;
    }
    if (this.#recovery === "timeout" && isBefore(this.#repeat, this.#recover)) return false;
    if (this.hasFinished && this.next === this.max) return false;
    this.#fill(socket);
    if (this.#isProbeDue) return this.#prepareProbe(now);
    if (!this.#prepareNew(size, now)) return false;
    if (this.#measuredAt < 0) {
      this.#measuredAt = now;
      this.#measuredEnd = this.next;
    }
    if (this.timeoutAt === Infinity) this.#startTimer(now);
    return true;
  }

  /** Copies the octets of the segment. */
  copy(into: Uint8Array, at: number): void {
    if (this.length > 0) this.#ring?.copy(this.sequence, this.length, into, at);
  }

  #prepareRepetition(size: number): boolean {
    const sacked = this.#sacked;
    const isSelective = this.#recovery === "fast" && sacked.count > 0;
    if (!isSelective && this.#allowance <= 0) return false;
    let from = later(this.#repeat, this.una);
    let range = sacked.after(from);
    if (range < sacked.count && !isBefore(from, sacked.from(range))) from = sacked.to(range++);
    let limit = this.#recover;
    if (range < sacked.count) limit = sacked.from(range);
    else if (isSelective) return false;
    const edge = (this.una + Math.max(this.#isTimedOut ? 1 : 0, this.window)) >>> 0;
    if (isBefore(edge, limit)) limit = edge;
    if (!isBefore(from, limit)) return false;
    this.sequence = from;
    this.length = Math.min(size, distance(from, limit), Math.max(0, distance(from, this.#end)));
    const last = (from + this.length) >>> 0;
    if (last === this.#end) this.flags |= TcpFlag.PSH;
    if (this.isEnded && last === this.#end && isBefore(this.#end, this.#recover)) this.flags |= TcpFlag.FIN;
    else if (this.length === 0) return false;
    this.#repeat = (last + (this.flags & TcpFlag.FIN ? 1 : 0)) >>> 0;
    this.#allowance--;
    this.#isTimedOut = false;
    return true;
  }

  #prepareNew(size: number, now: number): boolean {
    const unsent = distance(this.next, this.#end);
    const usable = distance(this.next, (this.una + this.window) >>> 0);
    const length = Math.max(0, Math.min(size, unsent, usable));
    const isAll = length === unsent;
    const hasFin = isAll && this.isEnded;
    if (length === 0 && !(hasFin && usable >= 0 && (this.window > 0 || unsent === 0))) {
      if (unsent > 0) this.#awaitWindow(now);
      return false;
    }
    // A small window is not filled with small segments (RFC 9293 §3.8.6.2.1).
    if (length < size / 2 && !isAll) {
      if (this.next === this.una) this.#awaitWindow(now);
      return false;
    }
    this.sequence = this.next;
    this.length = length;
    if (isAll) this.flags |= TcpFlag.PSH;
    if (hasFin) this.flags |= TcpFlag.FIN;
    this.next = (this.next + length + (hasFin ? 1 : 0)) >>> 0;
    this.max = later(this.max, this.next);
    return true;
  }

  /** The window is too small, and nothing is in flight whose acknowledgment would tell of a larger one. */
  #awaitWindow(now: number): void {
    if (this.next !== this.una || this.probeAt < Infinity) return;
    const probes = this.window === 0 ? Math.min(this.#probes, 16) : 0;
    this.probeAt = now + Math.min(60_000, this.roundTrip.timeoutMs * 2 ** probes);
  }

  /** One octet of new data, or as many as a small window takes (RFC 9293 §3.8.6.1). */
  #prepareProbe(now: number): boolean {
    this.#isProbeDue = false;
    const unsent = distance(this.next, this.#end);
    if (unsent <= 0 || this.next !== this.una) return false;
    this.sequence = this.next;
    this.length = Math.max(1, Math.min(unsent, this.window, this.mss));
    this.max = later(this.max, (this.next + this.length) >>> 0);
    this.#probes++;
    this.#awaitWindow(now);
    return true;
  }

  // ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Reads from the socket as far as the peer's window goes, and always enough for one segment. */
  #fill(socket: number): void {
    const unsent = distance(this.next, this.#end);
    if (this.isEnded || !this.#mayRead || unsent >= this.mss) return;
    const inWindow = distance(this.#end, (this.una + this.window) >>> 0);
    const ahead = Math.max(this.mss, Math.min(MOST_READ, this.#line.readAhead));
    const want = Math.min(ahead, Math.max(inWindow, this.mss - unsent));
    const ring = this.#ringFor(want);
    const count = ring.straight(this.#end, Math.min(want, ring.size - distance(this.una, this.#end)));
    if (count <= 0) return;
    const got = this.#side.read(socket, ring.bytes, ring.placeOf(this.#end), count);
    if (got > 0) this.#end = (this.#end + got) >>> 0;
    else {
      this.#mayRead = false;
      if (got === 0) this.isEnded = true;
      else if (got === FAILED) this.hasFailed = true;
      else if (got !== NOT_NOW) throw new RangeError(`a socket read ${got} octets`);
      if (this.#end === this.una) this.release();
      return;
    }
    // The rest of the segment may lie at the beginning of the ring.
    if (got === count && count < want && unsent + got < this.mss) this.#fill(socket);
  }

  /** The ring, larger if it should be and may be. */
  #ringFor(want: number): SequenceRing {
    const held = distance(this.una, this.#end);
    let ring = (this.#ring ??= this.#pool.take(FIRST_RING, true)!);
    while (held + want > ring.size && ring.size < MOST_RING) {
      const larger = this.#pool.take(ring.size * 4, false);
      if (larger === undefined) break;
      for (let done = 0; done < held;) {
        const from = (this.una + done) >>> 0;
        const count = ring.straight(from, held - done);
        larger.put(from, ring.bytes, ring.placeOf(from), count);
        done += count;
      }
      this.#pool.giveBack(ring);
      this.#ring = ring = larger;
    }
    return ring;
  }
}
