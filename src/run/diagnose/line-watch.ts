// What is wrong with the line of a link, while the link is on it: what the driver has counted, and who else uses the port.

import type { Config } from "../../options/config.ts";
import { type Device, isTty, type LineErrors } from "../host/serial.ts";
import type { Log } from "../log.ts";
import type { Machine } from "../machine.ts";
import { report } from "./finding.ts";
import { lineTrouble } from "./line-trouble.ts";
import { sharedPort } from "./port-trouble.ts";
import { type FrameCounts, PortWatch } from "./port-watch.ts";

export class LineWatch {
  readonly #machine: Machine;
  readonly #log: Log;
  readonly #tty: Device;
  readonly #crtscts: Config["crtscts"];
  /** What the driver had counted before the link. */
  readonly #errorsBefore: LineErrors | undefined;
  /** Of a port that is ours. One on standard input is our parent's as well. */
  readonly #port: PortWatch | undefined;
  /** The log has these already. */
  readonly #reported = new Set<string>();

  constructor(machine: Machine, { device, defaultDevice, crtscts }: Config, log: Log, tty: Device) {
    const { clock, serial } = machine;
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
    this.#port?.look(now, counts);
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
    this.#port?.nameOpeners(now);
  }
}
