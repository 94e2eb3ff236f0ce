// The order in which a caller tries the speeds. The likeliest comes again and again, because the other end may start at any
// time and usually has that speed. Damage shows that somebody is there, and leads back to where he may be.

import { slowerSpeed } from "./slower-speed.ts";
import { dwellMs } from "./speeds.ts";

/** The likeliest speed is tried again when its last turn was so long ago. */
const AGAIN_MS = 450;
/** Where somebody may be, the answer is waited for longer. */
const LONGER = 3;

export class SpeedTour {
  speed: number;
  /** How long to stay at the present speed. */
  dwellMs: number;
  #speeds: readonly number[];
  /** The next of the other speeds. */
  #at = 0;
  /** Speeds to be tried before the tour goes on. */
  #before: number[] = [];
  #isDetour = false;
  /** Damage has led to detours since the tour of the other speeds began. */
  #hasStrayed = false;
  /** A detour has led there since then. */
  readonly #guessed = new Set<number>();
  #favouriteAt = 0;
  #last: number;

  /** The first of `speeds` is the likeliest. */
  constructor(speeds: readonly number[]) {
    this.#speeds = speeds;
    this.speed = this.#last = speeds[0]!;
    this.dwellMs = dwellMs(this.speed);
  }

  /** Goes on to the next speed. */
  next(now: number): void {
    this.#last = this.speed;
    if (this.speed === this.#speeds[0]) this.#favouriteAt = now;
    const before = this.#before.shift();
    this.#isDetour = before !== undefined;
    this.#goTo(before ?? this.#onTour(now));
  }

  /** Octets have come that are no text at this speed: it is tried where the sender may be. */
  heardDamage(heard: readonly number[]): void {
    // The damage of a detour is that of the same sender.
    if (this.#isDetour) return;
    const likely = slowerSpeed(heard, this.speed, this.#speeds);
    // A slow answer to the question before may have been meant, or one to the last question that came in pieces. If it
    // was not, the damage comes from somebody who sends by himself. He is heard at every speed, and slows the tour down.
    const places = this.#hasStrayed ? [] : [this.#last, this.speed];
    if (likely !== undefined && !this.#guessed.has(likely)) places.unshift(likely);
    this.#before = [...new Set(places)].filter((speed) => this.#speeds.includes(speed));
    this.#hasStrayed = true;
    if (likely !== undefined) this.#guessed.add(likely);
  }

  /** The port cannot have the present speed. False: no speed is left. */
  drop(now: number): boolean {
    this.#speeds = this.#speeds.filter((speed) => speed !== this.speed);
    this.#before = this.#before.filter((speed) => speed !== this.speed);
    if (this.#speeds.length === 0) return false;
    this.next(now);
    return true;
  }

  #onTour(now: number): number {
    const [favourite = this.speed, ...others] = this.#speeds;
    const isDue = this.speed !== favourite && now - this.#favouriteAt >= AGAIN_MS;
    if (others.length === 0 || isDue) return favourite;
    const turn = this.#at % others.length;
    if (turn === 0) {
      this.#hasStrayed = false;
      this.#guessed.clear();
    }
    const speed = others[turn]!;
    this.#at++;
    return speed;
  }

  #goTo(speed: number): void {
    this.speed = speed;
    this.dwellMs = dwellMs(speed) * (this.#isDetour ? LONGER : 1);
  }
}
