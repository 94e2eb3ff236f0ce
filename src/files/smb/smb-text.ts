// Texts of clients: UTF-16 of those that say so, code page 850 of the others. Code page 437 has the same letters of western
// European languages at the same places, and differs in signs.

import type { Fields } from "./fields.ts";
import type { Octets } from "./octets.ts";

const HIGH =
  "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤" +
  "ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u00ad±‗¾¶§÷¸°¨·¹³²■\u00a0";
const CODES = new Map(Array.from(HIGH, (char, at) => [char, 0x80 + at] as const));

/** The octet of a character. Undefined: the code page does not have it. */
function oemCode(char: string): number | undefined {
  const code = char.charCodeAt(0);
  return code < 0x80 ? code : CODES.get(char);
}

export function fitsOem(text: string): boolean {
  return Array.from(text).every((char) => oemCode(char) !== undefined);
}

/** What the code page does not have becomes "_". */
export function oemOctets(text: string): Uint8Array {
  return Uint8Array.from(Array.from(text, (char) => oemCode(char) ?? 0x5f));
}

function oemText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => (byte < 0x80 ? String.fromCharCode(byte) : HIGH[byte - 0x80]!)).join("");
}

/** UTF-16, little-endian. */
export function unicodeOctets(text: string): Uint8Array {
  const octets = new Uint8Array(2 * text.length);
  for (let at = 0; at < text.length; at++) {
    octets[2 * at] = text.charCodeAt(at);
    octets[2 * at + 1] = text.charCodeAt(at) >>> 8;
  }
  return octets;
}

export function unicodeText(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at + 1 < bytes.length; at += 2) text += String.fromCharCode(bytes[at]! | (bytes[at + 1]! << 8));
  return text;
}

export function textOctets(text: string, isUnicode: boolean): Uint8Array {
  return isUnicode ? unicodeOctets(text) : oemOctets(text);
}

/** Reads a text up to its zero, or up to the end of the fields. Without `isAligned` UTF-16 begins where it is read. */
export function readText(fields: Fields, isUnicode: boolean, isAligned = true): string {
  if (!isUnicode) {
    const from = fields.at;
    const zero = fields.bytes.indexOf(0, from);
    const to = zero < 0 || zero >= fields.end ? fields.end : zero;
    fields.at = Math.min(fields.end, to + 1);
    return oemText(fields.bytes.subarray(from, to));
  }
  if (isAligned) fields.align(2);
  let text = "";
  while (fields.left >= 2) {
    const code = fields.u16();
    if (code === 0) return text;
    text += String.fromCharCode(code);
  }
  fields.at = fields.end;
  return text;
}

/** Reads a text of so many octets. A zero ends it before. */
export function readTextOf(fields: Fields, length: number, isUnicode: boolean): string {
  if (isUnicode) fields.align(2);
  const octets = fields.take(Math.min(length, fields.left));
  const text = isUnicode ? unicodeText(octets) : oemText(octets);
  const zero = text.indexOf("\0");
  return zero < 0 ? text : text.slice(0, zero);
}

/** Writes a text and its zero. */
export function putText(out: Octets, text: string, isUnicode: boolean, isAligned = true): void {
  if (isUnicode && isAligned) out.align(2);
  out.put(textOctets(text, isUnicode));
  out.zeros(isUnicode ? 2 : 1);
}
