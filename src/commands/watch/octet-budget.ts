// How much may be written: people watch over a serial console, or over the very link that they look at.

export class OctetBudget {
  readonly #most: number;
  readonly #windowMs: number;
  #written: { readonly at: number; readonly octets: number }[] = [];

  /** At most so many octets in any stretch of this time. */
  constructor(most: number, windowMs = 1000) {
    this.#most = most;
    this.#windowMs = windowMs;
  }

  room(now: number): number {
    this.#written = this.#written.filter(({ at }) => now - at < this.#windowMs);
    return this.#most - this.#written.reduce((sum, { octets }) => sum + octets, 0);
  }

  spend(octets: number, now: number): void {
    if (octets > 0) this.#written.push({ at: now, octets });
  }

  /** When there is more room than now. */
  nextRoomAt(now: number): number {
    const [oldest] = this.#written;
    return oldest === undefined ? now : oldest.at + this.#windowMs;
  }
}
