// When the user is told what a link heard whose LCP has not opened: after the first seconds, when the first octets made no
// frame, when the requests had no answer, and when the link ends. Most tests of a new cable are over, by Ctrl-C, before
// LCP gives up after 30 seconds; and an end with the option `silent` never gives up.

import { printable } from "../bytes/text.ts";
import type { Level } from "../control/dialect.ts";
import type { DeframerStats } from "../frame/deframer.ts";
import { Heard, remedy, type Uncleanness } from "./heard.ts";

/** A peer that is there answers well before this. */
const FIRST_WORD_MS = 3000;

export interface HeardReportHost {
  readonly stats: Readonly<DeframerStats>;
  /** We wait for the peer to begin. */
  readonly silent: boolean;
  /** Our magic number, 0 for none. */
  magic(): number;
  /** When timeout() is to be called. */
  wakeAt(at: number): void;
  log(level: Level, text: string): void;
  /** The log says what was heard: the driver may know more. */
  explained(): void;
}

export class HeardReport {
  readonly #host: HeardReportHost;
  readonly #heard = new Heard();
  /** "quiet": the log has it that nothing came; the next octets get a line of their own. */
  #stage: "begun" | "quiet" | "told" = "begun";
  /** The last line is out. */
  #isOver = false;

  constructor(host: HeardReportHost) {
    this.#host = host;
  }

  get uncleanness(): Uncleanness | undefined {
    return this.#heard.uncleanness;
  }

  /** The line is open; for `listenMs` we only listen. */
  open(now: number, listenMs: number): void {
    this.#host.wakeAt(now + listenMs + FIRST_WORD_MS);
  }

  octets(bytes: Uint8Array, start: number, end: number, now: number): void {
    this.#heard.octets(bytes, start, end);
    if (this.#stage !== "quiet" || start === end) return;
    this.#stage = "begun";
    this.#host.wakeAt(now + FIRST_WORD_MS);
  }

  packet(protocol: number, code: number | undefined): void {
    this.#heard.packet(protocol, code);
  }

  timeout(): void {
    const { silent, stats, log, explained } = this.#host;
    if (this.#stage !== "begun" || this.#isOver) return;
    if (this.#heard.octetCount > 0) {
      this.#stage = "told";
      // Where frames come, the two are about to agree, or will say why not.
      if (stats.frames === 0) this.#explain();
      return;
    }
    this.#stage = "quiet";
    const seconds = FIRST_WORD_MS / 1000;
    log(
      "info",
      silent
        ? `Heard nothing for ${seconds} s; the silent option waits for the peer to begin, and two silent ends wait for ever`
        : `Heard nothing for ${seconds} s; still sending Configure-Requests`,
    );
    explained();
  }

  /** The requests had no answer, or the link ends. */
  over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#explain();
  }

  /** The line is gone. One that said nothing says nothing about the peer. */
  hungUp(): void {
    if (this.#heard.octetCount > 0) this.over();
  }

  /** pppd's own words are in the log. Whoever waits for a login echoes what we say. */
  loopedBack(): void {
    this.#isOver = true;
    const { text } = this.#heard;
    if (text !== "") this.#host.log("warn", `Heard "${printable(text)}" besides: ${remedy(text)}`);
  }

  #explain(): void {
    const { stats, silent, magic, log, explained } = this.#host;
    log("warn", this.#heard.summary(stats, magic(), silent));
    explained();
  }
}
