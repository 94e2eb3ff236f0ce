// Shows a transfer on a terminal as one line that is written again and again, elsewhere as a plain line from time to time.

import { consola } from "consola";
import { inert } from "../../bytes/text.ts";
import type { Reporter } from "../../transfer/carry.ts";
import type { Watcher } from "../../transfer/client.ts";
import { FileTrouble } from "../../transfer/failed-file.ts";
import { Meter } from "../../transfer/meter.ts";
import { progressText, shownSeconds, sizeText, tookText } from "../../transfer/progress-text.ts";
import { Refusal } from "../../transfer/refusal.ts";
import { shown } from "../../transfer/remote-path.ts";

export interface Screen {
  readonly isTerminal: boolean;
  /** It may change at any time. */
  columns(): number;
  write(text: string): void;
  /** A message on a line of its own. */
  say(level: "info" | "warn" | "error", text: string): void;
  now(): number;
}

export const STDERR: Screen = {
  isTerminal: process.stderr.isTTY === true,
  columns: () => process.stderr.columns ?? 80,
  write: (text) => void process.stderr.write(text),
  say: (level, text) => consola[level](text),
  now: () => performance.now(),
};

const DRAW_MS = 250;
const PLAIN_MS = 30_000;

export class ProgressLine implements Reporter, Watcher {
  readonly meter = new Meter();
  readonly #screen: Screen;
  readonly #began: number;
  readonly #timer: ReturnType<typeof setInterval>;
  #path = "";
  #waiting: string | undefined;
  #lastDraw = -Infinity;
  #files = 0;
  #unchecked = 0;

  constructor(screen: Screen) {
    this.#screen = screen;
    this.#began = screen.now();
    this.#lastDraw = screen.isTerminal ? -Infinity : this.#began;
    this.#timer = setInterval(() => this.draw(), DRAW_MS);
  }

  waiting(reason: string): void {
    if (this.#waiting === undefined && !this.#screen.isTerminal)
      this.#screen.write(`Waiting for the other machine (${inert(reason)}). It goes on by itself\n`);
    this.#waiting = reason;
    this.meter.forgetRate();
    this.draw();
  }

  moving(): void {
    if (this.#waiting !== undefined && !this.#screen.isTerminal) this.#screen.write("The other machine is back\n");
    this.#waiting = undefined;
    this.draw();
  }

  begin(path: string): void {
    this.#path = path;
    this.draw();
  }

  end(_path: string, isChecked: boolean): void {
    this.#files++;
    if (!isChecked) this.#unchecked++;
  }

  tell(what: "folder" | "delete" | "send", path: string): void {
    if (what !== "folder") this.say("info", `${what} ${shown(path)}`);
  }

  fail(path: string, error: unknown): void {
    this.say("error", error instanceof Refusal ? error.message : `${shown(path)}: ${reasonOf(error)}`);
  }

  leaveOut(paths: readonly string[]): void {
    const [first, ...more] = paths.filter((path) => path !== "");
    const others = more.length === 0 ? "is" : `and ${more.length} more are`;
    if (first !== undefined)
      this.say(
        "warn",
        `${shown(first)} ${others} left out: only files and folders are carried that can be read, no links`,
      );
    if (paths.includes(""))
      this.say(
        "warn",
        "the other side could not list the whole folder: something may be missing, and nothing is deleted",
      );
  }

  /** A message above the line. */
  say(level: "info" | "warn" | "error", text: string): void {
    this.#clear();
    this.#screen.say(level, text);
    this.#lastDraw = this.#screen.isTerminal ? -Infinity : this.#lastDraw;
  }

  draw(): void {
    const now = this.#screen.now();
    const rate = this.meter.rate(now);
    const { isTerminal } = this.#screen;
    if (now - this.#lastDraw < (isTerminal ? DRAW_MS : PLAIN_MS) || this.meter.total === 0) return;
    this.#lastDraw = now;
    const { present: done, total } = this.meter;
    const progress = { path: this.#path, done, total, rate, waiting: this.#waiting };
    // A line that is as wide as the terminal would go on to the next one.
    const text = progressText(progress, isTerminal ? this.#screen.columns() - 1 : 100);
    this.#screen.write(isTerminal ? `\r${text}\x1b[K` : `${text}\n`);
  }

  /** Ends the line. */
  close(): void {
    clearInterval(this.#timer);
    this.#clear();
  }

  /** "3 files, 4.2 MB in 6 min (11.0 kB/s)". */
  summary(same: number): string {
    const seconds = shownSeconds((this.#screen.now() - this.#began) / 1000);
    const { moved, done } = this.meter;
    const saved = done > moved ? `, ${sizeText(moved)} of them over the line,` : "";
    const files = this.#files === 1 ? "1 file" : `${this.#files} files`;
    const rate = moved > 0 && done > 0 ? ` (${sizeText(moved / seconds)}/s)` : "";
    const texts = [`${files}, ${sizeText(done)}${saved} in ${tookText(seconds)}${rate}`];
    if (this.#files > this.#unchecked) texts.push("compared with the other side by SHA-256");
    if (same > 0) texts.push(`${same} ${same === 1 ? "was" : "were"} the same already`);
    return texts.join("; ");
  }

  /** How many files could not be checked. */
  get unchecked(): number {
    return this.#unchecked;
  }

  #clear(): void {
    if (this.#screen.isTerminal && this.#lastDraw > -Infinity) this.#screen.write("\r\x1b[K");
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk of this machine is full",
  EDQUOT: "the quota of this machine's disk is used up",
  EACCES: "permission denied",
  EPERM: "not permitted",
  EROFS: "the file system can only be read",
  ENOENT: "there is no such file",
  EISDIR: "a folder has this name",
  ENOTDIR: "a file is where a folder should be",
  ELOOP: "a link has the name of the partial file",
  ENAMETOOLONG: "its name is too long for this machine",
  EIO: "the disk of this machine fails",
};

/** Of an error of a file or of the whole transfer. */
export function reasonOf(error: unknown): string {
  if (error instanceof FileTrouble || !(error instanceof Error)) return String((error as Error).message ?? error);
  const code = "code" in error ? String(error.code) : "";
  return inert(REASONS[code] ?? error.message);
}
