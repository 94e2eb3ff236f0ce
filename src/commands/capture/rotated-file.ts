// A pcapng file that makes room for another one when it is too large: FILE is the newest, FILE.1 the one before. Each file
// is complete: it begins with the blocks that describe the interfaces.

import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { checkReplaceable } from "../replaced-file.ts";

const Block = { Interface: 1, SectionHeader: 0x0a0d0d0a } as const;
/** The least octets of a block: type, size, size again. */
const LEAST = 12;
const PERMISSIONS = 0o600;
const OTHERS = 0o077;

/** What arrives is no pcapng. */
export class NoCapture extends Error {}

/** Its owner would read the packets. */
export class FileOfAnother extends Error {
  constructor(path: string) {
    super(`${path} belongs to another user, and others may read it`);
  }
}

export class RotatedFile {
  readonly #path: string;
  readonly #size: number;
  readonly #keep: number;
  #fd: number;
  #written = 0;
  /** Section and interfaces so far. */
  #head: Uint8Array[] = [];
  /** The beginning of a block that has not arrived whole. */
  #rest = new Uint8Array(0);

  /**
   * At most `keep` files of about `size` octets. A device may be written to, but takes no turns: throws NoRegularFile.
   * Throws FileOfAnother.
   */
  constructor(path: string, size: number, keep: number) {
    this.#path = path;
    this.#size = size;
    this.#keep = keep;
    if (size !== Infinity) this.#checkNames();
    this.#fd = openPrivate(path);
  }

  /** Takes octets of the capture, cut anywhere. */
  write(bytes: Uint8Array): void {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const view = new DataView(all.buffer, all.byteOffset, all.byteLength);
    let at = 0;
    while (at + LEAST <= all.length) {
      const size = view.getUint32(at + 4, true);
      if (size < LEAST || size % 4 !== 0) throw new NoCapture(`a block of ${size} octets`);
      if (at + size > all.length) break;
      this.#block(all.subarray(at, at + size), view.getUint32(at, true));
      at += size;
    }
    this.#rest = all.slice(at);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #block(block: Uint8Array, type: number): void {
    const isHead = type === Block.Interface || type === Block.SectionHeader;
    if (isHead) this.#head.push(block.slice());
    else if (this.#written + block.length > this.#size) this.#rotate();
    this.#put(block);
  }

  #rotate(): void {
    // They may have changed since the last time.
    this.#checkNames();
    rmSync(this.#name(this.#keep - 1), { force: true });
    for (let number = this.#keep - 2; number >= 0; number--) {
      try {
        renameSync(this.#name(number), this.#name(number + 1));
      } catch (error) {
        // There are not so many yet.
        if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
      }
    }
    const fd = openSync(this.#path, "wx", PERMISSIONS);
    closeSync(this.#fd);
    this.#fd = fd;
    this.#written = 0;
    for (const block of this.#head) this.#put(block);
  }

  #name(number: number): string {
    return number === 0 ? this.#path : `${this.#path}.${number}`;
  }

  #checkNames(): void {
    for (let number = 0; number < this.#keep; number++) checkReplaceable(this.#name(number));
  }

  #put(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) at += writeSync(this.#fd, bytes, at);
    this.#written += bytes.length;
  }
}

/** Empties a file that is there, after nobody else can read it. */
function openPrivate(path: string): number {
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT, PERMISSIONS);
  try {
    if (fstatSync(fd).isFile()) {
      closeToOthers(fd, path);
      ftruncateSync(fd);
    }
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function closeToOthers(fd: number, path: string): void {
  const { mode, uid } = fstatSync(fd);
  if ((mode & OTHERS) === 0) return;
  const user = process.geteuid?.();
  if (user !== 0 && user !== uid) throw new FileOfAnother(path);
  try {
    fchmodSync(fd, PERMISSIONS);
  } catch (error) {
    // FAT has no permissions for each file.
    if (!(error instanceof Error && "code" in error && error.code === "EPERM")) throw error;
  }
}
