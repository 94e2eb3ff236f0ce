// Watches a line at a speed that was agreed on while the link was up. Nothing else would show that the other end has left
// that speed: a port often hears nothing at all at a wrong one.

/** Frames that were received since the start of the link. */
export interface Counts {
  readonly good: number;
  readonly bad: number;
}

/** Between two looks: at first, and when the speed has held for a while. */
const FIRST_LOOK_MS = 500;
const LOOK_MS = 2000;
const FIRST_MS = 5000;
/** So many questions, one each ASK_MS, that get no answer show that the other end is gone. */
const QUESTIONS = 4;
const ASK_MS = 150;
/** The share of bad frames that is too much, in so long a time. Fewer bad frames show nothing. */
const WORST_SHARE = 0.02;
const LEAST_BAD = 3;
const WINDOW_MS = 20_000;

export class ClimbWatch {
  nextLookAt: number;
  readonly #since: number;
  #heard: number;
  #asked = 0;
  #window: Counts & { readonly at: number };

  constructor(counts: Counts, now: number) {
    this.#since = now;
    this.#heard = counts.good;
    this.#window = { ...counts, at: now };
    this.nextLookAt = now + FIRST_LOOK_MS;
  }

  /** "ask": nothing was received since the last look, so the other end is to be asked for a sign. */
  look(counts: Counts, now: number): "well" | "ask" | "lost" | "worse" {
    const hasHeard = counts.good !== this.#heard;
    this.#heard = counts.good;
    if (hasHeard) {
      this.#asked = 0;
      this.nextLookAt = now + (now - this.#since < FIRST_MS ? FIRST_LOOK_MS : LOOK_MS);
      return this.#isWorse(counts, now) ? "worse" : "well";
    }
    if (this.#asked === QUESTIONS) return "lost";
    this.#asked++;
    this.nextLookAt = now + ASK_MS;
    return "ask";
  }

  #isWorse(counts: Counts, now: number): boolean {
    const bad = counts.bad - this.#window.bad;
    const good = counts.good - this.#window.good;
    if (now - this.#window.at >= WINDOW_MS) this.#window = { ...counts, at: now };
    return bad >= LEAST_BAD && bad > WORST_SHARE * (bad + good);
  }
}
