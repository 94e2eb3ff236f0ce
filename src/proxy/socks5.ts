// SOCKS version 5 (RFC 1928), without authentication.

import { put16, u16 } from "../bytes/be.ts";
import { textOf } from "../bytes/text.ts";
import { type Endpoint, type Heard, type Host, hostOf, MORE, Outcome } from "./request.ts";

export const SOCKS5 = 5;
const NO_AUTHENTICATION = 0;
const NO_ACCEPTABLE_METHOD = 0xff;
const Command = { CONNECT: 1, UDP_ASSOCIATE: 3 } as const;
const AddressType = { IPV4: 1, NAME: 3, IPV6: 4 } as const;
const GENERAL_FAILURE = 1;
const COMMAND_NOT_SUPPORTED = 7;
const ADDRESS_TYPE_NOT_SUPPORTED = 8;

/** RFC 1928 §6. */
const REPLIES: Readonly<Record<Outcome, number>> = {
  [Outcome.GRANTED]: 0,
  [Outcome.FAILED]: GENERAL_FAILURE,
  [Outcome.PROHIBITED]: 2,
  [Outcome.NET_UNREACHABLE]: 3,
  [Outcome.NO_LINK]: 3,
  [Outcome.HOST_UNREACHABLE]: 4,
  [Outcome.TIMED_OUT]: 4,
  [Outcome.NO_SUCH_NAME]: 4,
  [Outcome.NO_NAME_SERVER]: 4,
  [Outcome.REFUSED]: 5,
  [Outcome.UNSUPPORTED]: COMMAND_NOT_SUPPORTED,
};

/** An address as SOCKS has it, and where it ends. */
interface SocksAddress {
  /** Undefined: the text of a name that cannot be one. */
  readonly host: Host | undefined;
  readonly port: number;
  readonly end: number;
}

/** The methods that the program offers, of which we take the one without authentication (RFC 1928 §3). */
export function readMethods(bytes: Uint8Array, length: number): Heard {
  const used = length < 2 ? Infinity : 2 + bytes[1]!;
  if (used > length) return MORE;
  if (!bytes.subarray(2, used).includes(NO_AUTHENTICATION))
    return { kind: "end", octets: Uint8Array.of(SOCKS5, NO_ACCEPTABLE_METHOD) };
  return { kind: "say", octets: Uint8Array.of(SOCKS5, NO_AUTHENTICATION), used };
}

/** The request that comes after the methods (RFC 1928 §4). */
export function readRequest(bytes: Uint8Array, length: number): Heard {
  if (length >= 1 && bytes[0] !== SOCKS5) return { kind: "end", octets: new Uint8Array(0) };
  const found = readAddress(bytes, 3, length);
  if (found === "more") return MORE;
  if (found === "unknown") return { kind: "end", octets: reply(ADDRESS_TYPE_NOT_SUPPORTED, undefined) };
  const { host, port, end } = found;
  const command = bytes[1];
  if (command !== Command.CONNECT && command !== Command.UDP_ASSOCIATE)
    return { kind: "end", octets: reply(COMMAND_NOT_SUPPORTED, undefined) };
  if (host === undefined) return { kind: "end", octets: reply(GENERAL_FAILURE, undefined) };
  const request = {
    command: command === Command.CONNECT ? ("connect" as const) : ("datagrams" as const),
    host,
    port,
    first: new Uint8Array(0),
    answer: (outcome: Outcome, bound?: Endpoint) => reply(REPLIES[outcome], bound),
  };
  return { kind: "request", request, used: end };
}

/** Reads ATYP, address and port at `at`. */
export function readAddress(bytes: Uint8Array, at: number, length: number): SocksAddress | "more" | "unknown" {
  if (length <= at) return "more";
  const type = bytes[at];
  const start = type === AddressType.NAME ? at + 2 : at + 1;
  if (type !== AddressType.IPV4 && type !== AddressType.IPV6 && type !== AddressType.NAME) return "unknown";
  if (length < start) return "more";
  const size = type === AddressType.IPV4 ? 4 : type === AddressType.IPV6 ? 16 : bytes[at + 1]!;
  const end = start + size + 2;
  if (length < end) return "more";
  const host = type === AddressType.NAME ? hostOf(textOf(bytes, start, end - 2)) : bytes.slice(start, end - 2);
  return { host, port: u16(bytes, end - 2), end };
}

/** Writes ATYP, address and port. Returns where they end. */
export function putAddress(into: Uint8Array, at: number, { address, port }: Endpoint): number {
  into[at] = address.length === 4 ? AddressType.IPV4 : AddressType.IPV6;
  into.set(address, at + 1);
  return put16(into, at + 1 + address.length, port);
}

const NOWHERE: Endpoint = { address: new Uint8Array(4), port: 0 };

function reply(code: number, bound: Endpoint = NOWHERE): Uint8Array {
  const octets = new Uint8Array(4 + bound.address.length + 2);
  octets[0] = SOCKS5;
  octets[1] = code;
  putAddress(octets, 3, bound);
  return octets;
}
