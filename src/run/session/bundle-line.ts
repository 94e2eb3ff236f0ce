// One line of a bundle, from its first attempt until it is given up, as Bundling and `nullmodem ctl` see it.

import type { ControlledLine } from "../control/controlled-link.ts";
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
  readonly #clock: Clock;

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
    this.signal(SIGHUP);
    this.attempt?.close("User request", this.#clock.now());
  }
}
