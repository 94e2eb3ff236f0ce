// Our Configure-Request on its way: sent, repeated, hurried and answered (RFC 1661 §4.6, §5.1).
//
// Both ends may be started together, and then the first request of one goes into a line that the other does not read yet.
// pppd waits for the restart timer. Here a request that has not been answered by the time the peer is first heard is sent
// again: at once if it is older than UNHEARD_MS, because an answer would have come; else after `Limits.patienceMs`.

import { Code, type ConfOption, type Control, putConfigure } from "../wire/control.ts";
import type { Dialect, Limits, Lower } from "./dialect.ts";

const UNHEARD_MS = 200;

export class OwnRequest {
  /** What was asked for last. */
  options: ConfOption[] = [];
  /** Its answer came. */
  answered = false;
  /** The timer runs for {@link Limits.patienceMs}, not for the restart timer. */
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

  /** Sends the request as it stands, and waits for its answer anew. */
  send(now: number): void {
    const { options } = this;
    this.#sentAt = now;
    this.hurried = false;
    this.#transmissions++;
    // Repeated, it may be answered again: an Ack that came too early for the state is not missed twice.
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

  /** A Nak may add options; a Reject can only name some of what we asked for, each once. */
  isRejectable(options: readonly ConfOption[]): boolean {
    const types = options.map(({ type }) => type);
    return new Set(types).size === types.length && types.every((type) => this.options.some((one) => one.type === type));
  }

  /** An Ack came, which tells how long the line takes if the request was sent once. */
  acknowledged(now: number): void {
    if (this.#transmissions === 1) this.#lower.roundTrip(now - this.#sentAt);
    this.settle();
  }

  /** The answer came. The restart timer runs as if there had been no hurry. */
  settle(): void {
    this.answered = true;
    if (!this.hurried) return;
    this.hurried = false;
    this.#lower.wakeAt(this.#sentAt + this.#limits.restartMs);
  }
}
