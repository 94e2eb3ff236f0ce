// How much more than its own speed a line carries: octets of packets for one octet that is left of them when headers and
// data are compressed, lately.

/** Octets of packets it is reckoned over, roughly: at 115200 half a second of text, and a second of what does not shrink. */
const LATELY = 12_000;
/** More than this is not said: of what comes to nothing on the line a few packets would be said to be many. */
const MOST = 4;

export class Gain {
  #packets = 0;
  #left = 0;

  /** A packet of `octets`, and what went into its frame. */
  count(octets: number, left: number): void {
    this.#packets += octets;
    this.#left += left;
    if (this.#packets < LATELY) return;
    this.#packets /= 2;
    this.#left /= 2;
  }

  /** 1 … MOST. */
  get ratio(): number {
    return this.#left === 0 ? 1 : Math.min(MOST, Math.max(1, this.#packets / this.#left));
  }
}
