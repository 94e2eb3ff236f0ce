// Tells data that does not shrink, because it is compressed or encrypted already, from other data.

/** Shorter packets never count as noise, because much of them is headers. */
const SAMPLE_FROM = 384;
const SAMPLE = 256;
/** 256 octets of noise have 162 different values, plus or minus 5. Machine code has about 100, text 40. */
const NOISE_DISTINCT = 140;

export class Noise {
  readonly #seen = new Uint8Array(256);
  #stamp = 0;

  /** True when the end of packet[start, end) looks like noise. */
  isIn(packet: Uint8Array, start: number, end: number): boolean {
    return end - start >= SAMPLE_FROM && this.#distinct(packet, end - SAMPLE, end) >= NOISE_DISTINCT;
  }

  #distinct(packet: Uint8Array, start: number, end: number): number {
    const seen = this.#seen;
    let distinct = 0;
    if (++this.#stamp === 256) {
      seen.fill(0);
      this.#stamp = 1;
    }
    const stamp = this.#stamp;
    for (let at = start; at < end; at++) {
      const octet = packet[at]!;
      if (seen[octet] !== stamp) {
        seen[octet] = stamp;
        distinct++;
      }
    }
    return distinct;
  }
}
