// Reads an HTTP/1.1 response piece by piece (RFC 9112). The server may be any, and may be hostile.

import { textOf } from "../bytes/text.ts";

/** The largest head that is read. */
const MOST_HEAD = 65_536;
/** A chunk's length and its extensions, or a line of the trailer. */
const MOST_LINE = 4096;
const LF = 10;

export interface ResponseHead {
  readonly status: number;
  /** By name in lower case. Lines of the same name are joined by ", ". */
  readonly headers: ReadonlyMap<string, string>;
}

/** Where a response goes. What it throws ends the exchange. */
export interface ResponseSink {
  head(head: ResponseHead): void;
  data(octets: Uint8Array): void;
}

/** The server sent something that is not HTTP. */
export class NotHttp extends Error {}

type State = "head" | "length" | "chunk-size" | "chunk" | "chunk-end" | "trailer" | "until-close" | "done";

export class ResponseReader {
  readonly #sink: ResponseSink;
  readonly #hasBody: boolean;
  #state: State = "head";
  #line = "";
  #lines: string[] = [];
  #headLength = 0;
  #left = 0;
  /** The server keeps the connection open after this response. */
  isKept = false;

  /** `method`: that of the request. The response to HEAD or CONNECT has no body. */
  constructor(method: string, sink: ResponseSink) {
    this.#sink = sink;
    this.#hasBody = method !== "HEAD" && method !== "CONNECT";
  }

  get isDone(): boolean {
    return this.#state === "done";
  }

  /** Takes octets from the connection. Throws NotHttp, and what the sink throws. */
  push(octets: Uint8Array): void {
    for (let at = 0; at < octets.length;) {
      if (this.#state === "done") throw new NotHttp("octets after the end of a response");
      if (this.#state === "length" || this.#state === "chunk" || this.#state === "until-close")
        at = this.#takeData(octets, at);
      else at = this.#takeLine(octets, at);
    }
  }

  /** The connection was closed. True when the response is whole. */
  close(): boolean {
    if (this.#state === "until-close") this.#state = "done";
    return this.#state === "done";
  }

  #takeData(octets: Uint8Array, at: number): number {
    const length = this.#state === "until-close" ? octets.length - at : Math.min(this.#left, octets.length - at);
    this.#left -= length;
    if (this.#state === "length" && this.#left === 0) this.#state = "done";
    if (this.#state === "chunk" && this.#left === 0) this.#state = "chunk-end";
    this.#sink.data(octets.subarray(at, at + length));
    return at + length;
  }

  #takeLine(octets: Uint8Array, at: number): number {
    const end = octets.indexOf(LF, at);
    const next = end < 0 ? octets.length : end + 1;
    const most = this.#state === "head" ? MOST_HEAD - this.#headLength : MOST_LINE;
    if (this.#line.length + next - at > most) throw new NotHttp("a line of the response is too long");
    this.#line += textOf(octets, at, end < 0 ? next : end);
    if (end >= 0) {
      const line = this.#line.endsWith("\r") ? this.#line.slice(0, -1) : this.#line;
      this.#line = "";
      this.#handleLine(line);
    }
    return next;
  }

  #handleLine(line: string): void {
    switch (this.#state) {
      case "head":
        this.#headLength += line.length + 2;
        if (line !== "") {
          if (this.#lines.length === 0) parseStatusLine(line);
          this.#lines.push(line);
        } else if (this.#lines.length > 0) this.#handleHead();
        return;
      case "chunk-size": {
        const [, digits] = /^([0-9a-fA-F]{1,12})[ \t]*(?:;.*)?$/.exec(line) ?? [];
        if (digits === undefined) throw new NotHttp("a chunk without a length");
        this.#left = parseInt(digits, 16);
        this.#state = this.#left === 0 ? "trailer" : "chunk";
        return;
      }
      case "chunk-end":
        if (line !== "") throw new NotHttp("a chunk is longer than its length");
        this.#state = "chunk-size";
        return;
      case "trailer":
        if (line === "") this.#state = "done";
    }
  }

  #handleHead(): void {
    const head = parseHead(this.#lines);
    this.#lines = [];
    this.#headLength = 0;
    // An interim response (100 Continue) comes before the response itself.
    if (head.status >= 100 && head.status < 200) return;
    const { headers } = head;
    const coding = headers.get("transfer-encoding")?.toLowerCase();
    const length = headers.get("content-length");
    const connection = headers.get("connection")?.toLowerCase() ?? "";
    this.isKept = !connection.split(/[ ,]+/).includes("close") && !head.isOld;
    if (!this.#hasBody || head.status === 204 || head.status === 304) this.#state = "done";
    else if (coding !== undefined) {
      if (coding !== "chunked") throw new NotHttp(`the transfer coding ${coding}`);
      this.#state = "chunk-size";
    } else if (length !== undefined) {
      this.#left = lengthOf(length);
      this.#state = this.#left === 0 ? "done" : "length";
    } else {
      this.#state = "until-close";
      this.isKept = false;
    }
    this.#sink.head(head);
  }
}

/** Equal values of several header lines count as one. */
function lengthOf(text: string): number {
  const [first = "", ...others] = text.split(/, */);
  if (!/^\d{1,15}$/.test(first) || others.some((other) => other !== first))
    throw new NotHttp("a length that is no number");
  return Number(first);
}

/** isOld: HTTP/1.0, where each response ends its connection. */
function parseHead([first = "", ...lines]: readonly string[]): ResponseHead & { readonly isOld: boolean } {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new NotHttp("a header without a name");
    const key = name.toLowerCase();
    const before = headers.get(key);
    headers.set(key, before === undefined ? value : `${before}, ${value}`);
  }
  return { ...parseStatusLine(first), headers };
}

function parseStatusLine(line: string): { readonly status: number; readonly isOld: boolean } {
  const [, minor, status] = /^HTTP\/1\.(\d) (\d{3})(?: |$)/.exec(line) ?? [];
  if (status === undefined) throw new NotHttp("the other side does not speak HTTP");
  return { status: Number(status), isOld: minor === "0" };
}
