// Computes from the speed and the clock how much of what was written the line has not sent yet.
//
// A kernel buffers 4 KB for a UART and 12 to 21 KB for a pty. At 115200 each new packet would wait one to two seconds behind
// that. So a packet is taken from the packet port only when the line is about to need it. The driver's own count (TIOCOUTQ) is
// better where there is one, but a pty and many adapters report 0.

/**
 * How long the line must stay busy on its own while the owner sleeps, polls, reads and frames the next packet: at first, and at
 * least and at most, as late as the owner has been of late. Each millisecond of it delays a ping.
 */
const AHEAD_MS = 6;
const LEAST_AHEAD_MS = 2;
const MOST_AHEAD_MS = 12;
const LEAST_AHEAD = 16;
/** Added to how late the owner was. */
const SPARE_MS = 1;
/** After this time without another delay, half of it is forgotten. */
const HALF_LIFE_MS = 3000;
/** Octets to give to a line of unknown speed. Its descriptor tells when it is full. */
const UNPACED_AHEAD = 32768;
const OCTET_BITS = 10;
/** A line of unknown speed is fast when it takes more octets a millisecond than this, measured over LOOK_MS. */
const FAST = 2000;
const LOOK_MS = 50;

export class Pacer {
  /** Octets a millisecond; 0: unknown, nothing is paced. */
  #rate: number;
  /** That of the line, and the most that are to be sent. */
  #lineRate: number;
  #mostRate = Infinity;
  /** When the line will have sent all that was written. */
  #doneAt = 0;
  #aheadMs = AHEAD_MS;
  #writtenAt = 0;
  /** For how long the line was still busy when it was found hungry, or how long not any more. NaN: not since the last write. */
  #leftMs = NaN;
  /** Nothing was there to be written when the line wanted something. */
  #isStarved = true;
  /** For a line of unknown speed: octets written, and for how long it took no more. */
  #octets = 0;
  #busyMs = 0;
  #stalledAt = Infinity;
  #slow = false;

  /** `speed` in bits a second, 8N1; 0: unknown. */
  constructor(speed: number) {
    this.#rate = this.#lineRate = speed / OCTET_BITS / 1000;
  }

  get paced(): boolean {
    return this.#rate > 0;
  }

  /** Octets a millisecond; 0: unknown. */
  get rate(): number {
    return this.#rate;
  }

  /** Bits a second; 0: unknown. */
  get speed(): number {
    return this.#rate * OCTET_BITS * 1000;
  }

  /** The line has another speed from now on. */
  setSpeed(speed: number): void {
    this.#lineRate = speed / OCTET_BITS / 1000;
    this.#setRate();
  }

  /** At most so many octets a second are written from now on. Infinity: as many as the line takes. */
  limitTo(octetsPerSecond: number): void {
    this.#mostRate = octetsPerSecond / 1000;
    this.#setRate();
  }

  #setRate(): void {
    const rate = Math.min(this.#lineRate === 0 ? Infinity : this.#lineRate, this.#mostRate);
    this.#rate = rate === Infinity ? 0 : rate;
    this.#doneAt = 0;
  }

  /** The line seems to be faster than a compressor. */
  get fast(): boolean {
    return this.#rate === 0 && !this.#slow;
  }

  /** The line takes no more for now. */
  stalled(now: number): void {
    this.#stalledAt = Math.min(this.#stalledAt, now);
  }

  wrote(octets: number, now: number): void {
    if (this.#rate === 0) {
      this.#watch(octets, now);
      return;
    }
    this.#learn(now);
    this.#doneAt = Math.max(this.#doneAt, now) + octets / this.#rate;
  }

  /** The line wants something, and there is nothing to be written. */
  starves(): void {
    this.#isStarved = true;
  }

  /** How late is the owner that writes now? */
  #learn(now: number): void {
    const since = Math.max(0, now - this.#writtenAt);
    const lateMs = this.#isStarved ? NaN : this.#aheadMs - this.#leftMs;
    this.#writtenAt = now;
    this.#isStarved = false;
    this.#leftMs = NaN;
    if (Number.isNaN(lateMs)) return;
    const rest = LEAST_AHEAD_MS + (this.#aheadMs - LEAST_AHEAD_MS) * 0.5 ** (since / HALF_LIFE_MS);
    this.#aheadMs = Math.min(MOST_AHEAD_MS, Math.max(rest, lateMs + SPARE_MS));
  }

  /** A line that never stalls is not the bottleneck, so it counts as fast. */
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
    return this.#rate === 0 ? UNPACED_AHEAD : Math.max(LEAST_AHEAD, this.#aheadMs * this.#rate);
  }

  /** Whether the next packet may be taken, with `ours` octets not written yet and `driver` in the driver's queue. */
  hungry(ours: number, driver: number, now: number): boolean {
    if (this.#rate === 0) return ours + driver <= UNPACED_AHEAD;
    const ahead = this.ahead(ours, driver, now);
    if (ahead > this.#limit) return false;
    this.#leftMs = ahead > 0 ? ahead / this.#rate : this.#doneAt - now;
    return true;
  }

  /** Milliseconds until it may, if nothing more is written; Infinity: the descriptor tells. */
  wait(ours: number, driver: number, now: number): number {
    if (this.#rate === 0) return Infinity;
    return Math.max(0, this.ahead(ours, driver, now) - this.#limit) / this.#rate;
  }

  /**
   * A request of `octets` was answered after so many milliseconds, by an answer of the same length. An answer sooner than the
   * speed allows proves that the speed is not real: a pty, a USB gadget, Bluetooth. Nothing is paced from then on.
   */
  roundTrip(octets: number, milliseconds: number): void {
    if (this.#rate > 0 && milliseconds < octets / this.#rate) this.#rate = this.#lineRate = 0;
  }
}
