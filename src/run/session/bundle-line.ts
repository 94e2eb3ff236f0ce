// One line of a bundle, from its first attempt until it is given up, as Bundling and `nullmodem ctl` see it.

import { ControlError, type ControlledLine, notOpen, type Renegotiable } from "../control/controlled-link.ts";
import type { Line } from "../line/line.ts";
import type { Clock } from "../machine.ts";
import type { OptionsInForce } from "../settings/options-in-force.ts";
import type { Attempt } from "./attempt.ts";
import { placeOf } from "./line-place.ts";
import { Waits } from "./waits.ts";

const SIGHUP = 1;

export class BundleLine implements ControlledLine {
  readonly options: OptionsInForce;
  readonly waits: Waits;
  /** The line, while it is being opened, is open, or is being closed. */
  line: Line | undefined;
  /** Its link. */
  attempt: Attempt | undefined;
  /** It is not tried again. */
  isGivenUp = false;
  readonly #clock: Clock;
  #isRedialled = false;

  constructor(options: OptionsInForce, clock: Clock) {
    this.options = options;
    this.waits = new Waits(clock);
    this.#clock = clock;
  }

  get place(): string {
    return placeOf(this.options.config);
  }

  get device(): string {
    return this.line?.path ?? this.place;
  }

  get state(): string {
    return this.attempt?.link.phase ?? (this.line === undefined ? "waiting" : "opening");
  }

  /** Ends what comes before or after a link on it. */
  signal(number: number): void {
    this.waits.wake();
    this.line?.signal(number);
  }

  hangup(): void {
    if (this.isGivenUp) throw new ControlError(`${this.device} is given up`);
    this.signal(SIGHUP);
    this.attempt?.close("User request", this.#clock.now());
  }

  redial(): void {
    this.hangup();
    this.#isRedialled = true;
  }

  /** Its next attempt begins at once, because of {@link redial}. Asked once after each attempt. */
  takeRedial(): boolean {
    const isRedialled = this.#isRedialled;
    this.#isRedialled = false;
    return isRedialled;
  }

  renegotiate(protocol: Renegotiable): void {
    if (protocol !== "lcp") throw new ControlError(`${protocol.toUpperCase()} is that of the whole bundle`);
    if (this.attempt?.link.renegotiate(this.#clock.now()) !== true) throw notOpen(protocol);
  }

  limitRate(octetsPerSecond: number): void {
    if (this.attempt === undefined) throw new ControlError(`There is no link on ${this.device}`);
    this.attempt.limitRate(octetsPerSecond);
  }
}
