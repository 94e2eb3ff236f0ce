// The file of the history: lines that are appended. A file that is full gets another name, and the one that had this name
// before is gone. So the history has a bounded size, and no line of another process is lost.

import { recordLine, type SessionRecord } from "../../record/session-record.ts";
import type { Machine } from "../machine.ts";
import { keepAt, statePaths } from "../state-paths.ts";

const FILE = "nullmodem-history";
/** Octets after which a new file begins. */
const FULL = 256 * 1024;

export type HistoryMachine = Pick<Machine, "files" | "descriptors" | "processes" | "users">;

/** The files of the history, each after the one that it continues. */
export function historyPaths(machine: Pick<Machine, "processes" | "users">): string[] {
  return statePaths(machine, FILE).flatMap((path) => [`${path}.1`, path]);
}

export class HistoryFile {
  readonly #machine: HistoryMachine;
  /** Whoever wrote last may have been cut off within a line. */
  #hasBegun = false;

  constructor(machine: HistoryMachine) {
    this.#machine = machine;
  }

  /** Where nothing can be written, there is no history: a link does not suffer from it. */
  append(record: SessionRecord): void {
    const bytes = Buffer.from(`${this.#hasBegun ? "" : "\n"}${recordLine(record)}`);
    this.#hasBegun = keepAt(this.#machine, FILE, (path) => this.#appendTo(path, bytes));
  }

  #appendTo(path: string, bytes: Uint8Array): void {
    const { files, descriptors } = this.#machine;
    if (files.size(path) + bytes.length > FULL) this.#putAside(path);
    const fd = files.open(path, "append", 0o644);
    try {
      files.write(fd, bytes);
    } finally {
      descriptors.close(fd);
    }
  }

  /** Another process may have put the full file aside just before, so that the one of this name is a new one. */
  #putAside(path: string): void {
    const { files, processes } = this.#machine;
    const own = `${path}.full-${processes.pid}`;
    files.move(path, own);
    if (files.size(own) > FULL / 2) {
      files.move(own, `${path}.1`);
      return;
    }
    const lines = files.read(own);
    files.remove(own);
    this.#appendTo(path, lines);
  }
}
