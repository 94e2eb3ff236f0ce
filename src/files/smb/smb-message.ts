// The header of a message of SMB 1 (MS-CIFS §2.2.3) and its blocks of words and octets.

import { Fields } from "./fields.ts";
import type { Octets } from "./octets.ts";
import { dosStatus, type Status } from "./smb-status.ts";

export const HEADER = 32;
const MAGIC = [0xff, 0x53, 0x4d, 0x42];
const AT = { command: 4, status: 5, flags: 9, flags2: 10, pidHigh: 12, tid: 24, pid: 26, uid: 28, mid: 30 } as const;
const FLAG_REPLY = 0x80;
const FLAG_NO_CASE = 0x08;

/** Flags 2. */
const Flag2 = { LONG_NAMES: 1, IS_LONG_NAME: 0x40, NT_STATUS: 0x4000, UNICODE: 0x8000 } as const;

export interface Request {
  readonly command: number;
  readonly flags2: number;
  readonly isUnicode: boolean;
  readonly knowsLongNames: boolean;
  readonly pid: number;
  readonly mid: number;
  /** These two change when a chain of commands opens a session or a tree. */
  tid: number;
  uid: number;
  /** The file that a command before it in the chain has opened. The client does not know its number yet. */
  opened?: number;
  /** How many words of parameters there are, and what is in them. */
  readonly wordCount: number;
  readonly words: Fields;
  readonly data: Fields;
  /** The whole message, for what is found by its offset. */
  readonly message: Fields;
}

/** What answers a request: its words and its data, both written at their place in the message. */
export interface Reply {
  readonly status?: Status;
  words?(out: Octets): void;
  data?(out: Octets): void;
}

/** The first request of a message. Undefined: it is none. */
export function parseMessage(bytes: Uint8Array, start: number, end: number): Request | undefined {
  if (end - start < HEADER + 3 || MAGIC.some((octet, at) => bytes[start + at] !== octet)) return undefined;
  const message = new Fields(bytes, start, end);
  const u16 = (at: number): number => bytes[start + at]! | (bytes[start + at + 1]! << 8);
  if ((bytes[start + AT.flags]! & FLAG_REPLY) !== 0) return undefined;
  const flags2 = u16(AT.flags2);
  const head = {
    command: bytes[start + AT.command]!,
    flags2,
    isUnicode: (flags2 & Flag2.UNICODE) !== 0,
    knowsLongNames: (flags2 & Flag2.LONG_NAMES) !== 0,
    pid: u16(AT.pid) + u16(AT.pidHigh) * 0x10000,
    mid: u16(AT.mid),
    tid: u16(AT.tid),
    uid: u16(AT.uid),
    message,
  };
  return withBlocks(head, HEADER);
}

/** The next request of a chain, whose blocks begin at an offset of the message. Undefined: there is none. */
export function nextInChain(request: Request, command: number, offset: number): Request | undefined {
  return offset < HEADER ? undefined : withBlocks({ ...request, command }, offset);
}

function withBlocks(head: Omit<Request, "wordCount" | "words" | "data">, offset: number): Request | undefined {
  const { message } = head;
  const { bytes, base, end } = message;
  const blocks = new Fields(bytes, base + offset, end, base);
  if (offset > end - base) return undefined;
  const wordCount = blocks.u8();
  const wordsAt = blocks.at;
  blocks.skip(2 * wordCount);
  const dataCount = blocks.u16();
  if (blocks.isShort) return undefined;
  // A large write has more octets than the count can tell, and some clients count those of a transaction wrongly.
  const dataEnd = head.command === LARGE ? end : Math.min(end, blocks.at + dataCount);
  const words = new Fields(bytes, wordsAt, wordsAt + 2 * wordCount, base);
  return { ...head, wordCount, words, data: new Fields(bytes, blocks.at, dataEnd, base) };
}

/** WRITE_ANDX. */
const LARGE = 0x2f;

/** Writes the header of an answer. */
export function putHeader(out: Octets, request: Request): void {
  out.put(Uint8Array.from(MAGIC));
  out.u8(request.command);
  out.u32(0);
  out.u8(FLAG_REPLY | FLAG_NO_CASE);
  out.u16(
    (request.flags2 & (Flag2.LONG_NAMES | Flag2.UNICODE | Flag2.NT_STATUS)) | (request.flags2 & Flag2.IS_LONG_NAME),
  );
  out.u16(request.pid >>> 16);
  out.zeros(10);
  out.u16(request.tid, request.pid & 0xffff, request.uid, request.mid);
}

/** Writes what is known when all commands of a message are done. */
export function completeHeader(out: Octets, { tid, uid, flags2 }: Request, status: Status): void {
  out.setU16(AT.tid, tid);
  out.setU16(AT.uid, uid);
  out.setU32(AT.status, (flags2 & Flag2.NT_STATUS) === 0 ? dosStatus(status) : status);
}
