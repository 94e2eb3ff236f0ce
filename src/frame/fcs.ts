// FCS-16 and FCS-32 (RFC 1662 appendix C), computed eight octets a step on whole frames. Also tells which frames carry
// which FCS (RFC 1570 §2.1).

import { ADDRESS, addressEnd, CONTROL } from "./header.ts";

/** The FCS that LCP's FCS-Alternatives agreed on for one direction, in bits; 16 without an agreement. */
export type FcsBits = 0 | 16 | 32;
/** Octets of the longest FCS. */
export const FCS_ROOM = 4;

/** x^16 + x^12 + x^5 + 1, least significant bit first. */
const POLYNOMIAL = 0x8408;
export const FCS_INIT = 0xffff;
/** The FCS-16 register after a good frame with its FCS. */
export const FCS_GOOD = 0xf0b8;

/** The polynomial of Ethernet and zip files, least significant bit first. Registers of 32 bits are signed here. */
const POLYNOMIAL32 = 0xedb88320;
export const FCS32_INIT = 0xffffffff | 0;
export const FCS32_GOOD = 0xdebb20e3 | 0;

const TABLES = new Uint16Array(8 * 256);
fill(TABLES, POLYNOMIAL);
// Signed 32-bit numbers stay integers in the JavaScript engine; unsigned ones do not.
const TABLES32 = new Int32Array(8 * 256);
fill(TABLES32, POLYNOMIAL32);

/** tables[256 * k + octet]: the effect of `octet` when k further octets follow it. */
function fill(tables: Uint16Array | Int32Array, polynomial: number): void {
  for (let octet = 0; octet < 256; octet++) {
    let fcs = octet;
    for (let bit = 0; bit < 8; bit++) fcs = fcs & 1 ? (fcs >>> 1) ^ polynomial : fcs >>> 1;
    tables[octet] = fcs;
  }
  for (let at = 256; at < tables.length; at++) {
    const before = tables[at - 256]!;
    tables[at] = (before >>> 8) ^ tables[before & 0xff]!;
  }
}

export function fcsNext(fcs: number, octet: number): number {
  return (fcs >>> 8) ^ TABLES[(fcs ^ octet) & 0xff]!;
}

/** The FCS-16 register after bytes[start, end). Complement it to send it, low octet first. */
export function fcsOver(fcs: number, bytes: Uint8Array, start: number, end: number): number {
  const tables = TABLES;
  let at = start;
  for (const last = end - 7; at < last; at += 8)
    fcs =
      tables[0x700 + ((fcs ^ bytes[at]!) & 0xff)]! ^
      tables[0x600 + (((fcs >>> 8) ^ bytes[at + 1]!) & 0xff)]! ^
      tables[0x500 + bytes[at + 2]!]! ^
      tables[0x400 + bytes[at + 3]!]! ^
      tables[0x300 + bytes[at + 4]!]! ^
      tables[0x200 + bytes[at + 5]!]! ^
      tables[0x100 + bytes[at + 6]!]! ^
      tables[bytes[at + 7]!]!;
  for (; at < end; at++) fcs = (fcs >>> 8) ^ tables[(fcs ^ bytes[at]!) & 0xff]!;
  return fcs;
}

/** The FCS-32 register after bytes[start, end). Complement it to send it, lowest octet first. */
export function fcs32Over(fcs: number, bytes: Uint8Array, start: number, end: number): number {
  const tables = TABLES32;
  let at = start;
  for (const last = end - 7; at < last; at += 8)
    fcs =
      tables[0x700 + ((fcs ^ bytes[at]!) & 0xff)]! ^
      tables[0x600 + (((fcs >>> 8) ^ bytes[at + 1]!) & 0xff)]! ^
      tables[0x500 + (((fcs >>> 16) ^ bytes[at + 2]!) & 0xff)]! ^
      tables[0x400 + ((fcs >>> 24) ^ bytes[at + 3]!)]! ^
      tables[0x300 + bytes[at + 4]!]! ^
      tables[0x200 + bytes[at + 5]!]! ^
      tables[0x100 + bytes[at + 6]!]! ^
      tables[bytes[at + 7]!]!;
  for (; at < end; at++) fcs = (fcs >>> 8) ^ tables[(fcs ^ bytes[at]!) & 0xff]!;
  return fcs;
}

/** Protocols from here on are not network data but the low-volume, NCP and LCP classes (RFC 1661 §2). */
const CONTROL_PROTOCOLS = 0x40;

/**
 * True when frame[start, end) carries an FCS although "no FCS" was agreed on. All frames except network data do (RFC
 * 1570 §2.1.2). The frame begins with its header, compressed as agreed.
 */
export function owesFcs(frame: Uint8Array, start: number, end: number): boolean {
  const at = addressEnd(frame, start, end);
  // An odd first octet is a complete, compressed protocol below 0x100.
  return at < end && (frame[at]! & 1) === 0 && frame[at]! >= CONTROL_PROTOCOLS;
}

/** True when frame[0, end) begins like an LCP packet. LCP's header is never compressed (RFC 1661 §6.5, §6.6). */
export function isLcp(frame: Uint8Array, end: number): boolean {
  return end >= 4 && frame[0] === ADDRESS && frame[1] === CONTROL && frame[2] === 0xc0 && frame[3] === 0x21;
}
