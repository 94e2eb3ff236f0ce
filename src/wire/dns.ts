// DNS messages as a stub resolver needs them: a query for the addresses of a name, and the addresses in its answer (RFC 1035 §4).

import { put16, u16, u32 } from "../bytes/be.ts";
import { bytesOf, textOf } from "../bytes/text.ts";

export const DnsType = { A: 1, CNAME: 5, AAAA: 28 } as const;
export const DnsCode = { OK: 0, FORMAT: 1, SERVER: 2, NO_SUCH_NAME: 3 } as const;

export const DNS_PORT = 53;
const HEADER = 12;
const INTERNET = 1;
const RESPONSE = 0x8000;
const TRUNCATED = 0x0200;
const RECURSION_DESIRED = 0x0100;
const MOST_LABEL = 63;
const MOST_NAME = 255;
/** Pointers in one name, and aliases of one name. More is a loop. */
const MOST_POINTERS = 64;
const MOST_ALIASES = 16;

export interface DnsAnswer {
  readonly id: number;
  readonly name: string;
  readonly type: number;
  readonly code: number;
  readonly isTruncated: boolean;
  readonly addresses: readonly Uint8Array[];
  /** Seconds for which the addresses are valid. */
  readonly ttl: number;
}

/** The name in lower case without its last dot. Undefined: DNS has no such names. */
export function dnsName(text: string): string | undefined {
  const name = (text.endsWith(".") ? text.slice(0, -1) : text).toLowerCase();
  const labels = name.split(".");
  const isSound = labels.every((label) => label.length <= MOST_LABEL && /^[!-~]+$/.test(label));
  return isSound && name.length + 2 <= MOST_NAME ? name : undefined;
}

/** A query for the addresses of a name that {@link dnsName} has returned. */
export function dnsQuery(id: number, name: string, type: number): Uint8Array {
  const query = new Uint8Array(HEADER + name.length + 2 + 4);
  put16(query, 0, id);
  put16(query, 2, RECURSION_DESIRED);
  put16(query, 4, 1);
  let at = HEADER;
  for (const label of name.split(".")) {
    query[at++] = label.length;
    query.set(bytesOf(label), at);
    at += label.length;
  }
  at = put16(query, at + 1, type);
  put16(query, at, INTERNET);
  return query;
}

interface DnsRecord {
  readonly name: string;
  readonly type: number;
  readonly ttl: number;
  readonly address?: Uint8Array;
  readonly alias?: string;
}

/** Reads the answer bytes[start, end) to a query of ours. Undefined: it is none, or it is damaged. */
export function parseDnsAnswer(bytes: Uint8Array, start: number, end: number): DnsAnswer | undefined {
  const message = bytes.subarray(start, end);
  if (message.length < HEADER || !(u16(message, 2) & RESPONSE) || u16(message, 4) !== 1) return undefined;
  const question = nameAt(message, HEADER);
  if (question === undefined || question.end + 4 > message.length) return undefined;
  const { name } = question;
  const type = u16(message, question.end);
  const flags = u16(message, 2);
  const isTruncated = (flags & TRUNCATED) !== 0;
  const records = recordsAt(message, question.end + 4, u16(message, 6), isTruncated);
  if (records === undefined) return undefined;
  return { id: u16(message, 0), name, type, code: flags & 15, isTruncated, ...addressesOf(name, type, records) };
}

/** Undefined: a record is damaged. A truncated answer may end within one. */
function recordsAt(
  message: Uint8Array,
  first: number,
  count: number,
  isTruncated: boolean,
): readonly DnsRecord[] | undefined {
  const records: DnsRecord[] = [];
  let at = first;
  for (let left = count; left > 0; left--) {
    const owner = nameAt(message, at);
    const data = owner === undefined ? Infinity : owner.end + 10;
    const length = data <= message.length ? u16(message, data - 2) : Infinity;
    if (owner === undefined || data + length > message.length) return isTruncated ? records : undefined;
    at = data + length;
    const type = u16(message, owner.end);
    if (u16(message, owner.end + 2) !== INTERNET) continue;
    // A time with the highest bit set counts as 0 (RFC 2181 §8).
    const seconds = u32(message, owner.end + 4);
    const record = { name: owner.name, type, ttl: seconds > 0x7fffffff ? 0 : seconds };
    if (type === DnsType.CNAME) {
      const alias = nameAt(message, data)?.name;
      if (alias !== undefined) records.push({ ...record, alias });
    } else if (length === (type === DnsType.A ? 4 : type === DnsType.AAAA ? 16 : -1))
      records.push({ ...record, address: message.slice(data, at) });
  }
  return records;
}

/** The addresses of the name, or of what it is an alias of. */
function addressesOf(name: string, type: number, records: readonly DnsRecord[]) {
  let ttl = Infinity;
  let owner = name;
  for (let aliases = 0; aliases < MOST_ALIASES; aliases++) {
    const alias = records.find((record) => record.name === owner && record.alias !== undefined);
    if (alias?.alias === undefined) break;
    owner = alias.alias;
    ttl = Math.min(ttl, alias.ttl);
  }
  const found = records.filter((record) => record.name === owner && record.type === type);
  for (const record of found) ttl = Math.min(ttl, record.ttl);
  const addresses = found.flatMap(({ address }) => (address === undefined ? [] : [address]));
  return { addresses, ttl: addresses.length > 0 ? ttl : 0 };
}

/** The name at `at` in lower case, and where it ends. Undefined: it is damaged. */
function nameAt(message: Uint8Array, at: number): { readonly name: string; readonly end: number } | undefined {
  const labels: string[] = [];
  let end: number | undefined;
  let octets = 1;
  for (let pointers = 0; at < message.length;) {
    const length = message[at]!;
    if (length === 0) return { name: labels.join("."), end: end ?? at + 1 };
    if (length <= MOST_LABEL) {
      octets += 1 + length;
      if (at + 1 + length >= message.length || octets > MOST_NAME) return undefined;
      labels.push(textOf(message, at + 1, at + 1 + length).toLowerCase());
      at += 1 + length;
    } else {
      if (length < 0xc0 || at + 2 > message.length || ++pointers > MOST_POINTERS) return undefined;
      end ??= at + 2;
      at = u16(message, at) & 0x3fff;
    }
  }
  return undefined;
}
