// Finds the speed of a caller who has another speed than the port that waits for him.
//
// The port stays at its speed until it has heard damage. A caller who tries all speeds himself sends again before QUIET_MS
// are over, and reaches the port's speed before STAY_MS are, so the port waits for him. A caller who stays at one speed is
// looked for. He is known by the pause, or by damage that is the same every time (`bursts.ts`). The port asks for PPP at the
// speed that the damage shows, and then at all others. If nothing answers, the caller may be one who only speaks by himself
// (Windows, a modem program), and the port waits at the next speed.

import { Bursts } from "./bursts.ts";
import { isDamage } from "./damage.ts";
import { slowerSpeed } from "./slower-speed.ts";
import { dwellMs, type Tuned } from "./speeds.ts";

const QUIET_MS = 600;
const STAY_MS = 4500;
/** Fewer octets may come from a plug that is put in, or from a port that is opened. */
const FEWEST = 3;
const MOST_KEPT = 256;
/** Text that comes at a speed shows that the speed is right. */
const TEXT_OCTETS = 3;
/** A frame or a line that has begun is heard to its end, with pauses of so many octets at most. */
const PAUSE_OCTETS = 20;
const LONGEST_WAIT_MS = 1500;

export interface SpeedSearchSettings {
  /** In the order in which they are tried. The port waits at the first. */
  readonly speeds: readonly number[];
  /** The question to a caller who speaks PPP. */
  readonly question: Uint8Array;
}

export class SpeedSearch implements Tuned {
  wants: number | undefined;
  /** The speed that the port has, or is to have next. */
  speed: number;
  #speeds: readonly number[];
  readonly #question: Uint8Array;
  /** The speeds that are still to be asked. */
  #asking: number[] = [];
  #isAsking = false;
  #sawDamage = false;
  /** It waits here when nobody answers. */
  #home: number;
  #toSay: Uint8Array | undefined;
  /** What has come at this speed since the last pause that ended in a decision. */
  #heard: number[] = [];
  readonly #bursts = new Bursts();
  #firstAt = 0;
  #lastAt = 0;
  #tunedAt = 0;
  /** The speed that the port has. Undefined: nobody has set one yet. */
  #tunedTo: number | undefined;

  constructor({ speeds, question }: SpeedSearchSettings) {
    this.#speeds = speeds;
    this.#question = question;
    this.speed = this.#home = this.wants = speeds[0]!;
  }

  /** True once for each search: damage has come. */
  takeDamage(): boolean {
    const saw = this.#sawDamage;
    this.#sawDamage = false;
    return saw;
  }

  /** What to send now, once. */
  takeWords(): Uint8Array | undefined {
    const words = this.#toSay;
    this.#toSay = undefined;
    return words;
  }

  octet(octet: number, now: number): void {
    if (this.#heard.length === 0) this.#firstAt = now;
    if (this.#heard.length < MOST_KEPT) this.#heard.push(octet);
    if (now - this.#lastAt > this.#pauseMs) this.#bursts.end();
    this.#bursts.octet(octet);
    this.#lastAt = now;
  }

  /** The caller was understood at this speed, so that it is right. */
  understood(): void {
    // A change that is wanted and not made yet would lose the caller.
    if (this.#tunedTo !== undefined) {
      this.wants = undefined;
      this.speed = this.#tunedTo;
    }
    this.#home = this.speed;
    this.#asking = [];
    this.#isAsking = false;
    this.#forget();
  }

  tuned(now: number): void {
    this.wants = undefined;
    this.#tunedAt = now;
    this.#tunedTo = this.speed;
    this.#forget();
    this.#toSay = this.#isAsking ? this.#question : undefined;
  }

  #forget(): void {
    this.#heard = [];
    this.#bursts.forget();
  }

  cannotTune(): void {
    this.wants = undefined;
    this.#speeds = this.#speeds.filter((speed) => speed !== this.speed);
    if (this.#home === this.speed && this.#speeds.length > 0) this.#home = this.#speeds[0]!;
    if (this.#speeds.length > 0) this.#next();
  }

  nextTimeout(): number {
    // A port that takes none of the speeds stays as it is.
    if (this.wants !== undefined || this.#speeds.length === 0) return Infinity;
    if (!this.#isAsking) return this.#heard.length < FEWEST ? Infinity : this.#decidesAt;
    const endsAt = this.#tunedAt + dwellMs(this.speed);
    if (this.#heard.length === 0) return endsAt;
    return Math.min(Math.max(endsAt, this.#lastAt + this.#pauseMs), endsAt + LONGEST_WAIT_MS);
  }

  get #pauseMs(): number {
    return QUIET_MS / 20 + (PAUSE_OCTETS * 10_000) / this.speed;
  }

  get #decidesAt(): number {
    const stayedAt = Math.min(
      Math.max(this.#firstAt + STAY_MS, this.#lastAt + this.#pauseMs),
      this.#firstAt + STAY_MS + LONGEST_WAIT_MS,
    );
    const quietMs = this.#bursts.areAlike ? this.#pauseMs : QUIET_MS;
    return Math.min(this.#lastAt + quietMs, stayedAt);
  }

  handleTimeout(now: number): void {
    if (this.nextTimeout() > now) return;
    const heard = this.#heard;
    this.#forget();
    if (heard.length >= TEXT_OCTETS && !isDamage(heard)) {
      this.understood();
      return;
    }
    if (this.#isAsking) this.#next();
    else this.#begin(heard);
  }

  /** Damage has come, and the caller does not look for us. */
  #begin(heard: readonly number[]): void {
    const likely = slowerSpeed(heard, this.speed, this.#speeds);
    const others = this.#speeds.filter((speed) => speed !== this.speed && speed !== likely);
    const at = this.#speeds.indexOf(this.speed);
    this.#asking = likely === undefined ? others : [likely, ...others];
    this.#home = likely ?? this.#speeds[(at + 1) % this.#speeds.length]!;
    this.#isAsking = this.#sawDamage = true;
    this.#next();
  }

  #next(): void {
    const next = this.#asking.shift();
    if (next === undefined) this.#isAsking = false;
    this.speed = this.wants = next ?? this.#home;
  }
}
