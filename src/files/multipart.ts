// What a form sends (RFC 7578), read in pieces. A part is given octet for octet as it comes, so a file may be larger than memory.

import { bytesOf, textOf } from "../bytes/text.ts";
import { joined } from "./tar.ts";

export interface PartHandler {
  /** A part begins. `fileName`: it is a file; undefined: another field. Octets, one character each. */
  begin(field: string, fileName: string | undefined): void;
  data(bytes: Uint8Array, start: number, end: number): void;
  end(): void;
}

const MOST_HEAD = 4096;
const MOST_PARTS = 1000;
const LINE_END = Uint8Array.of(0x0d, 0x0a);

/** The boundary in a Content-Type. Undefined: it is not that of a form with files. */
export function boundaryOf(type: string | undefined): string | undefined {
  const [, quoted, plain] =
    /^multipart\/form-data\s*;.*?boundary=(?:"([^"]{1,70})"|([^\s;]{1,70}))/i.exec(type ?? "") ?? [];
  return quoted ?? plain;
}

export class MultipartReader {
  readonly #delimiter: Uint8Array;
  readonly #handler: PartHandler;
  /** The end of what has come, in which the delimiter may begin. Before the first one, a line end stands for the one it lacks. */
  #tail: Uint8Array = LINE_END;
  #phase: "before" | "head" | "data" | "done" | "bad" = "before";
  #head = "";
  #parts = 0;

  constructor(boundary: string, handler: PartHandler) {
    this.#delimiter = bytesOf(`\r\n--${boundary}`);
    this.#handler = handler;
  }

  /** The last part has ended. */
  get isDone(): boolean {
    return this.#phase === "done";
  }

  get isBad(): boolean {
    return this.#phase === "bad";
  }

  take(bytes: Uint8Array, start: number, end: number): void {
    let octets =
      this.#tail.length === 0 ? bytes.subarray(start, end) : joined([this.#tail, bytes.subarray(start, end)]);
    this.#tail = new Uint8Array(0);
    while (octets.length > 0 && this.#phase !== "done" && this.#phase !== "bad") {
      const rest = this.#phase === "head" ? this.#readHead(octets) : this.#readData(octets);
      if (rest === undefined) return;
      octets = rest;
    }
  }

  /** Returns what comes after the head or the data. Undefined: more octets are needed. */
  #readHead(octets: Uint8Array): Uint8Array | undefined {
    const before = this.#head.length;
    this.#head += textOf(octets, 0, Math.min(octets.length, MOST_HEAD + 4 - before));
    // "--" after the delimiter: the last one.
    if (this.#head.startsWith("--")) {
      this.#phase = "done";
      return undefined;
    }
    const at = this.#head.indexOf("\r\n\r\n");
    if (at < 0) {
      if (this.#head.length > MOST_HEAD) this.#phase = "bad";
      return undefined;
    }
    const head = this.#head.slice(0, at);
    this.#head = "";
    if (++this.#parts > MOST_PARTS) {
      this.#phase = "bad";
      return undefined;
    }
    const [, field = ""] = /\bname="((?:[^"\\\r\n]|\\.)*)"/i.exec(head) ?? [];
    const [, name] = /\bfilename="([^"\r\n]*)"/i.exec(head) ?? [];
    this.#handler.begin(field, name?.replace(/%22/g, '"'));
    this.#phase = "data";
    // An empty part's delimiter begins with the line end of its head.
    const from = at + 2 - before;
    return from >= 0 ? octets.subarray(from) : joined([LINE_END.subarray(0, -from), octets]);
  }

  #readData(octets: Uint8Array): Uint8Array | undefined {
    const found = this.#find(octets);
    const isWhole = found >= 0 && found + this.#delimiter.length <= octets.length;
    const end = found < 0 ? octets.length : found;
    this.#give(octets, end);
    if (!isWhole) {
      this.#tail = octets.slice(end);
      return undefined;
    }
    if (this.#phase === "data") this.#handler.end();
    this.#skip = 0;
    this.#phase = "head";
    return octets.subarray(found + this.#delimiter.length);
  }

  /** The line end that is left before the data. */
  #skip = 0;

  #give(octets: Uint8Array, end: number): void {
    if (this.#phase !== "data") return;
    const start = Math.min(end, Math.max(0, 2 - this.#skip));
    this.#skip += start;
    if (end > start) this.#handler.data(octets, start, end);
  }

  /** Where the delimiter begins, or what may be its beginning at the end. -1: nowhere. */
  #find(octets: Uint8Array): number {
    const delimiter = this.#delimiter;
    for (let at = octets.indexOf(0x0d); at >= 0; at = octets.indexOf(0x0d, at + 1)) {
      let length = 1;
      while (length < delimiter.length && at + length < octets.length && octets[at + length] === delimiter[length])
        length++;
      if (length === delimiter.length || at + length === octets.length) return at;
    }
    return -1;
  }
}
