// Decides when the log says what a link heard before LCP opened: after the first seconds, when the first octets made no
// frame, when requests were not answered, and when the link ends. Most tests of a new cable end with Ctrl-C before LCP
// gives up after 30 seconds, and a side with the option `silent` never gives up.

import { printable } from "../bytes/text.ts";
import type { Level } from "../control/dialect.ts";
import type { DeframerStats } from "../frame/deframer.ts";
import { Heard, remedy, type Uncleanness } from "./heard.ts";

/** A peer that is there answers well within this time. */
const FIRST_WORD_MS = 3000;

export interface HeardReportHost {
  readonly stats: Readonly<DeframerStats>;
  /** We wait for the peer to begin. */
  readonly silent: boolean;
  /** Another program has the line open. */
  isShared(): boolean;
  /** Returns our magic number, or 0. */
  magic(): number;
  /** Asks for a call of timeout() at this time. */
  wakeAt(at: number): void;
  log(level: Level, text: string): void;
  /** The log says what was heard. The driver may know more. */
  explained(): void;
}

export class HeardReport {
  readonly #host: HeardReportHost;
  readonly #heard = new Heard();
  /** "quiet": the log says that nothing came. The next octets get another line. */
  #stage: "begun" | "quiet" | "told" = "begun";
  /** The last line has been logged. */
  #isOver = false;

  constructor(host: HeardReportHost) {
    this.#host = host;
  }

  get uncleanness(): Uncleanness | undefined {
    return this.#heard.uncleanness;
  }

  /** True for a login prompt, a modem or a shell. They take what we send for input, and many send it back. */
  get isText(): boolean {
    return this.#heard.isText || this.#heard.isEcho(this.#host.magic());
  }

  /** The line is open. For `listenMs` we only listen. */
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
      // When frames come, the two sides are about to agree, or will log why they do not.
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

  /** The requests were not answered, or the link ends. */
  over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#explain();
  }

  /** The line is gone. If nothing came, its end says nothing about the peer. */
  hungUp(): void {
    if (this.#heard.octetCount > 0) this.over();
  }

  /** The log has pppd's own message. A peer that waits for a login echoes what we send. */
  loopedBack(): void {
    this.#isOver = true;
    const { text } = this.#heard;
    if (text !== "") this.#host.log("warn", `Heard "${printable(text)}" besides: ${remedy(text)}`);
  }

  #explain(): void {
    const { stats, silent, magic, isShared, log, explained } = this.#host;
    log("warn", this.#heard.summary(stats, magic(), silent, isShared));
    explained();
  }
}
