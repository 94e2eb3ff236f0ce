// Where pppd's log lines go: syslog, and the same line to logfd (stdout until detaching, or logfile); to the journal once,
// when that is what logfd is. The one thing that prints while a link is up.

import { writeSync } from "node:fs";
import { type Journal, journalAt } from "./journal.ts";
import { type Level as SyslogLevel, Syslog } from "./syslog.ts";

export type LogLevel = "debug" | "info" | "notice" | "warn" | "error";

const SYSLOG_LEVELS: Record<LogLevel, SyslogLevel> = {
  debug: "debug",
  info: "info",
  notice: "notice",
  warn: "warning",
  error: "err",
};

export class Log {
  /** Debug lines are written, to syslog and to the descriptor. */
  debug: boolean;
  readonly #syslog: Syslog;
  #fd: number | undefined;
  #journal: Journal | undefined;

  constructor(syslog: Syslog, fd: number | undefined, debug: boolean) {
    this.#syslog = syslog;
    this.#fd = fd;
    this.#journal = journalAt(fd);
    this.debug = debug;
  }

  /** The descriptor scripts get as their stderr; undefined: none. */
  get fd(): number | undefined {
    return this.#fd;
  }

  /** Syslog alone from now on. */
  dropFd(): void {
    this.#fd = this.#journal = undefined;
  }

  write(level: LogLevel, text: string): void {
    if (level === "debug" && !this.debug) return;
    if (this.#journal?.write(SYSLOG_LEVELS[level], text) === true) return;
    this.#syslog.write(SYSLOG_LEVELS[level], text);
    if (this.#journal === undefined) this.#print(text);
  }

  /** For syslog or the journal: what would tell the person at the terminal nothing ("Exit."). */
  note(level: LogLevel, text: string): void {
    if (level === "debug" && !this.debug) return;
    if (this.#journal?.write(SYSLOG_LEVELS[level], text) === true) return;
    this.#syslog.write(SYSLOG_LEVELS[level], text);
  }

  #print(text: string): void {
    if (this.#fd === undefined) return;
    const line = Buffer.from(`${text}\n`, "utf8");
    try {
      writeSync(this.#fd, line);
    } catch {
      // The terminal hung up, the disk is full, the reader is slow: a log line is not worth the link.
    }
  }
}
