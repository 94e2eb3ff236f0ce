// SOCKS version 4, and 4A, which has names: the protocol before RFC 1928.

import { put16, u16 } from "../bytes/be.ts";
import { textOf } from "../bytes/text.ts";
import { type Endpoint, type Heard, hostOf, MORE, Outcome } from "./request.ts";

export const SOCKS4 = 4;
const CONNECT = 1;
const GRANTED = 90;
const REJECTED = 91;
const HEADER = 8;
/** The longest user identification and the longest name. */
const MOST_TEXT = 255;

export function readSocks4(bytes: Uint8Array, length: number): Heard {
  if (length < HEADER) return MORE;
  const userEnd = textEnd(bytes, HEADER, length);
  if (userEnd === "more") return MORE;
  const address = bytes.slice(4, HEADER);
  // 0.0.0.x with x other than 0 says that a name follows.
  const isNamed = address[0] === 0 && address[1] === 0 && address[2] === 0 && address[3] !== 0;
  const nameEnd = isNamed && userEnd !== "too-long" ? textEnd(bytes, userEnd + 1, length) : userEnd;
  if (nameEnd === "more") return MORE;
  if (userEnd === "too-long" || nameEnd === "too-long" || bytes[1] !== CONNECT)
    return { kind: "end", octets: reply(REJECTED, undefined) };
  const host = isNamed ? hostOf(textOf(bytes, userEnd + 1, nameEnd)) : address;
  if (host === undefined) return { kind: "end", octets: reply(REJECTED, undefined) };
  const request = {
    command: "connect" as const,
    host,
    port: u16(bytes, 2),
    first: new Uint8Array(0),
    answer: (outcome: Outcome, bound?: Endpoint) => reply(outcome === Outcome.GRANTED ? GRANTED : REJECTED, bound),
  };
  return { kind: "request", request, used: nameEnd + 1 };
}

/** Where the text at `at` has its NUL. */
function textEnd(bytes: Uint8Array, at: number, length: number): number | "more" | "too-long" {
  const end = bytes.subarray(0, length).indexOf(0, at);
  if (end >= 0 && end - at <= MOST_TEXT) return end;
  return end >= 0 || length - at > MOST_TEXT ? "too-long" : "more";
}

function reply(code: number, bound: Endpoint | undefined): Uint8Array {
  const octets = new Uint8Array(HEADER);
  octets[1] = code;
  if (bound === undefined) return octets;
  put16(octets, 2, bound.port);
  if (bound.address.length === 4) octets.set(bound.address, 4);
  return octets;
}
