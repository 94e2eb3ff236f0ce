// rtnetlink: sends a request and reads its answers (man 7 netlink, rtnetlink). The kernel answers during the send, so
// nothing here waits. Numbers are in host order, which is little-endian on every machine we build for.

import { check, closeFd, hasCode, libc, Memory, O, OsError } from "../ffi/libc.ts";

export const RTM = {
  SETLINK: 19,
  GETLINK: 18,
  NEWADDR: 20,
  DELADDR: 21,
  GETADDR: 22,
  NEWROUTE: 24,
  DELROUTE: 25,
  GETROUTE: 26,
  NEWNEIGH: 28,
  DELNEIGH: 29,
} as const;

export const AF_UNSPEC = 0;
export const AF_INET = 2;
export const AF_INET6 = 10;

/** Flags of a request. */
export const FLAGS = {
  none: 0,
  dump: 0x300,
  /** Fails with EEXIST when a similar entry exists. */
  createNew: 0x600,
  /** Puts the entry in front of similar ones. Fails with EEXIST only for an identical one. */
  create: 0x400,
  /** Puts the entry behind similar ones. Fails with EEXIST only for an identical one. */
  append: 0xc00,
} as const;

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const NETLINK_ROUTE = 0;
const NLM_F_REQUEST = 1;
const NLM_F_ACK = 4;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const HEADER_SIZE = 16;
const ATTRIBUTE_HEADER_SIZE = 4;
const NLA_TYPE_MASK = 0x3fff;
const RECEIVE_SIZE = 65536;

const align = (length: number): number => (length + 3) & ~3;

/** The type and value of each attribute. */
export type Attributes = readonly (readonly [type: number, value: Uint8Array])[];

export function u32Value(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** A name, NUL-terminated. */
export function nameValue(text: string): Uint8Array {
  return Buffer.from(`${text}\0`);
}

export function nested(attributes: Attributes): Uint8Array {
  const bytes = new Uint8Array(
    attributes.reduce((sum, [, value]) => sum + ATTRIBUTE_HEADER_SIZE + align(value.length), 0),
  );
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [type, value] of attributes) {
    view.setUint16(at, ATTRIBUTE_HEADER_SIZE + value.length, true);
    view.setUint16(at + 2, type, true);
    bytes.set(value, at + ATTRIBUTE_HEADER_SIZE);
    at += ATTRIBUTE_HEADER_SIZE + align(value.length);
  }
  return bytes;
}

/** The attributes in bytes[start, end), the last of each type. */
export function parseAttributes(bytes: Uint8Array, start = 0, end = bytes.length): Map<number, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = new Map<number, Uint8Array>();
  for (let at = start; at + ATTRIBUTE_HEADER_SIZE <= end;) {
    const length = view.getUint16(at, true);
    if (length < ATTRIBUTE_HEADER_SIZE || at + length > end) break;
    found.set(view.getUint16(at + 2, true) & NLA_TYPE_MASK, bytes.slice(at + ATTRIBUTE_HEADER_SIZE, at + length));
    at += align(length);
  }
  return found;
}

/**
 * Sends one request: `fixed` is the structure of its type; the attributes follow. Returns the kernel's answers without
 * their netlink headers. Throws OsError with the kernel's errno; `call` and `path` are for its text.
 */
export function netlink(
  type: number,
  flags: number,
  fixed: Uint8Array,
  attributes: Attributes,
  call: string,
  path = "",
): Uint8Array[] {
  const dump = (flags & FLAGS.dump) === FLAGS.dump;
  const body = nested(attributes);
  const message = new Memory(HEADER_SIZE + align(fixed.length) + body.length);
  message.view.setUint32(0, message.bytes.length, true);
  message.view.setUint16(4, type, true);
  message.view.setUint16(6, NLM_F_REQUEST | flags | (dump ? 0 : NLM_F_ACK), true);
  message.bytes.set(fixed, HEADER_SIZE);
  message.bytes.set(body, HEADER_SIZE + align(fixed.length));

  const fd = check(libc.socket(AF_NETLINK, SOCK_RAW | O.CLOEXEC, NETLINK_ROUTE), "socket", "netlink");
  try {
    check(libc.send(fd, message.address, message.bytes.length, 0), call, path);
    return receiveAnswers(fd, call, path);
  } finally {
    closeFd(fd);
  }
}

function receiveAnswers(fd: number, call: string, path: string): Uint8Array[] {
  const buffer = new Memory(RECEIVE_SIZE);
  const answers: Uint8Array[] = [];
  for (;;) {
    const received = check(libc.recv(fd, buffer.address, RECEIVE_SIZE, 0), call, path);
    if (received === 0) return answers;
    for (let at = 0; at + HEADER_SIZE <= received;) {
      const length = buffer.view.getUint32(at, true);
      const type = buffer.view.getUint16(at + 4, true);
      if (length < HEADER_SIZE || at + length > received) return answers;
      if (type === NLMSG_DONE) return answers;
      if (type === NLMSG_ERROR) {
        const error = -buffer.view.getInt32(at + HEADER_SIZE, true);
        if (error !== 0) throw new OsError(call, path, error);
        return answers;
      }
      answers.push(buffer.bytes.slice(at + HEADER_SIZE, at + length));
      at += align(length);
    }
  }
}

/** Runs `remove`, and ignores the error that the address, route, neighbour or interface does not exist. */
export function forgiving(remove: () => void): void {
  try {
    remove();
  } catch (error) {
    if (!hasCode(error, "EADDRNOTAVAIL", "ESRCH", "ENOENT", "ENODEV", "ENETDOWN", "ENXIO")) throw error;
  }
}
