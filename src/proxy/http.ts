// Requests to an HTTP proxy: CONNECT, and a method with a whole URL such as `GET http://host/path` (RFC 9110 §7 and §9.3.6,
// RFC 9112 §3.2). A connection carries one request of the second kind: the server is asked to close it.

import { bytesOf, textOf } from "../bytes/text.ts";
import { type Heard, type Host, hostOf, MORE, Outcome, type ProxyRequest } from "./request.ts";

/** The longest request line with all header fields. */
export const MOST_HEADER = 16384;
const DEFAULT_PORT = 80;

/** The status of each outcome, and words for a person. */
const ANSWERS: Readonly<Record<Exclude<Outcome, "granted">, readonly [status: string, words: string]>> = {
  [Outcome.FAILED]: ["502 Bad Gateway", "The connection failed."],
  [Outcome.PROHIBITED]: ["403 Forbidden", "Connections to this address are prohibited."],
  [Outcome.NET_UNREACHABLE]: ["502 Bad Gateway", "The network is unreachable."],
  [Outcome.HOST_UNREACHABLE]: ["502 Bad Gateway", "The host is unreachable."],
  [Outcome.REFUSED]: ["502 Bad Gateway", "The host refused the connection."],
  [Outcome.TIMED_OUT]: ["504 Gateway Timeout", "The host does not answer."],
  [Outcome.NO_SUCH_NAME]: ["502 Bad Gateway", "There is no host of this name."],
  [Outcome.NO_NAME_SERVER]: ["504 Gateway Timeout", "The name servers do not answer."],
  [Outcome.NO_LINK]: ["503 Service Unavailable", "The link is down."],
  [Outcome.UNSUPPORTED]: ["501 Not Implemented", "This proxy cannot do that."],
};
const ESTABLISHED = bytesOf("HTTP/1.1 200 Connection established\r\n\r\n");
const NOT_A_REQUEST = httpError(
  "400 Bad Request",
  "This is a proxy for HTTP and SOCKS, and this is no request to one.",
);
const TOO_LONG = httpError("431 Request Header Fields Too Large", "The header is too long.");
const NO_SCHEME = httpError("501 Not Implemented", "This proxy knows http: and CONNECT only.");

/** Fields between the program and the proxy (RFC 9110 §7.6.1). The others go to the server. */
const OWN_FIELDS: ReadonlySet<string> = new Set(["connection", "proxy-connection", "keep-alive", "host"]);

/** True for an octet that a method begins with. */
export function startsMethod(octet: number): boolean {
  return (octet >= 0x41 && octet <= 0x5a) || (octet >= 0x61 && octet <= 0x7a);
}

/** Reads a request. `from` is where the search for the end of the header goes on. */
export function readHttp(bytes: Uint8Array, length: number, from: number): Heard {
  const end = headerEnd(bytes, Math.max(0, from - 3), length);
  if (end === undefined) return length < MOST_HEADER ? MORE : { kind: "end", octets: TOO_LONG };
  if (end > MOST_HEADER) return { kind: "end", octets: TOO_LONG };
  const [line = "", ...fields] = textOf(bytes, 0, end).split(/\r?\n/).slice(0, -2);
  const found = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP\/(1\.[0-9])$/.exec(line);
  if (found === null) return { kind: "end", octets: NOT_A_REQUEST };
  const [, method = "", target = "", version = ""] = found;
  const isConnect = method.toUpperCase() === "CONNECT";
  const request = isConnect ? connectRequest(target) : urlRequest(method, target, version, fields);
  if (request instanceof Uint8Array) return { kind: "end", octets: request };
  return { kind: "request", request, used: end };
}

/** Where the empty line ends that ends the header. */
function headerEnd(bytes: Uint8Array, from: number, length: number): number | undefined {
  const heard = bytes.subarray(0, length);
  for (let at = heard.indexOf(0x0a, from); at >= 0; at = heard.indexOf(0x0a, at + 1)) {
    if (heard[at + 1] === 0x0a) return at + 2;
    if (heard[at + 1] === 0x0d && heard[at + 2] === 0x0a) return at + 3;
  }
  return undefined;
}

function connectRequest(target: string): ProxyRequest | Uint8Array {
  const place = placeOf(target, undefined);
  return place === undefined ? NOT_A_REQUEST : { ...place, ...CONNECT, first: new Uint8Array(0) };
}

const CONNECT = {
  command: "connect" as const,
  answer: (outcome: Outcome) => (outcome === Outcome.GRANTED ? ESTABLISHED : httpError(...ANSWERS[outcome])),
};

/** The server answers in the program's version: octets that a program of HTTP/1.0 does not understand would reach it. */
function urlRequest(
  method: string,
  url: string,
  version: string,
  fields: readonly string[],
): ProxyRequest | Uint8Array {
  const found = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^#]*)/i.exec(url);
  if (found === null) return NOT_A_REQUEST;
  const [, scheme = "", authority = "", rest = ""] = found;
  if (scheme.toLowerCase() !== "http") return NO_SCHEME;
  // A user and a password before the host are the program's business (RFC 9110 §4.2.4).
  const where = authority.slice(authority.lastIndexOf("@") + 1);
  const place = placeOf(where, DEFAULT_PORT);
  if (place === undefined) return NOT_A_REQUEST;
  const kept = fieldsForServer(fields);
  if (kept === undefined) return NOT_A_REQUEST;
  const length = bodyLength(kept);
  if (length === "unsound") return NOT_A_REQUEST;
  const path = rest.startsWith("/") ? rest : method.toUpperCase() === "OPTIONS" && rest === "" ? "*" : `/${rest}`;
  const head = [`${method} ${path} HTTP/${version}`, `Host: ${where}`, ...kept, "Connection: close", "", ""];
  return {
    ...place,
    command: "connect",
    first: bytesOf(head.join("\r\n")),
    bodyOctets: length,
    answer: (outcome) => (outcome === Outcome.GRANTED ? new Uint8Array(0) : CONNECT.answer(outcome)),
  };
}

/** The fields that go on to the server. Undefined: one is none. */
function fieldsForServer(fields: readonly string[]): string[] | undefined {
  const names = fields.map((field) => /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):/.exec(field)?.[1]?.toLowerCase());
  if (names.includes(undefined)) return undefined;
  const listed = fields.flatMap((field, at) =>
    names[at] === "connection" ? field.slice("connection:".length).toLowerCase().split(",") : [],
  );
  const dropped = new Set([...OWN_FIELDS, ...listed.map((name) => name.trim())]);
  return fields.filter((_, at) => !dropped.has(names[at]!) && !names[at]!.startsWith("proxy-"));
}

/** The octets behind the header (RFC 9112 §6.3). Undefined: the body itself says where it ends. */
function bodyLength(fields: readonly string[]): number | undefined | "unsound" {
  const values = (name: string): string[] =>
    fields.flatMap((field) =>
      field.toLowerCase().startsWith(`${name}:`) ? [field.slice(name.length + 1).trim()] : [],
    );
  if (values("transfer-encoding").length > 0) return undefined;
  const [length = "0", ...others] = values("content-length");
  return /^[0-9]{1,15}$/.test(length) && others.every((other) => other === length) ? Number(length) : "unsound";
}

/** "host:port". Without `defaultPort`, the port has to be there. */
function placeOf(
  text: string,
  defaultPort: number | undefined,
): { readonly host: Host; readonly port: number } | undefined {
  const [, hostText = "", portText = ""] = /^(\[[^\]]*\]|[^:]*)(?::([0-9]{0,5}))?$/.exec(text) ?? [];
  const host = hostOf(hostText);
  const port = portText === "" ? defaultPort : Number(portText);
  return host === undefined || port === undefined || port < 1 || port > 0xffff ? undefined : { host, port };
}

function httpError(status: string, words: string): Uint8Array {
  const body = `nullmodem: ${words}\n`;
  const fields = ["Content-Type: text/plain", `Content-Length: ${body.length}`, "Connection: close"];
  return bytesOf([`HTTP/1.1 ${status}`, ...fields, "", body].join("\r\n"));
}
