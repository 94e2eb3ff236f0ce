// Files that hold our process id for scripts: <rundir>/ppp0.pid, and <rundir>/ppp-NAME.pid for `linkname NAME`.

import { textOf } from "../../bytes/text.ts";
import type { Files } from "../host/files.ts";
import { hasCode, reasonOf } from "../machine.ts";

type PidFileStore = Pick<Files, "readHead" | "replace" | "remove">;

export class PidFiles {
  readonly #files: PidFileStore;
  readonly #directory: string;
  readonly #pid: number;
  readonly #written = new Set<string>();

  constructor(files: PidFileStore, directory: string, pid: number) {
    this.#files = files;
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

  /** The process that an interface's file names. Undefined: there is no such file. */
  holderOf(ifname: string): number | undefined {
    try {
      return this.#pidIn(`${this.#directory}/${ifname}.pid`) || undefined;
    } catch {
      return undefined;
    }
  }

  /** Removes one file, or all that were written. Returns error texts for the log. */
  remove(ifname?: string): string[] {
    const names = ifname === undefined ? [...this.#written] : [`${ifname}.pid`];
    return names.flatMap((name) => {
      if (!this.#written.delete(name)) return [];
      const path = `${this.#directory}/${name}`;
      try {
        // Another session may use the name by now.
        if (this.#pidIn(path) === this.#pid) this.#files.remove(path);
      } catch (error) {
        if (!hasCode(error, "ENOENT")) return [`unable to delete pid file ${path}: ${reasonOf(error)}`];
      }
      return [];
    });
  }

  #write(name: string, text: string): string | undefined {
    const path = `${this.#directory}/${name}`;
    try {
      this.#files.replace(path, Buffer.from(text), 0o644);
    } catch (error) {
      return `Failed to create pid file ${path}: ${reasonOf(error)}`;
    }
    this.#written.add(name);
    return undefined;
  }

  /** Throws HostError. */
  #pidIn(path: string): number {
    return Number.parseInt(textOf(this.#files.readHead(path, PID_DIGITS)), 10);
  }
}

const PID_DIGITS = 11;
