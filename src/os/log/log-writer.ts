// Writes pppd's log lines: to syslog, and to logfd (stdout until detaching, or logfile). If logfd leads to the journal,
// each line goes there once. This is the only code that prints while a link is up.

import { inert } from "../../bytes/text.ts";
import { type Journal, journalAt } from "./journal.ts";
import { LineOutput } from "./line-output.ts";
import { drainOutboxes } from "./outbox.ts";
import { type Level as SyslogLevel, Syslog } from "./syslog-client.ts";

export type LogLevel = "debug" | "info" | "notice" | "warn" | "error";

const SYSLOG_LEVELS: Record<LogLevel, SyslogLevel> = {
  debug: "debug",
  info: "info",
  notice: "notice",
  warn: "warning",
  error: "err",
};

/** When we stop using the descriptor, its reader has this long to take the waiting lines. */
const DROP_MS = 1000;

export class Log {
  /** Writes debug lines as well, to syslog and to the descriptor. */
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

  /** The descriptor that scripts get as stderr. Undefined: none. */
  get fd(): number | undefined {
    return this.#fd;
  }

  /** Writes only to syslog from now on. The descriptor may be reused, so its waiting lines are written now or lost. */
  dropFd(): void {
    drainOutboxes(DROP_MS);
    this.#output?.close();
    this.#fd = this.#journal = this.#output = undefined;
  }

  /** Writes a script's own output (of a chat that we run ourselves) to the descriptor only. */
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

  /** Writes only to syslog or the journal, for lines such as "Exit." that tell the user at the terminal nothing. */
  note(level: LogLevel, line: string): void {
    if (level === "debug" && !this.debug) return;
    const text = harmless(line);
    if (this.#journal?.write(SYSLOG_LEVELS[level], text) === true) return;
    this.#syslog.write(SYSLOG_LEVELS[level], text);
  }
}

/**
 * Makes a line safe for a terminal, wherever its text comes from (peer, PAM, helper program). Text that pppd has a
 * visible form for has been converted already.
 */
function harmless(line: string): string {
  return line.split("\t").map(inert).join("\t");
}
