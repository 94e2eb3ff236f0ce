// Changes the speed of a port for a stage that looks for it: not before everything that was written has been sent.

import { candidates, type Tuned } from "../../front/speeds.ts";
import { type Device, isTty, type Tty } from "../host/serial.ts";
import { SpeedMemory } from "../line/speed-memory.ts";
import type { LinePort } from "../loop/line-port.ts";
import type { Machine } from "../machine.ts";
import { OutputDrain } from "./output-drain.ts";

const LOOK_MS = 3;
/** Flow control may hold the output up. It is given up after this long. */
const PATIENCE_MS = 1000;

export class Tuner {
  /** When {@link tune} is to be called again. */
  nextLookAt = Infinity;
  /** The speeds to try, the likeliest first. */
  readonly speeds: readonly number[];
  readonly #memory: SpeedMemory;
  readonly #tty: Tty;
  readonly #port: LinePort;
  readonly #drain: OutputDrain;

  /** Undefined when the device has no speed that could be changed. */
  static of(machine: Machine, device: Device, port: LinePort, given: number): Tuner | undefined {
    return isTty(device) ? new Tuner(machine, device, port, given) : undefined;
  }

  /** `given` is the speed in the options. */
  private constructor(machine: Machine, tty: Tty, port: LinePort, given: number) {
    this.#tty = tty;
    this.#port = port;
    this.#drain = new OutputDrain(machine.serial, tty, port);
    this.#memory = new SpeedMemory(machine, realPath(machine, tty.path));
    this.speeds = candidates([this.#memory.recall() ?? 0, given]);
    tty.hearDamage(true);
  }

  /** Gives the port the speed that the stage wants. */
  tune(stage: Tuned, now: number): void {
    const speed = stage.wants;
    this.nextLookAt = Infinity;
    if (speed === undefined) return;
    if (!this.#drain.isOver(now) && this.#drain.waitedMs(now) <= PATIENCE_MS) {
      this.nextLookAt = now + LOOK_MS;
      return;
    }
    this.#drain.restart();
    const { input, output } = this.#port.buffers;
    output.clear();
    if (!this.#tty.setSpeed(speed)) {
      stage.cannotTune(now);
      this.nextLookAt = now;
      return;
    }
    input.clear();
    this.#port.pacer.setSpeed(speed);
    stage.tuned(now);
  }

  /** The peer is found at this speed: damaged characters are of no more use. */
  found(): void {
    this.nextLookAt = Infinity;
    this.#tty.hearDamage(false);
    this.#memory.remember(this.#tty.speed);
  }
}

function realPath({ files }: Machine, path: string): string {
  try {
    return files.realPath(path);
  } catch {
    return path;
  }
}
