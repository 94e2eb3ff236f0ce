// How far the line is behind what was written to it, told by its speed and the clock.
//
// A kernel takes 4 KB for a UART and 12 to 21 KB for a pty long before the line has sent them, and at 115200 that is one
// to two seconds in which every packet behind waits. So packets are taken from the TUN no sooner than the line is about
// to need them. The driver's own count (TIOCOUTQ) is better where there is one, but a pty and many an adapter say 0.

/** How long the line must stay busy on its own while the owner sleeps, polls, reads and frames the next packet. */
const AHEAD_MS = 6;
const LEAST_AHEAD = 64;
/** Read-ahead on a line whose speed is unknown: it says itself when it is full. */
const UNPACED_AHEAD = 32768;
const OCTET_BITS = 10;
/** A line of unknown speed that takes more octets a millisecond is fast; so long it is looked at before that is said. */
const FAST = 2000;
const LOOK_MS = 50;

export class Pacer {
  /** Octets a millisecond; 0: unknown, nothing is paced. */
  #rate: number;
  /** When the line will have sent all that was written. */
  #doneAt = 0;
  /** Of a line of unknown speed: octets written, and the time in which it would take no more of them. */
  #octets = 0;
  #busyMs = 0;
  #stalledAt = Infinity;
  #slow = false;

  /** `speed` in bits a second, 8N1; 0: unknown. */
  constructor(speed: number) {
    this.#rate = speed / OCTET_BITS / 1000;
  }

  get paced(): boolean {
    return this.#rate > 0;
  }

  /** Octets a millisecond; 0: unknown. */
  get rate(): number {
    return this.#rate;
  }

  /** The line is faster than a compressor, as far as it has shown. */
  get fast(): boolean {
    return this.#rate === 0 && !this.#slow;
  }

  /** The line would take no more for now. */
  stalled(now: number): void {
    this.#stalledAt = Math.min(this.#stalledAt, now);
  }

  wrote(octets: number, now: number): void {
    if (this.#rate === 0) this.#watch(octets, now);
    else this.#doneAt = Math.max(this.#doneAt, now) + octets / this.#rate;
  }

  /** A line that never stalls is not the bottleneck, however fast it would be. */
  #watch(octets: number, now: number): void {
    this.#octets += octets;
    this.#busyMs += Math.max(0, now - this.#stalledAt);
    this.#stalledAt = Infinity;
    if (this.#busyMs < LOOK_MS && this.#octets < LOOK_MS * FAST) return;
    this.#slow = this.#octets < FAST * this.#busyMs;
    this.#octets = this.#busyMs = 0;
  }

  /** Octets on their way to the line: `ours` not written yet, and of those written what the driver or the clock says. */
  ahead(ours: number, driver: number, now: number): number {
    return ours + Math.max(driver, Math.max(0, this.#doneAt - now) * this.#rate);
  }

  get #limit(): number {
    return this.#rate === 0 ? UNPACED_AHEAD : Math.max(LEAST_AHEAD, AHEAD_MS * this.#rate);
  }

  /** Whether the next packet may be taken, with `ours` octets not written yet and `driver` in the driver's queue. */
  hungry(ours: number, driver: number, now: number): boolean {
    return this.ahead(ours, driver, now) < this.#limit;
  }

  /** Milliseconds until it may, if nothing more is written; Infinity: the line itself will say so. */
  wait(ours: number, driver: number, now: number): number {
    if (this.#rate === 0) return Infinity;
    return Math.max(0, this.ahead(ours, driver, now) - this.#limit) / this.#rate;
  }

  /**
   * A request of `octets` had its answer, as long as itself, after so many milliseconds. An answer sooner than the speed
   * allows proves the speed a fiction: a pty, a USB gadget, Bluetooth. Nothing is paced from then on.
   */
  roundTrip(octets: number, milliseconds: number): void {
    if (this.#rate > 0 && milliseconds < octets / this.#rate) this.#rate = 0;
  }
}
