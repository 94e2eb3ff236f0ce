// The line of a link that may change its speed while it is up (`climb`): which speeds its port can have, and the change.

import type { LineSpeed, SpeedChange } from "../../link/line-speed.ts";
import type { Link } from "../../link/link.ts";
import type { Config } from "../../options/config.ts";
import { speedTrouble } from "../diagnose/line-trouble.ts";
import { type Device, isTty, type Tty } from "../host/serial.ts";
import type { LinePort } from "../loop/line-port.ts";
import type { Machine } from "../machine.ts";
import { OutputDrain } from "./output-drain.ts";

/** From the default of most programs to the fastest that common USB adapters can do. */
const SPEEDS = [115200, 230400, 460800, 921600, 1_500_000, 3_000_000, 4_000_000];
const LOOK_MS = 3;
/** Flow control may hold the output up. Then the speed stays. */
const PATIENCE_MS = 1000;
/** What a USB adapter holds, no driver counts. What reads a pty may be late. */
const ADAPTER_MS = 5;
/** A port that refuses to return to an earlier speed is asked again, so often and after so long. */
const MOST_RETURNS = 20;
const RETURN_AGAIN_MS = 100;
const PTY_MS = 40;

interface Wish {
  readonly speed: number;
  readonly when: "drained" | "at once";
  readonly done: (change: SpeedChange, now: number) => void;
  attempts: number;
}

/** The link that has the line. These are asked later than the line is made. */
export interface ClimbLink {
  readonly port: () => LinePort;
  readonly link: () => Link;
  /** A modem has dialled, so the line is not a cable. */
  readonly isDialled: () => boolean;
}

export class ClimbLine implements LineSpeed {
  /** When {@link settle} is to be called. */
  nextLookAt = Infinity;
  readonly #machine: Machine;
  /** Even if a modem has dialled. */
  readonly #isSure: boolean;
  readonly #link: ClimbLink;
  readonly #tty: Tty;
  /** The speed before the first change. */
  #first: number | undefined;
  #wish: Wish | undefined;
  #drain: OutputDrain | undefined;
  #drainedAt = Infinity;

  /** Undefined: the options, or the kind of the line, do not allow it. */
  static of(machine: Machine, config: Config, tty: Device, link: ClimbLink): ClimbLine | undefined {
    const { climb, device, connect } = config;
    if (climb === "no" || device === undefined || !isTty(tty)) return undefined;
    // A connect script may dial. The speed of a pty means something only to whoever asks for it.
    const isCable = !tty.isPty && (connect ?? "") === "";
    return climb === "yes" || isCable ? new ClimbLine(machine, climb === "yes", tty, link) : undefined;
  }

  private constructor(machine: Machine, isSure: boolean, tty: Tty, link: ClimbLink) {
    this.#machine = machine;
    this.#isSure = isSure;
    this.#tty = tty;
    this.#link = link;
  }

  speeds(): { readonly now: number; readonly able: readonly number[] } | undefined {
    const { port, link, isDialled } = this.#link;
    const { path, fd, speed } = this.#tty;
    // Not while the link is behind a modem that we play.
    if (port().stage !== link() || port().isLimited || speed === 0) return undefined;
    if (!this.#isSure && isDialled()) return undefined;
    const base = this.#machine.serial.uartBase(fd);
    const able = base === undefined ? SPEEDS : [...SPEEDS.filter((one) => one < base), base];
    return { now: speed, able: able.filter((one) => speedTrouble(path, one, one, base).length === 0) };
  }

  set(speed: number, when: Wish["when"], done: Wish["done"]): void {
    this.#wish = { speed, when, done, attempts: 0 };
    if (when === "at once") this.#link.port().buffers.output.clear();
    this.#drain = new OutputDrain(this.#machine.serial, this.#tty, this.#link.port());
    this.#drainedAt = Infinity;
    this.nextLookAt = -Infinity;
  }

  cancel(): void {
    this.#wish = undefined;
    this.nextLookAt = Infinity;
  }

  settle(now: number): void {
    const wish = this.#wish;
    if (wish === undefined || this.nextLookAt > now) return;
    const output = wish.when === "drained" ? this.#output(now) : "gone";
    if (output === "on its way") {
      this.nextLookAt = now + LOOK_MS;
      return;
    }
    const change = output === "stuck" ? "stuck" : this.#change(wish.speed) ? "set" : "refused";
    if (change === "refused" && wish.when === "at once" && ++wish.attempts < MOST_RETURNS) {
      this.nextLookAt = now + RETURN_AGAIN_MS;
      return;
    }
    this.cancel();
    wish.done(change, now);
  }

  #output(now: number): "on its way" | "gone" | "stuck" {
    const drain = this.#drain!;
    if (drain.isOver(now)) {
      this.#drainedAt = Math.min(this.#drainedAt, now);
      return now - this.#drainedAt >= (this.#tty.isPty ? PTY_MS : ADAPTER_MS) ? "gone" : "on its way";
    }
    this.#drainedAt = Infinity;
    return drain.waitedMs(now) > PATIENCE_MS ? "stuck" : "on its way";
  }

  #change(speed: number): boolean {
    const { buffers, pacer } = this.#link.port();
    this.#first ??= this.#tty.speed;
    if (!this.#tty.setSpeed(speed)) return false;
    buffers.input.clear();
    pacer.setSpeed(speed);
    return true;
  }

  /** The speed with which the link began, for what comes after it. Undefined: it has no other now. */
  get earlierSpeed(): number | undefined {
    return this.#first === this.#tty.speed ? undefined : this.#first;
  }
}
