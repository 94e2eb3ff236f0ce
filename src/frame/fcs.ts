// FCS-16 (RFC 1662 appendix C.2): the reflected CCITT polynomial, eight octets a step on whole frames.

/** x^16 + x^12 + x^5 + 1, least significant bit first. */
const POLYNOMIAL = 0x8408;
export const FCS_INIT = 0xffff;
/** What the FCS over a frame and its own FCS octets always comes to. */
export const FCS_GOOD = 0xf0b8;

// TABLES[256 * k + octet]: the effect of `octet` when k further octets follow it.
const TABLES = new Uint16Array(8 * 256);
for (let octet = 0; octet < 256; octet++) {
  let fcs = octet;
  for (let bit = 0; bit < 8; bit++) fcs = fcs & 1 ? (fcs >>> 1) ^ POLYNOMIAL : fcs >>> 1;
  TABLES[octet] = fcs;
}
for (let at = 256; at < TABLES.length; at++) {
  const before = TABLES[at - 256]!;
  TABLES[at] = (before >>> 8) ^ TABLES[before & 0xff]!;
}

export function fcsNext(fcs: number, octet: number): number {
  return (fcs >>> 8) ^ TABLES[(fcs ^ octet) & 0xff]!;
}

/** The FCS register after bytes[start, end). Complement it to send it, low octet first. */
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
