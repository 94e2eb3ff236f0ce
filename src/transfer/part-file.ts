// A file that is being received: NAME.part, and NAME.part.json, which says of what it is a part. It gets its name when it
// is whole and on the disk. A file of the name NAME.part may be the user's own, as browsers use this name too. Only a part that has
// its note is ours, and another's is left as it is.

import {
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  futimesSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { FileTrouble } from "./failed-file.ts";
import { FileHash } from "./file-hash.ts";
import { folderOf, systemPath } from "./remote-path.ts";

/** What the octets of a part are of. A file of another origin begins anew. */
export interface Origin {
  /** Path and query. Not the host: a peer may have another address on the next link. */
  readonly target: string;
  /** A strong ETag or a date, for If-Range. "" when the server gives neither. */
  readonly validator: string;
  /** Undefined when the server does not say. */
  readonly size: number | undefined;
  /** It began as a copy of an older file, so its octets are to be compared block by block. */
  readonly isPatched: boolean;
}

const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;

/** A note is a path and a few words. */
const MOST_NOTE = 65_536;

/** A file with its name would take it away for good. */
function isSpecial(path: string): boolean {
  const stat = lstatSync(systemPath(path), { throwIfNoEntry: false });
  return stat !== undefined && !stat.isFile() && !stat.isDirectory() && !stat.isSymbolicLink();
}

export class PartFile {
  readonly #target: string;
  readonly #part: string;
  readonly #fd: number;
  readonly #hash: FileHash;
  #size: number;
  #origin: Origin | undefined;

  /** `suffix`: ".part", or longer where a file of the other side has this name. Throws the errors of node:fs. */
  constructor(target: string, suffix = ".part") {
    this.#target = target;
    if (isSpecial(target)) throw new FileTrouble("its name is that of a device, a FIFO or a socket here");
    let part = `${target}${suffix}`;
    while (isAnothers(part)) part += "~";
    this.#part = part;
    this.#fd = openSync(systemPath(this.#part), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o666);
    const stat = fstatSync(this.#fd);
    this.#origin = originOf(part);
    if (!stat.isFile() || (stat.size > 0 && this.#origin === undefined)) {
      closeSync(this.#fd);
      throw new FileTrouble("the name of the partial file is taken");
    }
    this.#size = stat.size;
    this.#hash = new FileHash(this.#fd);
  }

  get size(): number {
    return this.#size;
  }

  get fd(): number {
    return this.#fd;
  }

  /** Undefined: it is empty, and nothing was received yet. */
  get origin(): Origin | undefined {
    return this.#origin;
  }

  /** Empties it for octets of another origin. */
  begin(origin: Origin): void {
    this.cut(0);
    this.#noteOrigin(origin);
  }

  /** Makes it a copy of the old file that has the target's name. */
  beginAsCopy(origin: Origin): void {
    // With the note first, a copy that a kill has cut short is compared too.
    this.#noteOrigin({ ...origin, isPatched: true });
    copyFileSync(systemPath(this.#target), systemPath(this.#part), constants.COPYFILE_FICLONE);
    this.#hash.forget(0);
    this.#size = fstatSync(this.#fd).size;
  }

  append(octets: Uint8Array): void {
    // A disk that becomes full has taken some of them.
    for (let done = 0; done < octets.length;) {
      const written = writeSync(this.#fd, octets, done, octets.length - done, this.#size);
      this.#hash.append(octets.subarray(done, done + written), this.#size);
      this.#size += written;
      done += written;
    }
  }

  /** Replaces octets. */
  patch(octets: Uint8Array, at: number): void {
    this.#hash.forget(at);
    for (let done = 0; done < octets.length;)
      done += writeSync(this.#fd, octets, done, octets.length - done, at + done);
    this.#size = Math.max(this.#size, at + octets.length);
  }

  cut(size: number): void {
    ftruncateSync(this.#fd, size);
    this.#hash.forget(size);
    this.#size = size;
  }

  /** The SHA-256 of the first `length` octets, in hex. */
  hash(length = this.#size): string {
    return this.#hash.of(length);
  }

  /** Gives the file its name. `seconds`: its time of modification. */
  finish(seconds: number | undefined): void {
    if (seconds !== undefined) futimesSync(this.#fd, seconds, seconds);
    fsyncSync(this.#fd);
    renameSync(systemPath(this.#part), systemPath(this.#target));
    rmSync(this.#notePath(), { force: true });
    syncFolder(folderOf(this.#target));
    this.close();
  }

  /** Leaves the part for a later start, but for an empty one. */
  close(): void {
    closeSync(this.#fd);
    if (this.#size > 0) return;
    rmSync(this.#notePath(), { force: true });
    if (lstatSync(systemPath(this.#part), { throwIfNoEntry: false })?.size === 0) rmSync(systemPath(this.#part));
  }

  #notePath(): Buffer {
    return systemPath(`${this.#part}.json`);
  }

  #noteOrigin(origin: Origin): void {
    const path = this.#notePath();
    rmSync(path, { force: true });
    writeFileSync(path, `${JSON.stringify(origin)}\n`, { flag: "wx" });
    this.#origin = origin;
  }
}

/** What the note beside a part says. Undefined: there is none, or the file beside it is no note of ours. */
export function originOf(part: string): Origin | undefined {
  const path = systemPath(`${part}.json`);
  try {
    const stat = lstatSync(path);
    if (!stat.isFile() || stat.size > MOST_NOTE) return undefined;
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    return isOrigin(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The name of the part, or that of its note, belongs to a file that is not ours. */
function isAnothers(part: string): boolean {
  if (originOf(part) !== undefined) return lstatSync(systemPath(part), { throwIfNoEntry: false })?.isFile() === false;
  if (lstatSync(systemPath(`${part}.json`), { throwIfNoEntry: false }) !== undefined) return true;
  const stat = lstatSync(systemPath(part), { throwIfNoEntry: false });
  return stat !== undefined && (!stat.isFile() || stat.size > 0);
}

function isOrigin(value: unknown): value is Origin {
  if (typeof value !== "object" || value === null) return false;
  const { target, validator, size, isPatched } = value as Record<string, unknown>;
  const isSize = size === undefined || (typeof size === "number" && Number.isSafeInteger(size) && size >= 0);
  return typeof target === "string" && typeof validator === "string" && isSize && typeof isPatched === "boolean";
}

/** The new name is on the disk when this returns, where the file system can do that. */
function syncFolder(folder: string): void {
  const fd = openSync(systemPath(folder), constants.O_RDONLY);
  try {
    fsyncSync(fd);
  } catch {
    // FAT and network file systems refuse it.
  } finally {
    closeSync(fd);
  }
}
