// Our Configure-Request: it is sent, repeated, and answered (RFC 1661 §4.6, §5.1).
//
// When both ends start together, the first request of one may go into a line that the other does not read yet. pppd
// repeats it when the restart timer ends. Here it is repeated earlier, when the peer is first heard: at once if it is
// older than UNHEARD_MS, because a peer that had received it would have answered; otherwise after `Limits.patienceMs`.

import { Code, type ConfOption, type Control, putConfigure } from "../wire/control.ts";
import type { Dialect, Limits, Lower } from "./dialect.ts";

const UNHEARD_MS = 200;

export class OwnRequest {
  /** The options of the last request. */
  options: ConfOption[] = [];
  /** The request was answered. */
  answered = false;
  /** The timer runs for {@link Limits.patienceMs} instead of the restart time. */
  hurried = false;
  readonly #dialect: Dialect;
  readonly #lower: Lower;
  readonly #limits: Limits;
  #id = -1;
  #sentAt = 0;
  #transmissions = 0;

  constructor(dialect: Dialect, lower: Lower, limits: Limits) {
    this.#dialect = dialect;
    this.#lower = lower;
    this.#limits = limits;
  }

  /** Sends a new request with the identifier `id`. */
  begin(id: number, now: number): void {
    this.#id = id;
    this.#transmissions = 0;
    this.options = this.#dialect.request();
    this.send(now);
  }

  /** Sends the request again and waits for its answer. */
  send(now: number): void {
    const { options } = this;
    this.#sentAt = now;
    this.hurried = false;
    this.#transmissions++;
    // The repeated request may be answered again. So an Ack that came too early for the state is not lost.
    this.answered = false;
    this.#dialect.requested?.();
    this.#lower.send(this.#dialect.protocol, (buf, at) => putConfigure(buf, at, Code.ConfReq, this.#id, options));
    this.#lower.wakeAt(now + this.#limits.restartMs);
  }

  /** The peer was heard for the first time. */
  peerHeard(now: number): void {
    if (now - this.#sentAt > UNHEARD_MS) {
      this.send(now);
      return;
    }
    const { patienceMs, restartMs } = this.#limits;
    if (now + patienceMs >= this.#sentAt + restartMs) return;
    this.hurried = true;
    this.#lower.wakeAt(now + patienceMs);
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

  /** The answer came. The next request waits for the whole restart time again. */
  settle(): void {
    this.answered = true;
    if (!this.hurried) return;
    this.hurried = false;
    this.#lower.wakeAt(this.#sentAt + this.#limits.restartMs);
  }
}
