// When a router advertises itself on a link: at once when it begins, then seldom, and to a host that asks (RFC 4861 §6.2).

/** Between 0 and 1, 1 excluded. */
export type Chance = () => number;

/** The peer may not listen yet when the first advertisement comes. */
const FIRST_INTERVALS_MS = [4000, 16_000] as const;
const LEAST_INTERVAL_MS = 200_000;
const MOST_INTERVAL_MS = 600_000;
const MOST_ANSWER_DELAY_MS = 500;
/** Advertisements to all hosts keep this distance. */
const LEAST_DISTANCE_MS = 3000;

export class Advertiser {
  readonly #chance: Chance;
  /** Sends an advertisement. Undefined: to all hosts. */
  readonly #advertise: (to: Uint8Array | undefined) => void;
  /** How many to all hosts were sent. -1: there is no link. */
  #sent = -1;
  #lastAt = -Infinity;
  #dueAt = Infinity;
  #answerAt = Infinity;
  #asker: Uint8Array | undefined;

  constructor(chance: Chance, advertise: (to: Uint8Array | undefined) => void) {
    this.#chance = chance;
    this.#advertise = advertise;
  }

  begin(now: number): void {
    this.#sent = 0;
    this.#dueAt = now;
    this.handleTimeout(now);
  }

  end(): void {
    this.#sent = -1;
    this.#dueAt = this.#answerAt = Infinity;
  }

  /** A host asks. An address of zeros only: it has none yet. */
  asked(by: Uint8Array, now: number): void {
    if (this.#sent < 0) return;
    const at = now + this.#chance() * MOST_ANSWER_DELAY_MS;
    if (by.every((octet) => octet === 0)) {
      this.#tellAll(at);
      return;
    }
    this.#asker = by;
    this.#answerAt = Math.min(this.#answerAt, at);
  }

  /** The advertisement has changed. */
  changed(now: number): void {
    if (this.#sent >= 0) this.#tellAll(now);
  }

  #tellAll(at: number): void {
    this.#dueAt = Math.min(this.#dueAt, Math.max(at, this.#lastAt + LEAST_DISTANCE_MS));
  }

  nextTimeout(): number {
    return Math.min(this.#dueAt, this.#answerAt);
  }

  handleTimeout(now: number): void {
    if (this.#answerAt <= now) {
      this.#answerAt = Infinity;
      this.#advertise(this.#asker);
    }
    if (this.#dueAt > now) return;
    const interval = LEAST_INTERVAL_MS + this.#chance() * (MOST_INTERVAL_MS - LEAST_INTERVAL_MS);
    this.#dueAt = now + (FIRST_INTERVALS_MS[this.#sent] ?? interval);
    this.#lastAt = now;
    this.#sent++;
    this.#advertise(undefined);
  }
}
