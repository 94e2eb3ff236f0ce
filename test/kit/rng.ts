// Repeatable random numbers: sfc32 with a seed of 32 bits.

export class Rng {
  readonly seed: number;
  #a: number;
  #b: number;
  #c = 1;
  #counter = 1;

  constructor(seed: number) {
    this.seed = seed >>> 0;
    this.#a = this.seed;
    this.#b = ~this.seed | 0;
    // After some rounds, two similar seeds give different numbers.
    for (let round = 0; round < 15; round++) this.u32();
  }

  /** 0 … 2^32 - 1 */
  u32(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** 0 ≤ x < 1, 53 random bits. */
  float(): number {
    return ((this.u32() >>> 5) * 2 ** 26 + (this.u32() >>> 6)) / 2 ** 53;
  }

  /** An integer, 0 ≤ x < limit. */
  below(limit: number): number {
    return Math.floor(this.float() * limit);
  }

  chance(probability: number): boolean {
    return this.float() < probability;
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new Error("pick: nothing to pick from");
    return items[this.below(items.length)] as T;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.u32() >>> 24);
  }

  /** The number of trials until the first success with this probability: 1, 2, … or Infinity. */
  gap(probability: number): number {
    if (probability <= 0) return Infinity;
    if (probability >= 1) return 1;
    return Math.floor(Math.log1p(-this.float()) / Math.log1p(-probability)) + 1;
  }
}

/**
 * Runs `body` with a new seed, or with that of NULLMODEM_SEED. When it fails, the message has the seed and how to use
 * it.
 */
export async function withRng(body: (rng: Rng) => void | Promise<void>): Promise<void> {
  const given = process.env["NULLMODEM_SEED"];
  const seed = given === undefined ? crypto.getRandomValues(new Uint32Array(1))[0]! : Number(given);
  if (!Number.isInteger(seed)) throw new Error(`NULLMODEM_SEED is not a number: ${given}`);
  try {
    await body(new Rng(seed));
  } catch (error) {
    console.error(`seed ${seed} (NULLMODEM_SEED=${seed} repeats it)`);
    throw error;
  }
}
