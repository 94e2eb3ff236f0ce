// SHA-256 of a file or of its blocks, computed a slice at a time, so that other connections go on.

import { toHex } from "../bytes/text.ts";
import { type RunningHash, startSha256 } from "../crypto/sha256.ts";
import { isTrouble, type OpenFile } from "./folder.ts";

/** How much is hashed at once. */
const SLICE = 1 << 20;
const part = new Uint8Array(1 << 16);

/** The SHA-256 of the octets [from, to) of a file. */
export class FileHash {
  readonly #file: OpenFile;
  readonly #hash: RunningHash = startSha256();
  readonly #to: number;
  #at: number;

  constructor(file: OpenFile, from: number, to: number) {
    this.#file = file;
    this.#at = from;
    this.#to = to;
  }

  /** Works for a while. Undefined: not yet. "failed": the octets cannot be read. */
  step(): Uint8Array | "failed" | undefined {
    for (const stop = this.#at + SLICE; this.#at < Math.min(stop, this.#to);) {
      const got = this.#file.read(part, 0, Math.min(part.length, this.#to - this.#at), this.#at);
      if (isTrouble(got) || got === 0) return "failed";
      this.#hash.update(part.subarray(0, got));
      this.#at += got;
    }
    return this.#at < this.#to ? undefined : this.#hash.digest();
  }
}

/** `{"size":N,"sha256":"…"}` of the first `size` octets. */
export function* hashText(file: OpenFile, size: number): Generator<string> {
  const hash = new FileHash(file, 0, size);
  for (;;) {
    const digest = hash.step();
    if (digest === "failed") return;
    if (digest !== undefined) return yield `{"size":${size},"sha256":"${toHex(digest)}"}\n`;
    yield "";
  }
}

/** The hash of each block, a line each. */
export function* blockHashes(file: OpenFile, size: number, block: number): Generator<string> {
  let done = 0;
  for (let from = 0; from < size; from += block) {
    const to = Math.min(size, from + block);
    const hash = new FileHash(file, from, to);
    let digest = hash.step();
    for (; digest === undefined; digest = hash.step()) yield "";
    if (digest === "failed") return;
    yield `${toHex(digest)}\n`;
    if ((done += to - from) >= SLICE) {
      done = 0;
      yield "";
    }
  }
}
