// What a link did over time, in a bounded number of samples: when they are full, each two become one, and a sample is twice
// as long from then on. So a link of a minute has samples of a second, and a link of a year has samples of four days.

/** The most samples of a link. */
export const MOST_SAMPLES = 120;

/** The samples as the history keeps them. The arrays have the same length; a rate is a sum divided by `every`. */
export interface Samples {
  /** Seconds that a sample covers. */
  readonly every: number;
  /** Octets received. */
  readonly in: readonly number[];
  /** Octets sent. */
  readonly out: readonly number[];
  /** Bad frames received. */
  readonly bad: readonly number[];
  /** Milliseconds of the slowest echo; -1: none was answered. */
  readonly rtt: readonly number[];
}

/** What has happened since the sample before. */
export interface Happened {
  readonly in: number;
  readonly out: number;
  readonly bad: number;
  /** Milliseconds. Undefined: no echo was answered. */
  readonly rtt: number | undefined;
}

export class SampleSeries {
  #every: number;
  #count = 0;
  readonly #in = new Float64Array(MOST_SAMPLES);
  readonly #out = new Float64Array(MOST_SAMPLES);
  readonly #bad = new Float64Array(MOST_SAMPLES);
  readonly #rtt = new Float64Array(MOST_SAMPLES).fill(-1);

  /** `every`: the seconds of a sample at the beginning. */
  constructor(every = 1) {
    this.#every = every;
  }

  /** Seconds that a sample covers now. */
  get every(): number {
    return this.#every;
  }

  /** Adds what has happened until `seconds` after the beginning. Time that went back counts as no time. */
  add(seconds: number, happened: Happened): void {
    while (seconds / this.#every >= MOST_SAMPLES) this.#halve();
    const at = Math.max(0, this.#count - 1, Math.floor(seconds / this.#every));
    this.#count = at + 1;
    this.#in[at]! += happened.in;
    this.#out[at]! += happened.out;
    this.#bad[at]! += happened.bad;
    if (happened.rtt !== undefined) this.#rtt[at] = Math.max(this.#rtt[at]!, happened.rtt);
  }

  samples(): Samples {
    const part = (values: Float64Array): number[] => [...values.subarray(0, this.#count)];
    const rtt = part(this.#rtt).map((value) => Math.round(value * 10) / 10);
    return { every: this.#every, in: part(this.#in), out: part(this.#out), bad: part(this.#bad), rtt };
  }

  #halve(): void {
    this.#every *= 2;
    this.#count = Math.ceil(this.#count / 2);
    for (const values of [this.#in, this.#out, this.#bad]) {
      for (let at = 0; at < MOST_SAMPLES / 2; at++) values[at] = values[2 * at]! + values[2 * at + 1]!;
      values.fill(0, MOST_SAMPLES / 2);
    }
    for (let at = 0; at < MOST_SAMPLES / 2; at++) this.#rtt[at] = Math.max(this.#rtt[2 * at]!, this.#rtt[2 * at + 1]!);
    this.#rtt.fill(-1, MOST_SAMPLES / 2);
  }
}
