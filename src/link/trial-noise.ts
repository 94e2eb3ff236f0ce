// What is heard while the two ends try a speed: octets of another speed, which are neither packets nor signs of a bad cable. They
// are in no counter afterwards.

import type { DeframerStats } from "../frame/deframer.ts";

type BadFrames = Pick<DeframerStats, "badFcs" | "runts" | "overlong" | "aborted" | "faults">;

export class TrialNoise {
  readonly #stats: DeframerStats;
  /** The counters before the speed was changed. */
  #before: BadFrames | undefined;

  constructor(stats: DeframerStats) {
    this.#stats = stats;
  }

  /** The speed is changed. */
  begin(): void {
    const { badFcs, runts, overlong, aborted, faults } = this.#stats;
    this.#before ??= { badFcs, runts, overlong, aborted, faults };
  }

  /** What came since the beginning was no packet. */
  forgive(): void {
    if (this.#before !== undefined) Object.assign(this.#stats, this.#before);
    this.#before = undefined;
  }

  /** What came since the beginning is not known, and counts. */
  keep(): void {
    this.#before = undefined;
  }
}
