// Watches a serial port while a link is on it. The real pppd's line discipline keeps other programs from reading the port.
// Here they can read it, and a getty that starts on it also changes its settings. So the watch checks the settings every
// second and puts them back, and it names the programs that have the port open whenever frames are damaged or stop.

import type { Tty } from "../host/serial.ts";
import type { Finding } from "./finding.ts";

const LOOK_MS = 1000;
/** The link counts as stopped when we send and receive nothing for this long. */
const STOPPED_MS = 5000;
/** A search through all processes takes time: the pause doubles while it finds nothing. */
const FIRST_PAUSE_MS = 5000;
const LONGEST_PAUSE_MS = 320_000;
/** The log repeats the same lines after this time at the earliest. */
const REPEAT_MS = 20_000;

/** The counters of a link. */
export interface FrameCounts {
  readonly good: number;
  readonly bad: number;
  readonly sent: number;
}

export class PortWatch {
  /** When look() is to be called. */
  nextLookAt: number;
  readonly #tty: Tty;
  readonly #report: (findings: readonly Finding[]) => void;
  readonly #openers: (path: string) => Finding[];
  #counts: FrameCounts = { good: 0, bad: 0, sent: 0 };
  /** When the last good frame was counted, and how many frames had been sent by then. */
  #heardAt: number;
  #sentThen = 0;
  #searchAt: number;
  #pauseMs = FIRST_PAUSE_MS;
  #namedAt = -Infinity;
  #mendedAt = -Infinity;

  /** `openers` finds the other programs that have the port open. */
  constructor(
    tty: Tty,
    now: number,
    report: (findings: readonly Finding[]) => void,
    openers: (path: string) => Finding[],
  ) {
    this.#tty = tty;
    this.#report = report;
    this.#openers = openers;
    this.nextLookAt = now + LOOK_MS;
    this.#heardAt = this.#searchAt = now;
  }

  /** Milliseconds since the last good frame, or since the beginning. */
  silentMs(now: number): number {
    return now - this.#heardAt;
  }

  look(now: number, counts: FrameCounts): void {
    this.nextLookAt = now + LOOK_MS;
    this.#mend(now);
    const before = this.#counts;
    this.#counts = counts;
    if (counts.good !== before.good) {
      this.#heardAt = now;
      this.#sentThen = counts.sent;
    }
    const stopped = counts.sent > this.#sentThen && now - this.#heardAt >= STOPPED_MS;
    if ((counts.bad > before.bad || stopped) && now >= this.#searchAt) this.nameOpeners(now);
  }

  /** Reports the other programs that have the port open, unless the log has just named them. */
  nameOpeners(now: number): void {
    if (now - this.#namedAt < REPEAT_MS) return;
    const openers = this.#openers(this.#tty.path);
    this.#report(openers);
    if (openers.length > 0) this.#namedAt = now;
    this.#pauseMs = openers.length > 0 ? FIRST_PAUSE_MS : Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS);
    this.#searchAt = now + this.#pauseMs;
  }

  #mend(now: number): void {
    const changes = this.#tty.mend();
    if (changes.length === 0 || now - this.#mendedAt < REPEAT_MS) return;
    this.#mendedAt = now;
    const text = `Another program has changed the settings of ${this.#tty.path} (${changes.join(" ")})`;
    this.#report([{ code: "port-settings", text, remedy: "they are put back", severity: "warning" }]);
    this.nameOpeners(now);
  }
}
