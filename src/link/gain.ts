// The gain by compression: octets of packets for one octet on the line, over the latest traffic.

/**
 * The octets of packets that the average covers by default. At 115200 bit/s that is half a second of text, and a second
 * of data that does not shrink.
 */
const LATELY = 12_000;
/** The highest ratio. Packets that compress to almost nothing would give a ratio that holds for no others. */
const MOST = 4;

export class Gain {
  readonly #lately: number;
  #packets = 0;
  #left = 0;

  constructor(lately = LATELY) {
    this.#lately = lately;
  }

  /** Counts a packet of `octets`, of which `left` went into its frame. */
  count(octets: number, left: number): void {
    this.#packets += octets;
    this.#left += left;
    if (this.#packets < this.#lately) return;
    this.#packets /= 2;
    this.#left /= 2;
  }

  /** The gain, from 1 to MOST. */
  get ratio(): number {
    return this.#left === 0 ? 1 : Math.min(MOST, Math.max(1, this.#packets / this.#left));
  }
}
