// Files that hold our process id for scripts: <rundir>/ppp0.pid, and <rundir>/ppp-NAME.pid for `linkname NAME`.

import { renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { hasCode, reasonOf } from "../ffi/libc.ts";
import { readHead } from "../ffi/small-file.ts";

export class PidFiles {
  readonly #directory: string;
  readonly #pid: number;
  readonly #written = new Set<string>();

  constructor(directory = "/var/run", pid = process.pid) {
    this.#directory = directory;
    this.#pid = pid;
  }

  /** Writes <rundir>/<ifname>.pid. Returns an error text for the log. */
  writeInterface(ifname: string): string | undefined {
    return this.#write(`${ifname}.pid`, `${this.#pid}\n`);
  }

  /** Writes the link's file: at the start without an interface, later with one. Returns an error text for the log. */
  writeLink(linkname: string, ifname?: string): string | undefined {
    return this.#write(`ppp-${linkname}.pid`, `${this.#pid}\n${ifname === undefined ? "" : `${ifname}\n`}`);
  }

  /** Removes one file, or all that were written. Returns error texts for the log. */
  remove(ifname?: string): string[] {
    const names = ifname === undefined ? [...this.#written] : [`${ifname}.pid`];
    return names.flatMap((name) => {
      if (!this.#written.delete(name)) return [];
      const path = `${this.#directory}/${name}`;
      try {
        // Another session may use the name by now.
        if (pidIn(path) === this.#pid) unlinkSync(path);
      } catch (error) {
        if (!hasCode(error, "ENOENT")) return [`unable to delete pid file ${path}: ${reasonOf(error)}`];
      }
      return [];
    });
  }

  #write(name: string, text: string): string | undefined {
    const path = `${this.#directory}/${name}`;
    const unfinished = `${path}.${this.#pid}`;
    try {
      rmSync(unfinished, { force: true });
      writeFileSync(unfinished, text, { mode: 0o644, flag: "wx" });
      renameSync(unfinished, path);
    } catch (error) {
      removeIfPossible(unfinished);
      return `Failed to create pid file ${path}: ${reasonOf(error)}`;
    }
    this.#written.add(name);
    return undefined;
  }
}

/** Where nothing can be written, nothing can be removed either, and nothing was made. */
function removeIfPossible(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The caller reports why the file could not be made.
  }
}

const PID_DIGITS = 11;

/** Throws OsError. */
function pidIn(path: string): number {
  return Number.parseInt(Buffer.from(readHead(path, PID_DIGITS)).toString("latin1"), 10);
}
