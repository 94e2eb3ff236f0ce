// The files that setup changes, below a root folder: "/" or that of another system. A file is replaced as a whole (another
// file, then rename), so that a program that reads it, or a power cut, finds the old text or the new one.

import {
  chmodSync,
  chownSync,
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { bytesOf, textOf } from "../../bytes/text.ts";
import { asOsError, hasCode } from "../../os/ffi/libc.ts";

/** A file's text (one char a byte), mode and owner. */
export interface Stored {
  readonly text: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export class Disk {
  readonly root: string;
  readonly #step: (what: string) => void;
  readonly #sync: (fd: number) => void;

  /**
   * `step` is called before each change: a test ends the program there by an exception. `sync` waits until a file or
   * folder is on the disk.
   */
  constructor(root = "/", step: (what: string) => void = () => {}, sync = fsyncSync) {
    this.root = root;
    this.#step = step;
    this.#sync = sync;
  }

  /** Undefined: there is no such file. Throws OsError, or RangeError for something other than a file. */
  read(path: string): Stored | undefined {
    const real = this.#real(path);
    if (real === undefined) return undefined;
    return asOsError(() => {
      const { mode, uid, gid } = statSync(real);
      return { text: textOf(readFileSync(real)), mode: mode & 0o7777, uid, gid };
    });
  }

  /** Makes or replaces a file. */
  write(path: string, { text, mode, uid, gid }: Stored): void {
    const real = this.#real(path) ?? this.#at(path);
    const unfinished = unfinishedName(real);
    asOsError(() => {
      this.#step(`begin ${path}`);
      rmSync(unfinished, { force: true });
      const fd = openSync(unfinished, "wx", 0o600);
      try {
        const bytes = bytesOf(text);
        for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
        this.#step(`fill ${path}`);
        if (process.getuid?.() === 0) fchownSync(fd, uid, gid);
        fchmodSync(fd, mode);
        this.#sync(fd);
      } finally {
        closeSync(fd);
      }
      this.#step(`rename ${path}`);
      renameSync(unfinished, real);
      this.#syncFolder(dirname(real));
    });
  }

  /** Removes a file, and what an interrupted write left beside it. */
  remove(path: string): void {
    this.#step(`remove ${path}`);
    asOsError(() => rmSync(this.#real(path) ?? this.#at(path), { force: true }));
    this.removeUnfinished(path);
  }

  removeUnfinished(path: string): void {
    asOsError(() => rmSync(unfinishedName(this.#real(path) ?? this.#at(path)), { force: true }));
  }

  /** The folders above a path that do not exist, the outermost first. */
  missingFolders(path: string): string[] {
    const folder = dirname(path);
    if (folder === path || isFolder(this.#at(folder))) return [];
    return [...this.missingFolders(folder), folder];
  }

  makeFolder(path: string, mode: number): void {
    if (isFolder(this.#at(path))) return;
    this.#step(`make ${path}`);
    asOsError(() => {
      mkdirSync(this.#at(path));
      // Whatever the umask is.
      chmodSync(this.#at(path), mode);
      if (process.getuid?.() === 0) chownSync(this.#at(path), 0, 0);
    });
  }

  /** Removes a folder that is empty. */
  removeFolder(path: string): void {
    this.#step(`remove ${path}`);
    asOsError(() => {
      try {
        rmdirSync(this.#at(path));
      } catch (error) {
        if (!hasCode(error, "ENOENT", "ENOTEMPTY", "EEXIST")) throw error;
      }
    });
  }

  list(folder: string): string[] {
    return isFolder(this.#at(folder)) ? asOsError(() => readdirSync(this.#at(folder))) : [];
  }

  /** After a power cut the new name is there too. */
  #syncFolder(folder: string): void {
    const fd = openSync(folder, "r");
    try {
      this.#sync(fd);
    } finally {
      closeSync(fd);
    }
  }

  #at(path: string): string {
    return join(this.root, path);
  }

  /** The file itself where `path` is a symbolic link. Undefined: there is nothing. */
  #real(path: string): string | undefined {
    const at = this.#at(path);
    const found = lstatSync(at, { throwIfNoEntry: false });
    if (found === undefined) return undefined;
    if (found.isFile()) return at;
    if (!found.isSymbolicLink()) throw new RangeError(`${path} is not a file`);
    if (this.root !== "/") throw new RangeError(`${path} is a symbolic link, which may lead out of ${this.root}`);
    const real = asOsError(() => realpathSync(at));
    if (!statSync(real).isFile()) throw new RangeError(`${path} is not a file`);
    return real;
  }
}

/** cron, systemd and pppd do not read files whose names begin with a dot. */
function unfinishedName(path: string): string {
  return join(dirname(path), `.${basename(path)}.nullmodem-setup`);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
