// The body of a request: by its length, or in chunks (RFC 9112 §6 and §7.1).

/** What the reader does with octets of the body. Undefined: go on. */
type Take<T> = (bytes: Uint8Array, start: number, end: number) => T | undefined;

const CR = 0x0d;
const LF = 0x0a;
const MOST_LINE = 256;
const MOST_TRAILERS = 4096;

type Phase = "size" | "data" | "after-data" | "trailers" | "done" | "bad";

export class BodyReader {
  /** Octets of the present chunk, or of the whole body, that are to come. */
  #left: number;
  #phase: Phase;
  #line = "";
  #trailers = 0;
  readonly #isChunked: boolean;

  constructor(length: number | "chunked") {
    this.#isChunked = length === "chunked";
    this.#left = length === "chunked" ? 0 : length;
    this.#phase = length === "chunked" ? "size" : length === 0 ? "done" : "data";
  }

  get isDone(): boolean {
    return this.#phase === "done";
  }

  /** The chunks are not chunks. */
  get isBad(): boolean {
    return this.#phase === "bad";
  }

  /** Reads bytes[start, end) up to the end of the body, and returns where it stopped; or what `take` returned. */
  read<T>(bytes: Uint8Array, start: number, end: number, take: Take<T>): number | T {
    let at = start;
    while (at < end && this.#phase !== "done" && this.#phase !== "bad") {
      if (this.#phase !== "data") {
        this.#readLine(bytes[at++]!);
        continue;
      }
      const part = Math.min(end, at + this.#left);
      const answer = take(bytes, at, part);
      if (answer !== undefined) return answer;
      this.#left -= part - at;
      at = part;
      if (this.#left === 0) this.#phase = this.#isChunked ? "after-data" : "done";
    }
    return at;
  }

  #readLine(octet: number): void {
    if (octet === CR) return;
    if (octet !== LF) {
      this.#line += String.fromCharCode(octet);
      if (this.#line.length > MOST_LINE) this.#phase = "bad";
      return;
    }
    const line = this.#line;
    this.#line = "";
    if (this.#phase === "after-data") this.#phase = line === "" ? "size" : "bad";
    else if (this.#phase === "trailers") {
      if (line === "") this.#phase = "done";
      else if ((this.#trailers += line.length) > MOST_TRAILERS) this.#phase = "bad";
    } else {
      const [, digits] = /^([0-9a-fA-F]{1,12})[ \t]*(?:;.*)?$/.exec(line) ?? [];
      this.#left = digits === undefined ? 0 : parseInt(digits, 16);
      this.#phase = digits === undefined ? "bad" : this.#left === 0 ? "trailers" : "data";
    }
  }
}
