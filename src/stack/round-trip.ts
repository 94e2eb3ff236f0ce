// The retransmission timeout (RFC 6298).

/** Before there is a measurement. */
const FIRST_MS = 1000;
const AFTER_LOST_SYN_MS = 3000;
/** The RFC says a second. Linux uses 200 ms, and a cable between two computers is no ocean. */
const LEAST_MS = 200;
const MOST_MS = 60_000;
const GRANULARITY_MS = 10;

export class RoundTrip {
  #smoothed = -1;
  #variance = 0;
  #timeout = FIRST_MS;
  #backoff = 1;

  /** The time from a segment, sent once, to its acknowledgment. It ends the backoff (Karn's algorithm, RFC 6298 §3). */
  measured(ms: number): void {
    this.#backoff = 1;
    if (this.#smoothed < 0) {
      this.#smoothed = ms;
      this.#variance = ms / 2;
    } else {
      this.#variance = 0.75 * this.#variance + 0.25 * Math.abs(this.#smoothed - ms);
      this.#smoothed = 0.875 * this.#smoothed + 0.125 * ms;
    }
    this.#timeout = Math.max(LEAST_MS, this.#smoothed + Math.max(GRANULARITY_MS, 4 * this.#variance));
  }

  get timeoutMs(): number {
    return Math.min(MOST_MS, this.#timeout * this.#backoff);
  }

  timedOut(): void {
    if (this.timeoutMs < MOST_MS) this.#backoff *= 2;
  }

  /** The timeout was right: what it has repeated was lost. */
  progressed(): void {
    this.#backoff = 1;
  }

  /** A SYN had to be repeated (RFC 6298 §5.7). */
  startOver(): void {
    this.#backoff = 1;
    this.#timeout = AFTER_LOST_SYN_MS;
  }
}
