// SHA-256 of a file or of its blocks, computed a slice at a time, so that other connections go on.

import { toHex } from "../bytes/text.ts";
import { type RunningHash, startSha256 } from "../crypto/sha256.ts";
import { isTrouble, type OpenFile } from "./folder.ts";

/** How much is hashed at once. */
const SLICE = 1 << 20;
const part = new Uint8Array(1 << 16);

/** The SHA-256 of the octets [from, to) of a file. */
export class FileHash {
  readonly #hash: RunningHash = startSha256();
  readonly #to: number;
  #at: number;

  constructor(from: number, to: number) {
    this.#at = from;
    this.#to = to;
  }

  /** Reads on in the file. Undefined: not yet. "failed": the octets cannot be read. */
  step(file: OpenFile): Uint8Array | "failed" | undefined {
    for (const stop = this.#at + SLICE; this.#at < Math.min(stop, this.#to);) {
      const got = file.read(part, 0, Math.min(part.length, this.#to - this.#at), this.#at);
      if (isTrouble(got) || got === 0) return "failed";
      this.#hash.update(part.subarray(0, got));
      this.#at += got;
    }
    return this.#at < this.#to ? undefined : this.#hash.digest();
  }
}

/** One computation for all who ask for the hash of the same octets at the same time. */
export class SharedHashes {
  readonly #running = new Map<string, SharedHash>();

  /** `{"size":N,"sha256":"…"}` of the first `size` octets. */
  *text(file: OpenFile, size: number): Generator<string> {
    const key = `${file.stat().version}/${size}`;
    const hash = this.#running.get(key) ?? new SharedHash(size);
    this.#running.set(key, hash);
    hash.askers++;
    try {
      for (let digest = hash.step(file); digest !== "failed"; digest = hash.step(file)) {
        if (digest !== undefined) return yield `{"size":${size},"sha256":"${digest}"}\n`;
        yield "";
      }
    } finally {
      if (--hash.askers === 0) this.#running.delete(key);
    }
  }
}

class SharedHash {
  readonly #size: number;
  #hash: FileHash | undefined;
  #result: string | undefined;
  askers = 0;

  constructor(size: number) {
    this.#size = size;
  }

  /** Any of the open files will do: they are the same file. */
  step(file: OpenFile): string | undefined {
    this.#hash ??= new FileHash(0, this.#size);
    const digest = this.#result === undefined ? this.#hash.step(file) : undefined;
    if (digest !== undefined) this.#result = digest === "failed" ? digest : toHex(digest);
    return this.#result;
  }
}

/** The hash of each block, a line each. */
export function* blockHashes(file: OpenFile, size: number, block: number): Generator<string> {
  let done = 0;
  for (let from = 0; from < size; from += block) {
    const to = Math.min(size, from + block);
    const hash = new FileHash(from, to);
    let digest = hash.step(file);
    for (; digest === undefined; digest = hash.step(file)) yield "";
    if (digest === "failed") return;
    yield `${toHex(digest)}\n`;
    if ((done += to - from) >= SLICE) {
      done = 0;
      yield "";
    }
  }
}
