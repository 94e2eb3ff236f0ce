// The SHA-256 of an open file whose octets pass by in order as a rule. Other octets are read from the file.

import { createHash, type Hash } from "node:crypto";
import { readSync } from "node:fs";

const CHUNK = 1 << 20;

export class FileHash {
  readonly #fd: number;
  #hash = createHash("sha256");
  /** The octets [0, length) are in the hash. */
  #length = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Octets that are in the file at `at`. */
  append(octets: Uint8Array, at: number): void {
    if (at !== this.#length) return;
    this.#hash.update(octets);
    this.#length += octets.length;
  }

  /** The octets from `at` on change. */
  forget(at: number): void {
    if (at >= this.#length) return;
    this.#hash = createHash("sha256");
    this.#length = 0;
  }

  /** In hex, of the first `length` octets. Of a file that is shorter, the hash of all of it. */
  of(length: number): string {
    return this.#upTo(length).copy().digest("hex");
  }

  /** For Repr-Digest (RFC 9530). */
  digestOf(length: number): string {
    return `sha-256=:${this.#upTo(length).copy().digest("base64")}:`;
  }

  #upTo(length: number): Hash {
    if (this.#length > length) this.forget(length);
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(1, length - this.#length)));
    while (this.#length < length) {
      const got = readSync(this.#fd, chunk, 0, Math.min(chunk.length, length - this.#length), this.#length);
      if (got === 0) break;
      this.append(chunk.subarray(0, got), this.#length);
    }
    return this.#hash;
  }
}

/** The SHA-256 of each block of `size` octets, in hex; the last block may be shorter. */
export function blockHashes(fd: number, length: number, size: number): string[] {
  const hashes: string[] = [];
  const block = Buffer.allocUnsafe(size);
  for (let at = 0; at < length; at += size) {
    const want = Math.min(size, length - at);
    let got = 0;
    for (let more = -1; more !== 0 && got < want; got += more) more = readSync(fd, block, got, want - got, at + got);
    hashes.push(createHash("sha256").update(block.subarray(0, got)).digest("hex"));
  }
  return hashes;
}
