// What answers a request: a status, headers and perhaps octets that are made while they are sent.

import { bytesOf } from "../bytes/text.ts";
import type { Trouble } from "./folder.ts";

/** Octets in the order in which they are sent. */
export interface Source {
  /** How many there are in all. Undefined: nobody knows yet. */
  readonly length: number | undefined;
  /**
   * Puts octets to into[at, end) and returns how many. 0: none yet, because there is work to be done; call again later. -1: no
   * more. -2: they cannot be had, although they were promised.
   */
  fill(into: Uint8Array, at: number, end: number): number;
  /** It is not read any further. */
  close(): void;
}

export const NO_MORE = -1;
export const BROKEN = -2;

export interface Reply {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body?: Source | undefined;
}

/** What takes the body of a request. */
export interface Receiver {
  /** What is to be done before octets are taken. True: done. False: there is more; call again later. A reply ends the request. */
  prepare?(): Reply | boolean;
  /** Takes bytes[start, end). A reply ends the request before its body has been read. */
  take(bytes: Uint8Array, start: number, end: number): Reply | undefined;
  /** The body is complete. Undefined: the reply needs work; call again later. */
  complete(): Reply | undefined;
  /** The rest will not come. */
  cut(): void;
}

export function isReply(answer: Reply | Receiver): answer is Reply {
  return "status" in answer;
}

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  201: "Created",
  204: "No Content",
  206: "Partial Content",
  207: "Multi-Status",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  304: "Not Modified",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  411: "Length Required",
  412: "Precondition Failed",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  417: "Expectation Failed",
  421: "Misdirected Request",
  422: "Unprocessable Content",
  423: "Locked",
  424: "Failed Dependency",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
  507: "Insufficient Storage",
};

export function reasonOfStatus(status: number): string {
  return REASONS[status] ?? "Status";
}

/** Octets that are in memory. */
export class OctetSource implements Source {
  readonly length: number;
  readonly #octets: Uint8Array;
  #at = 0;

  constructor(octets: Uint8Array) {
    this.#octets = octets;
    this.length = octets.length;
  }

  fill(into: Uint8Array, at: number, end: number): number {
    const part = this.#octets.subarray(this.#at, this.#at + end - at);
    if (part.length === 0) return NO_MORE;
    into.set(part, at);
    this.#at += part.length;
    return part.length;
  }

  close(): void {}
}

type Header = readonly [name: string, value: string];

/** A short text for a person or a program. */
export function textReply(status: number, text: string, ...headers: readonly Header[]): Reply {
  const octets = bytesOf(`${text}\n`);
  return { status, headers: [["Content-Type", "text/plain"], ...headers], body: new OctetSource(octets) };
}

/** A reply without octets. */
export function bareReply(status: number, ...headers: readonly Header[]): Reply {
  return { status, headers };
}

const OF_TROUBLE: Readonly<Record<Trouble, readonly [status: number, text: string]>> = {
  absent: [404, "There is no such file"],
  denied: [403, "The server may not do this"],
  exists: [412, "There is a file of this name"],
  "is-folder": [409, "A folder has this name"],
  "is-file": [409, "A file has this name"],
  "not-empty": [409, "The folder is not empty"],
  "other-disk": [502, "It is on another disk than its new place: copy it there, then delete it"],
  full: [507, "There is no room there (a quota, or its disk)"],
  "bad-name": [400, "No file can have this name"],
  failed: [500, "The disk does not do this"],
};

export function troubleReply(trouble: Trouble): Reply {
  return textReply(...OF_TROUBLE[trouble]);
}
