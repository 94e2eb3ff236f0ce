// A pcapng file that makes room for another one when it is too large: FILE is the newest, FILE.1 the one before. Each file
// is complete: it begins with the blocks that describe the interfaces.

import { closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { checkReplaceable } from "../replaced-file.ts";

const Block = { Interface: 1, SectionHeader: 0x0a0d0d0a } as const;
/** The least octets of a block: type, size, size again. */
const LEAST = 12;
const PERMISSIONS = 0o600;

/** What arrives is no pcapng. */
export class NoCapture extends Error {}

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

  /** At most `keep` files of about `size` octets. A device may be written to, but takes no turns: throws NoRegularFile. */
  constructor(path: string, size: number, keep: number) {
    this.#path = path;
    this.#size = size;
    this.#keep = keep;
    if (size !== Infinity) this.#checkNames();
    this.#fd = openSync(path, "w", PERMISSIONS);
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
