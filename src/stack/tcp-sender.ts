// What the socket gives, on its way to the peer. Octets are read from the socket when the peer's window and the line have room
// for them, and kept until they are acknowledged. Packets are taken when the line wants them, so nothing queues between the stack
// and the peer, and there is a congestion window only where the line leads to other networks.
//
// Losses: three duplicate acknowledgments or SACK blocks start a fast retransmission, and the timeout of RFC 6298 the repetition
// of all that is not known to have arrived (recovery.ts).

import { TcpFlag } from "../wire/ip.ts";
import { Congestion } from "./congestion.ts";
import { Recovery } from "./recovery.ts";
import { RoundTrip } from "./round-trip.ts";
import { SendBuffer } from "./send-buffer.ts";
import type { SocketSide } from "./socket-side.ts";
import { distance, isBefore, later, type RingPool } from "./sequence.ts";
import type { TcpSegment } from "./tcp-segment.ts";

/** The most octets of one read. */
const MOST_READ = 65536;
const LEAST_MSS = 88;
const WARY_SEGMENTS = 256;
/** A repetition that waits longer than this for the line waits for a link. */
const OUTAGE_MS = 30_000;
/** Without the option (RFC 9293 §3.7.1). */
const DEFAULT_MSS = 536;

/** The line to the peer. */
export interface LineToPeer {
  /** How many octets the line takes in the time for which it may be filled ahead. */
  readonly readAhead: number;
  /** How long the line takes for so many octets. */
  msFor(octets: number): number;
  /** It leads to other networks, whose routers drop what is too much. */
  readonly leadsOn: boolean;
}

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
  /** What {@link prepare} has found to send. */
  sequence = 0;
  length = 0;
  flags = 0;
  /** When something is repeated; Infinity: nothing is in flight. */
  timeoutAt = Infinity;
  /** The peer has had the time since then for an answer to what is in flight. Infinity: nothing is. */
  unansweredSince = Infinity;
  #timedOutAt = 0;
  /** When the peer's closed window is probed. */
  probeAt = Infinity;
  repetitions = 0;
  /** For so many segments more, losses are expected. */
  #wary = 0;
  readonly roundTrip = new RoundTrip();
  readonly #line: LineToPeer;
  /** What the socket has given. The FIN has the number of its end. */
  readonly buffer: SendBuffer;
  #probes = 0;
  #isProbeDue = false;
  readonly #recovery = new Recovery();
  /** Undefined: the peer is at the other end of the line. */
  #congestion: Congestion | undefined;
  /** The timer has run out: one octet goes even into a closed window, and asks whether it is open again. */
  #isTimedOut = false;
  #measuredEnd = 0;
  #measuredAt = -1;

  /** `first` is the number of the first octet. */
  constructor(side: SocketSide, pool: RingPool, line: LineToPeer, first: number) {
    this.#line = line;
    this.buffer = new SendBuffer(side, pool, first);
    this.una = this.next = this.max = first;
  }

  /** The FIN has been sent. */
  get hasFinished(): boolean {
    return this.buffer.isEnded && isBefore(this.buffer.end, this.max);
  }

  /** The peer has acknowledged the FIN. */
  get isDone(): boolean {
    return this.buffer.isEnded && isBefore(this.buffer.end, this.una);
  }

  /**
   * The number of a segment without octets: behind all that was sent, as far as the peer's window goes. Otherwise two ends that have
   * taken each other's probes would discard each other's acknowledgments for ever.
   */
  get bareSequence(): number {
    const edge = (this.una + this.window) >>> 0;
    return isBefore(edge, this.max) ? later(edge, this.next) : this.max;
  }

  /**
   * Segments were lost lately. A peer with header compression (RFC 1144) understands none of those that follow a lost one, unless
   * their headers come whole. So the next loss would cost a timeout.
   */
  get isWary(): boolean {
    return this.#wary > 0;
  }

  /** The first window of a connection. */
  start(segment: TcpSegment, window: number): void {
    this.window = this.#mostWindow = window;
    this.#windowSequence = segment.sequence;
    this.#windowAck = segment.acknowledgment;
    if (this.#line.leadsOn) this.#congestion = new Congestion(this.mss);
  }

  /** How much of the peer's window may be used. */
  get #usableWindow(): number {
    return this.#congestion === undefined
      ? this.window
      : Math.min(this.window, this.#congestion.window + this.#recovery.sackedOctets);
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

  // ── acknowledgments ──────────────────────────────────────────────────────────────────────────────────────────────

  /** Handles the acknowledgment of a segment. False: it acknowledges what was never sent, or what is far too old (RFC 5961 §5.2). */
  acknowledge(segment: TcpSegment, now: number): boolean {
    const ack = segment.acknowledgment;
    if (isBefore(this.max, ack) || isBefore(ack, this.una - this.#mostWindow)) return false;
    const window = segment.window * 2 ** this.shift;
    if (isBefore(this.una, ack)) this.#advance(ack, now);
    else if (ack === this.una && segment.length === 0 && window === this.window && this.next !== this.una)
      this.#recovery.duplicate();
    const isOld = isBefore(ack, this.una);
    if (this.sackPermitted && segment.blocks > 0) this.#noteSack(segment, now);
    const isNewer =
      isBefore(this.#windowSequence, segment.sequence) ||
      (this.#windowSequence === segment.sequence && !isBefore(ack, this.#windowAck));
    if (!isOld && isNewer) this.#setWindow(window, segment);
    if (this.next !== this.una && this.#recovery.look(this.una, this.max, this.mss))
      this.#congestion?.lost(distance(this.una, this.max), this.mss);
    return true;
  }

  #advance(ack: number, now: number): void {
    if (this.#measuredAt >= 0 && !isBefore(ack, this.#measuredEnd)) this.#measured(now);
    if (!this.#recovery.isFast)
      this.#congestion?.acknowledged(distance(this.una, ack), distance(this.una, this.max), this.mss);
    this.una = ack;
    this.next = later(this.next, ack);
    if (this.#recovery.advance(ack)) this.roundTrip.progressed();
    if (this.next === this.una) this.timeoutAt = this.unansweredSince = Infinity;
    else this.#startTimer(now);
    if (this.buffer.end === this.una || this.isDone) this.buffer.release();
  }

  #measured(now: number): void {
    this.roundTrip.measured(now - this.#measuredAt);
    this.#measuredAt = -1;
  }

  #noteSack(segment: TcpSegment, now: number): void {
    const isMeasured = this.#recovery.noteSack(segment, this.una, this.max, this.#measuredEnd);
    if (isMeasured && this.#measuredAt >= 0) this.#measured(now);
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

  // ── timers ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #startTimer(now: number): void {
    // What is in flight and does not wait in the line has left.
    const waiting = Math.min(distance(this.una, this.next), this.#line.readAhead);
    this.timeoutAt = now + this.roundTrip.timeoutMs + this.#line.msFor(waiting + this.mss);
  }

  /** The timeout of RFC 6298 §5.4 to §5.6. It runs again from when the first repeated segment is taken. */
  handleTimeout(now: number): void {
    this.timeoutAt = Infinity;
    this.#timedOutAt = now;
    this.roundTrip.timedOut();
    this.#isTimedOut = true;
    this.#congestion?.timedOut(distance(this.una, this.max), this.mss);
    this.#repeatAll();
  }

  #repeatAll(): void {
    this.#measuredAt = -1;
    this.#recovery.startAll(this.una, this.max);
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
    if (this.#recovery.isOn && this.#prepareRepetition(size)) {
      this.repetitions++;
      this.#wary = WARY_SEGMENTS;
      if (this.timeoutAt === Infinity) {
        // While the link was down nothing was repeated, and the peer could not answer.
        if (now - this.#timedOutAt > OUTAGE_MS) this.unansweredSince = now;
        this.#startTimer(now);
      }
      return true;
    }
    if (this.#recovery.blocksNew()) return false;
    if (this.hasFinished && this.next === this.max) return false;
    this.#fill(socket);
    if (this.#isProbeDue) return this.#prepareProbe(now);
    if (!this.#prepareNew(size, now)) return false;
    if (this.#wary > 0) this.#wary--;
    if (this.#measuredAt < 0) {
      this.#measuredAt = now;
      this.#measuredEnd = this.next;
    }
    if (this.timeoutAt === Infinity) this.#startTimer(now);
    return true;
  }

  /** Copies the octets of the segment. */
  copy(into: Uint8Array, at: number): void {
    if (this.length > 0) this.buffer.copy(this.sequence, this.length, into, at);
  }

  #prepareRepetition(size: number): boolean {
    const recovery = this.#recovery;
    const { end, isEnded } = this.buffer;
    let edge = (this.una + Math.max(this.#isTimedOut ? 1 : 0, this.#usableWindow)) >>> 0;
    // A FIN needs no room.
    if (isEnded && edge === end) edge = (edge + 1) >>> 0;
    if (!recovery.find(this.una, edge)) return false;
    const { from, to } = recovery;
    this.sequence = from;
    this.length = Math.min(size, distance(from, to), Math.max(0, distance(from, end)));
    let last = (from + this.length) >>> 0;
    if (last === end) this.flags |= TcpFlag.PSH;
    if (isEnded && last === end && isBefore(end, to)) {
      this.flags |= TcpFlag.FIN;
      last = (last + 1) >>> 0;
    } else if (this.length === 0) return false;
    recovery.repeated(last, this.max);
    this.#isTimedOut = false;
    // Nobody knows which of both an acknowledgment answers. Without SACK it may also answer what was missing before.
    if (!this.sackPermitted || (isBefore(from, this.#measuredEnd) && !isBefore(last, this.#measuredEnd)))
      this.#measuredAt = -1;
    return true;
  }

  #prepareNew(size: number, now: number): boolean {
    const unsent = distance(this.next, this.buffer.end);
    const usable = distance(this.next, (this.una + this.#usableWindow) >>> 0);
    const length = Math.max(0, Math.min(size, unsent, usable));
    const isAll = length === unsent;
    const hasFin = isAll && this.buffer.isEnded;
    if (length === 0 && !(hasFin && usable >= 0 && (this.window > 0 || unsent === 0))) {
      if (unsent > 0) this.#awaitWindow(now);
      return false;
    }
    // A small window is not filled with small segments (RFC 9293 §3.8.6.2.1).
    if (length < size / 2 && !isAll) {
      if (this.next === this.una) this.#awaitWindow(now);
      return false;
    }
    if (this.next === this.una) this.unansweredSince = now;
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
    this.probeAt = now + Math.min(60_000, this.roundTrip.timeoutMs * 2 ** Math.min(this.#probes, 16));
  }

  /** One octet of new data, or as many as a small window takes (RFC 9293 §3.8.6.1). */
  #prepareProbe(now: number): boolean {
    this.#isProbeDue = false;
    const unsent = distance(this.next, this.buffer.end);
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
    const { buffer, mss } = this;
    const unsent = distance(this.next, buffer.end);
    if (unsent >= mss || !buffer.mayRead) return;
    const inWindow = distance(buffer.end, (this.una + this.#usableWindow) >>> 0);
    const ahead = Math.max(mss, Math.min(MOST_READ, this.#line.readAhead));
    buffer.fill(socket, this.una, Math.min(ahead, Math.max(inWindow, mss - unsent)), mss - unsent);
  }
}
