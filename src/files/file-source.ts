// The octets of a file, or of a part of it.

import { isTrouble, type OpenFile } from "./folder.ts";
import { BROKEN, NO_MORE, type Source } from "./reply.ts";
import type { Span } from "./ranges.ts";

export class FileSource implements Source {
  readonly length: number;
  readonly #file: OpenFile;
  readonly #to: number;
  #at: number;

  /** Closes the file. */
  constructor(file: OpenFile, { from, to }: Span) {
    this.#file = file;
    this.#at = from;
    this.#to = to;
    this.length = to - from;
  }

  fill(into: Uint8Array, at: number, end: number): number {
    if (this.#at >= this.#to) return NO_MORE;
    const got = this.#file.read(into, at, Math.min(end, at + this.#to - this.#at), this.#at);
    // A file that has become shorter breaks the promise of its length.
    if (isTrouble(got) || got === 0) return BROKEN;
    this.#at += got;
    return got;
  }

  close(): void {
    this.#file.close();
  }
}
