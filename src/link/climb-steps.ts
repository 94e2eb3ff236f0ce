// Which speed is tried next: the highest first, then those between the best that works and the lowest that does not.

export class ClimbSteps {
  /** In ascending order. */
  #speeds: readonly number[];
  #good: number;
  #bad = Infinity;
  #isFirst = true;
  /** The lowest speed that has not worked is tried again. */
  #isRetry = false;
  /** A lower speed than the present one, which works no longer. */
  #lower: number | undefined;

  /** `speeds` are those that both ends can have. `present` works, and need not be one of them. */
  constructor(speeds: readonly number[], present: number) {
    this.#good = present;
    this.#speeds = [...new Set([...speeds, present])].sort((one, other) => one - other);
  }

  /** An end has found that its port cannot have some of the speeds. */
  limit(speeds: readonly number[]): void {
    this.#speeds = this.#speeds.filter((speed) => speed <= this.#good || speeds.includes(speed));
  }

  /** Undefined: the present speed is the best that is known. */
  next(): number | undefined {
    if (this.#lower !== undefined) return this.#lower;
    const left = this.#speeds.filter((speed) => speed > this.#good && speed < this.#bad);
    return this.#isFirst ? left.at(-1) : left[left.length >> 1];
  }

  /** There is no higher speed. */
  get isAtTop(): boolean {
    return this.#good >= this.#speeds.at(-1)!;
  }

  passed(speed: number): void {
    this.#isFirst = false;
    this.#lower = undefined;
    this.#good = speed;
    if (this.#isRetry) this.again();
  }

  failed(speed: number): void {
    this.#isFirst = this.#isRetry = false;
    if (speed > this.#good) this.#bad = speed;
    else this.#lower = this.#below(speed);
  }

  /** The last step has not worked after all. */
  undone(speed: number): void {
    this.#isRetry = false;
    this.#bad = this.#good;
    this.#good = speed;
  }

  worse(): void {
    this.#isRetry = false;
    this.#bad = this.#good;
    this.#lower = this.#below(this.#good);
  }

  #below(speed: number): number | undefined {
    return this.#speeds.findLast((one) => one < speed);
  }

  /** Lets the next higher speed be tried again, and those above it if it works. */
  again(): void {
    this.#isRetry = true;
    const [, second = Infinity] = this.#speeds.filter((speed) => speed > this.#good);
    this.#bad = second;
  }
}
