// Octets of a text that is made in pieces while it is sent.

import { NO_MORE, type Source } from "./reply.ts";

/** Pieces are texts with one character an octet. An empty one lets other connections have their turn. */
export class TextSource implements Source {
  readonly length = undefined;
  readonly #pieces: Iterator<string>;
  readonly #close: () => void;
  #piece = "";
  #at = 0;
  #isOpen = true;

  /** `close` is called once, at the end or when the rest is not wanted. */
  constructor(pieces: Iterator<string>, close: () => void = () => {}) {
    this.#pieces = pieces;
    this.#close = close;
  }

  fill(into: Uint8Array, at: number, end: number): number {
    let fill = at;
    while (fill < end) {
      if (this.#at === this.#piece.length) {
        const { done, value } = this.#pieces.next();
        if (done === true) return fill > at ? fill - at : NO_MORE;
        this.#piece = value;
        this.#at = 0;
        if (value === "") return fill - at;
      }
      const count = Math.min(end - fill, this.#piece.length - this.#at);
      for (let octet = 0; octet < count; octet++) into[fill + octet] = this.#piece.charCodeAt(this.#at + octet);
      fill += count;
      this.#at += count;
    }
    return fill - at;
  }

  close(): void {
    if (this.#isOpen) this.#close();
    this.#isOpen = false;
  }
}
