// An open file of a RootedFolder.

import { fsyncSync, ftruncateSync, futimesSync, readSync, writeSync } from "node:fs";
import { closeFd, libc } from "../ffi/libc.ts";
import { type FileTrouble, withTrouble } from "./file-trouble.ts";
import { factsAt } from "./path-calls.ts";

interface Stat {
  readonly kind: "file";
  readonly size: number;
  readonly mtime: number;
  readonly version: string;
}

const SYS_SYNC_FILE_RANGE = process.arch === "arm64" ? 84 : 277;
/** Waits for what was begun to be written, and begins to write the rest (man 2 sync_file_range). */
const WAIT_BEFORE_AND_WRITE = 1 | 2;
/** So much is written between two of them. At the end {@link FolderFile.sync} has twice as much to wait for, at most. */
const WINDOW = 1 << 22;

export class FolderFile {
  readonly #fd: number;
  readonly #closed: (file: FolderFile) => void;
  /** Octets since the disk was last told to write. */
  #unwritten = 0;
  #isOpen = true;

  /** `closed` is called once. */
  constructor(fd: number, closed: (file: FolderFile) => void) {
    this.#fd = fd;
    this.#closed = closed;
  }

  /** What it takes on the disk without a name, and which file it is. Undefined: it has a name. */
  nameless(): Pick<Stat, "size" | "version"> | undefined {
    const facts = factsAt(this.#fd, "");
    return typeof facts === "number" || facts.links > 0 ? undefined : facts;
  }

  stat(): Stat {
    const facts = factsAt(this.#fd, "");
    // statx of an open file fails for want of memory only.
    if (typeof facts === "number") return { kind: "file", size: 0, mtime: 0, version: "" };
    const { size, mtime, version } = facts;
    return { kind: "file", size, mtime, version };
  }

  read(into: Uint8Array, at: number, end: number, position: number): number | FileTrouble {
    return withTrouble(() => {
      let fill = at;
      while (fill < end) {
        const got = readSync(this.#fd, into, fill, end - fill, position + fill - at);
        if (got === 0) break;
        fill += got;
      }
      return fill - at;
    });
  }

  write(from: Uint8Array, start: number, end: number, position: number): number | FileTrouble {
    return withTrouble(() => {
      const count = writeSync(this.#fd, from, start, end - start, position);
      this.#unwritten += count;
      if (this.#unwritten >= WINDOW) this.#beginWriting();
      return count;
    });
  }

  /** What fails here fails in {@link sync} again. */
  #beginWriting(): void {
    this.#unwritten = 0;
    libc.syscall(SYS_SYNC_FILE_RANGE, this.#fd, 0, 0, WAIT_BEFORE_AND_WRITE, 0);
  }

  truncate(size: number): FileTrouble | undefined {
    return withTrouble(() => void ftruncateSync(this.#fd, size));
  }

  sync(): FileTrouble | undefined {
    return withTrouble(() => void fsyncSync(this.#fd));
  }

  setTime(mtime: number): FileTrouble | undefined {
    // Bun throws a RangeError without a number for a time that the kernel cannot hold.
    if (!(Math.abs(mtime) < 1e12)) return "failed";
    return withTrouble(() => void futimesSync(this.#fd, mtime, mtime));
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeFd(this.#fd);
    this.#closed(this);
  }
}
