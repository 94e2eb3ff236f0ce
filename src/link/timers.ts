// One deadline for each timer of a link, in milliseconds of the owner's clock. Infinity: the timer is stopped.

const TIMERS = [
  "listen",
  "lcp",
  "echo",
  "caughtUp",
  "heard",
  "lqr",
  "climb",
  "closing",
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

/** The timers of the network phase. */
export type NetworkTimer = "ccp" | "ccpReset" | "ipcp" | "ipv6cp";
/** The timers of authentication. */
export type AuthenticationTimer = Extract<Timer, `${"pap" | "chap" | "eap"}${"Client" | "Server"}`>;

export function isNetworkTimer(timer: Timer): timer is NetworkTimer {
  return timer === "ccp" || timer === "ccpReset" || timer === "ipcp" || timer === "ipv6cp";
}

export function isAuthenticationTimer(timer: Timer): timer is AuthenticationTimer {
  return timer.endsWith("Client") || timer.endsWith("Server");
}

export class Timers {
  readonly #deadlines: number[] = TIMERS.map(() => Infinity);
  /** The nearest deadline. The loop asks for it several times a round, so it is kept. */
  #next = Infinity;

  set(timer: Timer, at: number): void {
    this.#put(TIMERS.indexOf(timer), at);
  }

  stop(timer: Timer): void {
    this.set(timer, Infinity);
  }

  stopAll(): void {
    this.#deadlines.fill(Infinity);
    this.#next = Infinity;
  }

  /** The nearest deadline. */
  next(): number {
    return this.#next;
  }

  /** Stops and returns the timer that ran out first. Undefined: none did. */
  takeExpired(now: number): Timer | undefined {
    const next = this.#next;
    if (next > now) return undefined;
    const first = this.#deadlines.indexOf(next);
    this.#put(first, Infinity);
    return TIMERS[first];
  }

  #put(index: number, at: number): void {
    const deadlines = this.#deadlines;
    const before = deadlines[index]!;
    deadlines[index] = at;
    if (at < this.#next) this.#next = at;
    else if (before === this.#next) this.#next = Math.min(...deadlines);
  }
}
