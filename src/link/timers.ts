// One deadline for each timer of a link, in milliseconds of the owner's clock. Infinity: the timer is stopped.

const TIMERS = [
  "listen",
  "lcp",
  "echo",
  "caughtUp",
  "heard",
  "lqr",
  "ccp",
  "ccpReset",
  "ipcp",
  "ipv6cp",
  "stall",
  "papClient",
  "papServer",
  "chapClient",
  "chapServer",
  "eapClient",
  "eapServer",
] as const;
export type Timer = (typeof TIMERS)[number];

export class Timers {
  readonly #deadlines = new Float64Array(TIMERS.length).fill(Infinity);

  set(timer: Timer, at: number): void {
    this.#deadlines[TIMERS.indexOf(timer)] = at;
  }

  stop(timer: Timer): void {
    this.set(timer, Infinity);
  }

  stopAll(): void {
    this.#deadlines.fill(Infinity);
  }

  /** The nearest deadline. */
  next(): number {
    let next = Infinity;
    for (const deadline of this.#deadlines) if (deadline < next) next = deadline;
    return next;
  }

  /** Stops and returns the timer that ran out first. Undefined: none did. */
  takeExpired(now: number): Timer | undefined {
    const deadlines = this.#deadlines;
    let first = 0;
    for (let at = 1; at < deadlines.length; at++) if (deadlines[at]! < deadlines[first]!) first = at;
    if (deadlines[first]! > now) return undefined;
    deadlines[first] = Infinity;
    return TIMERS[first];
  }
}
