// Where pppd's log lines go: syslog, and the same line to logfd (stdout until detaching, or logfile); to the journal once,
// when that is what logfd is. The one thing that prints while a link is up.

import { inert } from "../../bytes/text.ts";
import { type Journal, journalAt } from "./journal.ts";
import { LineOutput } from "./line-output.ts";
import { drainOutboxes } from "./outbox.ts";
import { type Level as SyslogLevel, Syslog } from "./syslog.ts";

export type LogLevel = "debug" | "info" | "notice" | "warn" | "error";

const SYSLOG_LEVELS: Record<LogLevel, SyslogLevel> = {
  debug: "debug",
  info: "info",
  notice: "notice",
  warn: "warning",
  error: "err",
};

/** A reader of the descriptor that takes nothing for so long gets no more when it is given up. */
const DROP_MS = 1000;

export class Log {
  /** Debug lines are written, to syslog and to the descriptor. */
  debug: boolean;
  readonly #syslog: Syslog;
  #fd: number | undefined;
  #journal: Journal | undefined;
  #output: LineOutput | undefined;

  constructor(syslog: Syslog, fd: number | undefined, debug: boolean) {
    this.#syslog = syslog;
    this.#fd = fd;
    this.#journal = journalAt(fd);
    if (fd !== undefined && this.#journal === undefined) this.#output = new LineOutput(fd);
    this.debug = debug;
  }

  /** The descriptor scripts get as their stderr; undefined: none. */
  get fd(): number | undefined {
    return this.#fd;
  }

  /** Syslog alone from now on. The descriptor may become another file's: what waits for it goes first, or is lost. */
  dropFd(): void {
    drainOutboxes(DROP_MS);
    this.#output?.close();
    this.#fd = this.#journal = this.#output = undefined;
  }

  /** What scripts say that are played by ourselves, for the descriptor alone. */
  pass(bytes: Uint8Array): void {
    this.#output?.write(bytes);
  }

  write(level: LogLevel, line: string): void {
    if (level === "debug" && !this.debug) return;
    const text = harmless(line);
    if (this.#journal?.write(SYSLOG_LEVELS[level], text) === true) return;
    this.#syslog.write(SYSLOG_LEVELS[level], text);
    this.#output?.write(`${text}\n`);
  }

  /** For syslog or the journal: what would tell the person at the terminal nothing ("Exit."). */
  note(level: LogLevel, line: string): void {
    if (level === "debug" && !this.debug) return;
    const text = harmless(line);
    if (this.#journal?.write(SYSLOG_LEVELS[level], text) === true) return;
    this.#syslog.write(SYSLOG_LEVELS[level], text);
  }
}

/**
 * One line that does nothing to a terminal, whoever said what is in it: a peer, PAM, a helper. Where its octets have a
 * form of pppd's they have it already.
 */
function harmless(line: string): string {
  return line.split("\t").map(inert).join("\t");
}
