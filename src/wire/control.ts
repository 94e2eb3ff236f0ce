// The header (code, identifier, length) and the option lists that LCP and every NCP share (RFC 1661 §5, §6).

import { put16, put8, putBytes, u16, u32 } from "../bytes/be.ts";

export const Code = {
  /** Only in LCP (RFC 2153 §2.1). */
  Vendor: 0,
  ConfReq: 1,
  ConfAck: 2,
  ConfNak: 3,
  ConfRej: 4,
  TermReq: 5,
  TermAck: 6,
  CodeRej: 7,
  ProtRej: 8,
  EchoReq: 9,
  EchoRep: 10,
  DiscReq: 11,
  Ident: 12,
  TimeRem: 13,
  /** Only in CCP and ECP (RFC 1962 §3). */
  ResetReq: 14,
  ResetAck: 15,
} as const;
export type Code = (typeof Code)[keyof typeof Code];

export const HEADER_LENGTH = 4;

/** The header of a control packet. Its data is packet[dataStart, dataEnd), without padding. */
export interface Control {
  code: number;
  id: number;
  /** The length field: header and data. */
  length: number;
  dataStart: number;
  dataEnd: number;
}

/** Reads the header of packet[start, end), which begins with the code. Undefined when the length is wrong. */
export function parseControl(packet: Uint8Array, start: number, end: number): Control | undefined {
  if (end - start < HEADER_LENGTH) return undefined;
  const length = u16(packet, start + 2);
  if (length < HEADER_LENGTH || length > end - start) return undefined;
  return {
    code: packet[start]!,
    id: packet[start + 1]!,
    length,
    dataStart: start + HEADER_LENGTH,
    dataEnd: start + length,
  };
}

/** Writes the header without the length, which {@link putLength} fills in later. */
export function putHeader(buf: Uint8Array, at: number, code: number, id: number): number {
  buf[at] = code;
  buf[at + 1] = id;
  return at + HEADER_LENGTH;
}

/** Fills in the length of the packet whose header is at `start` and whose data ends at `end`. Returns `end`. */
export function putLength(buf: Uint8Array, start: number, end: number): number {
  put16(buf, start + 2, end - start);
  return end;
}

/**
 * The longest control packet that we send. Every peer takes this many octets, whatever was agreed on (RFC 1661 §6.1).
 */
const LONGEST_CONTROL = 1500;

/**
 * Cuts the packet at buf[start, end) to {@link LONGEST_CONTROL} and returns its end. pppd also cuts an answer that is
 * too long for the peer.
 */
export function cutControl(buf: Uint8Array, start: number, end: number): number {
  return end - start <= LONGEST_CONTROL ? end : putLength(buf, start, start + LONGEST_CONTROL);
}

/** Writes a whole control packet. */
export function putControl(buf: Uint8Array, at: number, code: number, id: number, data: Uint8Array): number {
  return putLength(buf, at, putBytes(buf, putHeader(buf, at, code, id), data));
}

/** Gets the type of an option, the place of its value in the packet, and the length of the value. */
export type OptionVisitor = (type: number, at: number, length: number) => void;

/** Visits each option in packet[start, end). False when a length is wrong (RFC 1661 §6). */
export function eachOption(packet: Uint8Array, start: number, end: number, visit: OptionVisitor): boolean {
  for (let at = start; at < end;) {
    if (at + 2 > end) return false;
    const length = packet[at + 1]!;
    if (length < 2 || at + length > end) return false;
    visit(packet[at]!, at + 2, length - 2);
    at += length;
  }
  return true;
}

/** One option of a packet, of a known or an unknown type. */
export interface ConfOption {
  type: number;
  value: Uint8Array;
}

/** The answer to one option: Ack, Reject, or a Nak with the value that we would accept. */
export type Verdict = "ack" | "reject" | ConfOption;

export interface OptionList {
  /** In the order of the packet. */
  options: ConfOption[];
  /**
   * The octets from the first option with a wrong length to the end. Empty in a valid list. pppd rejects them as they
   * are.
   */
  rest: Uint8Array;
}

/** Copies the options in packet[start, end). */
export function parseOptions(packet: Uint8Array, start: number, end: number): OptionList {
  const options: ConfOption[] = [];
  let next = start;
  eachOption(packet, start, end, (type, at, length) => {
    options.push({ type, value: packet.slice(at, at + length) });
    next = at + length;
  });
  return { options, rest: packet.slice(next, end) };
}

export function putOption(buf: Uint8Array, at: number, option: ConfOption): number {
  at = put8(buf, at, option.type);
  at = put8(buf, at, option.value.length + 2);
  return putBytes(buf, at, option.value);
}

export function putOptions(buf: Uint8Array, at: number, options: readonly ConfOption[]): number {
  for (const option of options) at = putOption(buf, at, option);
  return at;
}

/** Writes a Configure-Request, -Ack, -Nak or -Reject. */
export function putConfigure(
  buf: Uint8Array,
  at: number,
  code: number,
  id: number,
  options: readonly ConfOption[],
): number {
  return putLength(buf, at, putOptions(buf, putHeader(buf, at, code, id), options));
}

/** True when two lists have the same options in the same order, as a Configure-Ack requires (RFC 1661 §5.2). */
export function sameOptions(one: readonly ConfOption[], other: readonly ConfOption[]): boolean {
  return one.length === other.length && one.every((option, index) => sameOption(option, other[index]!));
}

export function sameOption(one: ConfOption, other: ConfOption): boolean {
  return (
    one.type === other.type &&
    one.value.length === other.value.length &&
    one.value.every((octet, index) => octet === other.value[index])
  );
}

/** An option without a value, such as LCP's Protocol-Field-Compression. */
export function option0(type: number): ConfOption {
  return { type, value: new Uint8Array(0) };
}

export function option16(type: number, value: number): ConfOption {
  return { type, value: Uint8Array.of(value >>> 8, value) };
}

export function option32(type: number, value: number): ConfOption {
  return { type, value: Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value) };
}

/** The value of a two-octet option. Undefined when it is not two octets long. */
export function read16(value: Uint8Array): number | undefined {
  return value.length === 2 ? u16(value, 0) : undefined;
}

/** The value of a four-octet option. Undefined when it is not four octets long. */
export function read32(value: Uint8Array): number | undefined {
  return value.length === 4 ? u32(value, 0) : undefined;
}
