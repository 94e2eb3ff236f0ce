// Our Configure-Request: it is sent, repeated, and answered (RFC 1661 §4.6, §5.1).
//
// The restart timer of pppd repeats a request every 3 s, and counts. Between two of its requests come others that are not
// counted: the first after a short time, each later one after twice the time, until the restart timer is shorter. So a
// lost request costs little, and the negotiation ends with the same message at the same time as pppd's.
//
// A repetition must not reach a peer whose layer is open, because many peers take the layer down then. A peer opens after
// our Ack, which comes after all that was sent before it. So repetitions are safe until then, and wait for
// `Limits.patienceMs` afterwards.

import { Code, type ConfOption, type Control, putConfigure } from "../wire/control.ts";
import type { Dialect, Limits, Lower } from "./dialect.ts";

/** For so long the other end of a silent line is likely to be about to start. */
const EAGER_MS = 5000;

export class OwnRequest {
  /** The options of the last request. */
  options: ConfOption[] = [];
  /** The request was answered. */
  answered = false;
  readonly #dialect: Dialect;
  readonly #lower: Lower;
  readonly #limits: Limits;
  /** The peer's request, or its answer to ours, has come since the layer below is up. */
  #isPeerHeard = false;
  /** Our Ack of the peer's request is sent, so that the peer may be open. */
  #hasAcked = false;
  #id = -1;
  #begunAt = 0;
  #sentAt = 0;
  #transmissions = 0;
  /** When the restart timer ends. */
  #dueAt = -Infinity;
  /** From the last transmission to the next one that is not counted. */
  #gapMs = 0;
  /** The next transmission is not put off by our Ack. */
  #isHurried = false;

  constructor(dialect: Dialect, lower: Lower, limits: Limits) {
    this.#dialect = dialect;
    this.#lower = lower;
    this.#limits = limits;
  }

  /** The layer below is up. The peer counts as silent. */
  lowerUp(): void {
    this.#isPeerHeard = this.#hasAcked = false;
  }

  /** Sends a new request with the identifier `id`. */
  begin(id: number, now: number): void {
    const { firstMs, patienceMs } = this.#limits;
    this.#id = id;
    this.#transmissions = 0;
    this.#begunAt = now;
    this.#gapMs = this.#hasAcked ? patienceMs : firstMs;
    this.options = this.#dialect.request();
    this.send(now);
  }

  /** Sends the request, once more if it was sent before, and starts the restart timer. */
  send(now: number): void {
    this.#dueAt = now + this.#limits.restartMs;
    this.#repeat(now);
  }

  /** The timer has run out. True: the restart timer still runs, and the request was repeated if that may help. */
  repeats(now: number): boolean {
    if (now >= this.#dueAt) return false;
    if (this.#lower.isTextHeard?.() === true) this.slowDown();
    else this.#repeat(now);
    return true;
  }

  #repeat(now: number): void {
    if (this.#transmissions > 0) this.#gapMs = this.#nextGapMs(now);
    this.#transmit(now);
  }

  #transmit(now: number): void {
    const { options } = this;
    this.#sentAt = now;
    this.#isHurried = false;
    this.#transmissions++;
    // The repeated request may be answered again. So an Ack that came too early for the state is not lost.
    this.answered = false;
    this.#dialect.requested?.();
    this.#lower.send(this.#dialect.protocol, (buf, at) => putConfigure(buf, at, Code.ConfReq, this.#id, options));
    this.#wake(now + this.#gapMs);
  }

  #nextGapMs(now: number): number {
    const { eagerMs, patienceMs } = this.#limits;
    const doubled = 2 * this.#gapMs;
    if (this.#hasAcked) return Math.max(doubled, patienceMs);
    const isEager = eagerMs !== undefined && !this.#isPeerHeard && now < this.#begunAt + EAGER_MS;
    return isEager ? Math.min(doubled, Math.max(eagerMs, this.#gapMs)) : doubled;
  }

  #wake(at: number): void {
    this.#lower.wakeAt(Math.min(at, this.#dueAt));
  }

  /**
   * The peer's first request came. It would have answered a request of ours that is old enough, so that one was lost.
   * The answer to a younger one may be on the way. One that was sent because of the peer's request is not lost.
   */
  peerHeard(now: number): void {
    const { firstMs, patienceMs, unheardMs = firstMs, hurryMs = patienceMs } = this.#limits;
    this.#isPeerHeard = true;
    this.#gapMs = firstMs;
    if (now - this.#begunAt > unheardMs) return this.#transmit(now);
    this.#isHurried = now > this.#begunAt;
    if (this.#isHurried) this.#wake(now + hurryMs);
  }

  /** The peer's request was answered. */
  answerSent(isAck: boolean, now: number): void {
    const isFirst = isAck && !this.#hasAcked;
    this.#hasAcked = isAck;
    if (!isFirst || this.#isHurried || this.answered || now >= this.#dueAt) return;
    this.#gapMs = Math.max(this.#gapMs, this.#limits.patienceMs);
    this.#wake(now + this.#gapMs);
  }

  /** True for an answer to another request, and for a second answer. */
  isStray(control: Control): boolean {
    return control.id !== this.#id || this.answered;
  }

  /** A Nak may add options. A Reject can only name options that we asked for, each once. */
  isRejectable(options: readonly ConfOption[]): boolean {
    const types = options.map(({ type }) => type);
    return new Set(types).size === types.length && types.every((type) => this.options.some((one) => one.type === type));
  }

  /** An Ack came. If the request was sent once, the Ack shows how long the line takes. */
  acknowledged(now: number): void {
    if (this.#transmissions === 1) this.#lower.roundTrip(now - this.#sentAt);
    this.settle();
  }

  /** The answer came. What comes next has the whole restart time. */
  settle(): void {
    this.answered = this.#isPeerHeard = true;
    this.#dueAt = this.#sentAt + this.#limits.restartMs;
    this.slowDown();
  }

  /** Only the restart timer repeats this request from now on. */
  slowDown(): void {
    this.#gapMs = this.#limits.restartMs;
    this.#wake(Infinity);
  }

  /** No request is under way: the timer is another's. */
  stop(): void {
    this.#dueAt = -Infinity;
  }
}
