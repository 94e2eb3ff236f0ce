// Work that takes a while, done in steps between which others have their turn.

/** Each step is short. */
export type Work<T> = Generator<undefined, T>;

/** Work that no request waits for: what was given up is removed, old parts are looked for, files are counted. */
export class Chores {
  readonly #works: Work<unknown>[] = [];

  add(work: Work<unknown>): void {
    this.#works.push(work);
  }

  /** Does a step of the oldest. True: there is more to do. */
  step(): boolean {
    const [work] = this.#works;
    let isDone = true;
    try {
      isDone = work === undefined || work.next().done === true;
    } finally {
      // Work that throws is not tried again.
      if (isDone) this.#works.shift();
    }
    return this.#works.length > 0;
  }
}
