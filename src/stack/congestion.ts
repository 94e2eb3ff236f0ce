// The congestion window of a connection that goes on to other networks (RFC 5681 §3, RFC 6928): routers there drop what is too
// much. A line alone needs none, because it takes packets only when it can send them.

const FIRST_SEGMENTS = 10;
/** How much of an acknowledgment counts in slow start, in segments (RFC 3465 §2.3). Later a whole window counts as a segment. */
const MOST_COUNTED = 2;
const LEAST_THRESHOLD = 2;

export class Congestion {
  /** Octets that may be in flight. */
  window: number;
  #threshold = Infinity;

  constructor(mss: number) {
    this.window = FIRST_SEGMENTS * mss;
  }

  /** Octets have arrived, of `flight` that were sent. A window that is not used does not grow. */
  acknowledged(octets: number, flight: number, mss: number): void {
    if (flight + mss <= this.window) return;
    const isSlowStart = this.window < this.#threshold;
    const share = Math.min(octets, this.window) / this.window;
    this.window += isSlowStart ? Math.min(octets, MOST_COUNTED * mss) : Math.max(1, Math.floor(mss * share));
  }

  /** Segments are missing. */
  lost(flight: number, mss: number): void {
    this.window = this.#threshold = Math.max(Math.floor(flight / 2), LEAST_THRESHOLD * mss);
  }

  /** Nothing has arrived for a while. */
  timedOut(flight: number, mss: number): void {
    this.lost(flight, mss);
    this.window = mss;
  }
}
