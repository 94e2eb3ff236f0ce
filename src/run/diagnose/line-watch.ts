// What is wrong with the line of a link, while the link is on it: what the driver has counted, and who else uses the port.

import type { Config } from "../../options/config.ts";
import { type Device, isTty, type LineErrors } from "../host/serial.ts";
import type { Log } from "../log.ts";
import type { Machine } from "../machine.ts";
import { report } from "./finding.ts";
import { lineTrouble } from "./line-trouble.ts";
import { sharedPort } from "./port-trouble.ts";
import { type FrameCounts, PortWatch } from "./port-watch.ts";

/** True when a script has the line before PPP begins. */
export function hasLineScript({ init, connect, welcome }: Config): boolean {
  return [init, connect, welcome].some((script) => (script ?? "") !== "");
}

export class LineWatch {
  readonly #machine: Machine;
  readonly #log: Log;
  readonly #tty: Device;
  readonly #crtscts: Config["crtscts"];
  /** What the driver had counted before the link. */
  readonly #errorsBefore: LineErrors | undefined;
  /** Of a port that is ours. One on standard input is our parent's as well. */
  readonly #port: PortWatch | undefined;
  /**
   * The search through all processes for those that have the port open takes as long as a tenth of the whole start. So
   * the first one waits until the first look, unless a script uses the line before.
   */
  #isUnsearched: boolean;
  /** The log has these already. */
  readonly #reported = new Set<string>();

  constructor(machine: Machine, config: Config, log: Log, tty: Device) {
    const { clock, serial } = machine;
    const { device, defaultDevice, crtscts } = config;
    this.#isUnsearched = !hasLineScript(config);
    this.#machine = machine;
    this.#log = log;
    this.#tty = tty;
    this.#crtscts = crtscts;
    this.#errorsBefore = serial.lineErrors(tty.fd);
    if (device !== undefined && !defaultDevice && isTty(tty))
      this.#port = new PortWatch(
        tty,
        clock.now(),
        (findings) => report(log, findings),
        (path) => sharedPort(serial, path),
      );
  }

  /** When look() is to be called; Infinity: there is nothing to look at. */
  get nextLookAt(): number {
    return this.#port?.nextLookAt ?? Infinity;
  }

  look(now: number, counts: FrameCounts): void {
    if (this.#port === undefined) return;
    if (this.#isUnsearched) report(this.#log, sharedPort(this.#machine.serial, this.#tty.path));
    this.#isUnsearched = false;
    this.#port.look(now, counts);
  }

  /** Milliseconds since the last good frame of PPP. Undefined: the line is no port of ours. */
  silentMs(now: number): number | undefined {
    return this.#port?.silentMs(now);
  }

  /** Another program has the port open. */
  isShared(): boolean {
    return this.#port !== undefined && sharedPort(this.#machine.serial, this.#tty.path).length > 0;
  }

  /** The peer does not answer: reports what the driver and the other users of the port have to do with it. */
  unanswered(now: number): void {
    const { serial } = this.#machine;
    for (const finding of lineTrouble(serial, this.#tty.fd, this.#crtscts, this.#errorsBefore)) {
      if (!this.#reported.has(finding.text)) report(this.#log, [finding]);
      this.#reported.add(finding.text);
    }
    this.#isUnsearched = false;
    this.#port?.nameOpeners(now);
  }
}
