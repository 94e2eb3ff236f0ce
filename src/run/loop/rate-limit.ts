// `datarate`: the most octets a second, one way. A tenth of a second's octets may pass at once, as in pppd's character shunt.
// The Pacer keeps a queue short on a slow line. This class makes a line slow.

const BURST_MS = 100;
const LEAST_BURST = 100;
/** The shortest wait. A few octets are not worth a write. */
const TICK_MS = 10;

export class RateLimit {
  /** Octets a millisecond. */
  readonly #rate: number;
  readonly #burst: number;
  /** Octets that have passed and that the rate has not made up for, as of `#at`. */
  #level = 0;
  #at = 0;

  constructor(octetsPerSecond: number) {
    this.#rate = octetsPerSecond / 1000;
    this.#burst = Math.max(LEAST_BURST, BURST_MS * this.#rate);
  }

  /** Octets that may pass now. */
  room(now: number): number {
    this.#level = Math.max(0, this.#level - Math.max(0, now - this.#at) * this.#rate);
    this.#at = now;
    return Math.max(0, Math.floor(this.#burst - this.#level));
  }

  pass(octets: number): void {
    this.#level += octets;
  }

  /** Milliseconds until something may pass; 0: at once. */
  wait(now: number): number {
    return this.room(now) > 0 ? 0 : Math.max(TICK_MS, (this.#level - this.#burst + 1) / this.#rate);
  }
}
