// Counts the octets of a whole transfer: all that is to be sent, what is done, and how fast it goes.

/** The rate is that of this time. At 11 kB/s a window of this length is steady within a few percent. */
const WINDOW_MS = 15_000;
const STEP_MS = 500;

export class Meter {
  /** Octets of the whole transfer. */
  total = 0;
  /** Octets that need not be sent again, or are at the other end. */
  done = 0;
  /** Octets that went over the line. */
  moved = 0;
  /** Octets of a request that runs, which are in neither number yet. */
  running: (() => number) | undefined;
  #samples: { readonly now: number; readonly moved: number }[] = [];

  /** Notes that `octets` more have gone over the line. */
  move(octets: number): void {
    this.done += octets;
    this.moved += octets;
  }

  /** With the part of a running request. */
  get present(): number {
    return this.done + (this.running?.() ?? 0);
  }

  /** Octets a second. Undefined at the beginning. */
  rate(now: number): number | undefined {
    const samples = this.#samples;
    const moved = this.moved + (this.running?.() ?? 0);
    if (now - (samples.at(-1)?.now ?? -Infinity) >= STEP_MS) samples.push({ now, moved });
    while (samples.length > 2 && now - samples[0]!.now > WINDOW_MS) samples.shift();
    const [first] = samples;
    if (first === undefined || now - first.now < STEP_MS) return undefined;
    return Math.max(0, ((moved - first.moved) * 1000) / (now - first.now));
  }

  /** The line was down: what came before does not count for the rate. */
  forgetRate(): void {
    this.#samples = [];
  }
}
