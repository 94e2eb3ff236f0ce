// A request of a program that controls a link: one line of JSON, {"verb":"hangup","link":"ppp0","words":[]}.

import { ControlError } from "./controlled-link.ts";

/** The longest line in octets, without its end. */
const MOST_LINE = 4096;
const MOST_WORDS = 32;
const LF = 0x0a;
const CR = 0x0d;

export interface ControlRequest {
  readonly verb: string;
  /** An interface, a linkname or a device. */
  readonly link: string | undefined;
  readonly words: readonly string[];
}

/** Puts the octets of a program together to lines. */
export class RequestLines {
  readonly #line = new Uint8Array(MOST_LINE);
  #length = 0;

  /** The lines that end in these octets. Throws ControlError when a line is too long. */
  *push(bytes: Uint8Array): Generator<string> {
    let start = 0;
    for (let end; (end = bytes.indexOf(LF, start)) >= 0; start = end + 1) {
      this.#keep(bytes.subarray(start, end));
      const length = this.#line[this.#length - 1] === CR ? this.#length - 1 : this.#length;
      this.#length = 0;
      yield new TextDecoder().decode(this.#line.subarray(0, length));
    }
    this.#keep(bytes.subarray(start));
  }

  #keep(piece: Uint8Array): void {
    if (this.#length + piece.length > MOST_LINE) throw new ControlError(`A request has at most ${MOST_LINE} octets`);
    this.#line.set(piece, this.#length);
    this.#length += piece.length;
  }
}

/** Reads a line. Throws ControlError. */
export function parseRequest(line: string): ControlRequest {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new ControlError("A request is one line of JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new ControlError("A request is an object of JSON");
  const { verb, link, words = [] } = value as { verb?: unknown; link?: unknown; words?: unknown };
  if (typeof verb !== "string") throw new ControlError('A request has a "verb"');
  if (link !== undefined && link !== null && typeof link !== "string") throw new ControlError('"link" is a text');
  if (!Array.isArray(words) || words.length > MOST_WORDS || !words.every((word) => typeof word === "string"))
    throw new ControlError(`"words" is a list of at most ${MOST_WORDS} texts`);
  return { verb, link: link ?? undefined, words };
}
