// The head of an HTTP request (RFC 9112 §2 to §6), from any client of the last thirty years. Text has one character an octet.

import type { Path } from "./folder.ts";

export interface Request {
  /** As the client wrote it; methods are case-sensitive. */
  readonly method: string;
  readonly path: Path;
  /** The path ends with a slash. */
  readonly isFolder: boolean;
  readonly query: ReadonlyMap<string, string>;
  /** False: HTTP/1.0, so no chunks and no interim answers. */
  readonly isHttp11: boolean;
  readonly headers: ReadonlyMap<string, string>;
  /** The connection may serve another request after this one. */
  readonly keepsAlive: boolean;
  /** How long the body is; "chunked": it says so itself. */
  readonly body: number | "chunked";
  /** The client waits for "100 Continue". */
  readonly expectsContinue: boolean;
}

/** A request that is answered with this status, and after which the connection ends. */
export interface BadRequest {
  readonly status: 400 | 414 | 417 | 431 | 501 | 505;
  readonly reason: string;
}

const MOST_LINE = 4096;
const MOST_HEADERS = 100;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Reads a head without the empty line at its end. */
export function parseRequest(text: string): Request | BadRequest {
  const [first = "", ...lines] = text.split(/\r?\n/);
  if (first.length > MOST_LINE) return { status: 414, reason: "the address is too long" };
  const [, method = "", target = "", major, minor] = /^(\S{1,32}) (\S+)(?: HTTP\/(\d)\.(\d))?$/.exec(first) ?? [];
  // HTTP/0.9 has no version and no headers.
  if (!TOKEN.test(method) || (major === undefined && lines.length > 0))
    return { status: 400, reason: "not a request line" };
  if (major !== undefined && major !== "1") return { status: 505, reason: "only HTTP/1 is spoken here" };
  if (lines.length > MOST_HEADERS) return { status: 431, reason: "too many headers" };
  const headers = parseHeaders(lines);
  if (headers === undefined) return { status: 400, reason: "not a header" };
  const place = parsePlace(target);
  if (place === undefined) return { status: 400, reason: "not an address of this server" };
  const body = bodyOf(headers);
  if (typeof body === "object") return body;
  const isHttp11 = major !== undefined && minor !== "0";
  const expect = headers.get("expect")?.toLowerCase();
  if (expect !== undefined && expect !== "100-continue") return { status: 417, reason: "not an expectation we know" };
  const words = (headers.get("connection") ?? headers.get("proxy-connection") ?? "").toLowerCase().split(/[\s,]+/);
  const keepsAlive = isHttp11 ? !words.includes("close") : major !== undefined && words.includes("keep-alive");
  return {
    method,
    ...place,
    isHttp11,
    headers,
    keepsAlive,
    body,
    expectsContinue: isHttp11 && expect !== undefined && body !== 0,
  };
}

/** Undefined: one of the lines is no header. Equal names are joined by commas (RFC 9110 §5.3). */
function parseHeaders(lines: readonly string[]): Map<string, string> | undefined {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    if (!TOKEN.test(name) || /[\0\r]/.test(line)) return undefined;
    const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "");
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

function bodyOf(headers: ReadonlyMap<string, string>): number | "chunked" | BadRequest {
  const coding = headers.get("transfer-encoding");
  const length = headers.get("content-length");
  // Two lengths are how requests are smuggled (RFC 9112 §6.1).
  if (coding !== undefined && length !== undefined) return { status: 400, reason: "two lengths" };
  if (coding !== undefined)
    return coding.toLowerCase() === "chunked" ? "chunked" : { status: 501, reason: "not a coding we know" };
  if (length === undefined) return 0;
  return /^\d{1,15}$/.test(length) ? Number(length) : { status: 400, reason: "not a length" };
}

interface Place {
  readonly path: Path;
  readonly isFolder: boolean;
  readonly query: ReadonlyMap<string, string>;
}

/** Reads "/a/b%20c?x=y" or "http://host/a". Undefined: a name in it can be none of ours. */
export function parsePlace(target: string): Place | undefined {
  const [, local] = /^(?:[Hh][Tt][Tt][Pp][Ss]?:\/\/[^/?#]*)?([/?*][^#]*)?$/s.exec(target) ?? [];
  if (local === undefined) return /^https?:/i.test(target) ? parsePlace("/") : undefined;
  const mark = local.indexOf("?");
  const names: string[] = [];
  const asked = mark < 0 ? local : local.slice(0, mark);
  for (const part of asked.split("/")) {
    const name = unescapeOctets(part);
    if (name === undefined || name === ".." || /[/\0]/.test(name)) return undefined;
    if (name !== "" && name !== ".") names.push(name);
  }
  if (asked === "*") return { path: [], isFolder: true, query: new Map() };
  return {
    path: names,
    isFolder: /(?:^|\/)\.?$/.test(asked),
    query: parseQuery(mark < 0 ? "" : local.slice(mark + 1)),
  };
}

function parseQuery(text: string): Map<string, string> {
  const query = new Map<string, string>();
  for (const part of text.split("&")) {
    const [, name = "", value = ""] = /^([^=]*)=?(.*)$/s.exec(part) ?? [];
    const key = unescapeOctets(name);
    if (key !== undefined && key !== "") query.set(key, unescapeOctets(value) ?? "");
  }
  return query;
}

/** Undefined: a "%" without two hexadecimal digits. */
function unescapeOctets(text: string): string | undefined {
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return undefined;
  return text.replace(/%(..)/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)));
}

/** A name as a part of an address. */
export function escapeOctets(name: string): string {
  return name.replace(
    /[^A-Za-z0-9\-._~!$'()*,;=:@]/g,
    (octet) => `%${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

/** The address of a path, "/a/b%20c", of a folder with a slash at its end. */
export function addressOf(path: Path, isFolder: boolean): string {
  const address = path.map((name) => `/${escapeOctets(name)}`).join("");
  return isFolder ? `${address}/` : address;
}
