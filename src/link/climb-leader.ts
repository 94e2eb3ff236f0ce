// The end that decides which speed is tried, and when.

import { ClimbSteps } from "./climb-steps.ts";

/** What has not worked is tried again after these times. */
const RETRY_MS = [2000, 10_000, 60_000, 600_000];
/** After so long at a speed, the first of these counts again. */
const WELL_MS = 60_000;
/** Between two trials. */
const NEXT_MS = 20;

export class ClimbLeader {
  /** When the next speed is to be tried. */
  nextAt: number;
  readonly #first: number;
  #speeds: readonly number[];
  #steps: ClimbSteps;
  #retries = 0;
  #speedSince: number;

  /** `speeds` are those that both ends can have, `first` is the one with which the link began. */
  constructor(speeds: readonly number[], first: number, present: number, now: number) {
    this.#first = first;
    this.#speeds = speeds;
    this.#steps = new ClimbSteps([first, ...speeds], present);
    this.#speedSince = now;
    this.nextAt = now + NEXT_MS;
  }

  limit(speeds: readonly number[]): void {
    this.#speeds = speeds;
    this.#steps.limit(speeds);
  }

  /** The speed to try now. Undefined: none. */
  next(now: number): number | undefined {
    this.nextAt = Infinity;
    const speed = this.#steps.next();
    if (speed === undefined && !this.#steps.isAtTop) {
      this.retryLater(now);
      this.#steps.again();
    }
    return speed;
  }

  /** Less and less often. */
  retryLater(now: number): void {
    this.nextAt = now + RETRY_MS[Math.min(this.#retries++, RETRY_MS.length - 1)]!;
  }

  passed(speed: number, now: number): void {
    this.#steps.passed(speed);
    this.#speedSince = now;
    this.nextAt = now + NEXT_MS;
  }

  failed(speed: number, now: number): void {
    this.#steps.failed(speed);
    this.nextAt = now + NEXT_MS;
  }

  /** The other end is at this lower speed after all. */
  undone(speed: number, now: number): void {
    this.#steps.undone(speed);
    this.nextAt = now + NEXT_MS;
  }

  /** The present speed works no longer. */
  worse(now: number): void {
    this.#forgive(now);
    this.#steps.worse();
    this.nextAt = now;
  }

  /** The line is back at its first speed. All speeds are tried again, after so many milliseconds at the earliest. */
  lost(now: number, afterMs: number): void {
    this.#forgive(now);
    this.#steps = new ClimbSteps([this.#first, ...this.#speeds], this.#first);
    this.#speedSince = now;
    this.retryLater(now + afterMs);
  }

  #forgive(now: number): void {
    if (now - this.#speedSince > WELL_MS) this.#retries = 0;
  }
}
