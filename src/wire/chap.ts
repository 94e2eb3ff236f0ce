// CHAP packets (RFC 1994 §4), also used by MS-CHAP. Names and messages are texts of one char an octet.

import { put8, putBytes } from "../bytes/be.ts";
import { bytesOf, textOf } from "../bytes/text.ts";
import { parseControl, putControl, putHeader, putLength } from "./control.ts";

export const ChapCode = { Challenge: 1, Response: 2, Success: 3, Failure: 4 } as const;
export type ChapCode = (typeof ChapCode)[keyof typeof ChapCode];

export type ChapPacket =
  | { code: typeof ChapCode.Challenge | typeof ChapCode.Response; id: number; value: Uint8Array; name: string }
  | { code: typeof ChapCode.Success | typeof ChapCode.Failure; id: number; message: string };

/** Reads packet[start, end), which begins with the code. Undefined when a length lies or the code is unknown. */
export function parseChap(packet: Uint8Array, start: number, end: number): ChapPacket | undefined {
  const control = parseControl(packet, start, end);
  if (control === undefined) return undefined;
  const { code, id, dataStart, dataEnd } = control;
  switch (code) {
    case ChapCode.Challenge:
    case ChapCode.Response: {
      const named = parseValueAndName(packet, dataStart, dataEnd);
      return named && { code, id, ...named };
    }
    case ChapCode.Success:
    case ChapCode.Failure:
      return { code, id, message: textOf(packet, dataStart, dataEnd) };
    default:
      return undefined;
  }
}

/** A value with its length, and the name after it. EAP's MD5-Challenge has the same form (RFC 3748 §5.4). */
export function parseValueAndName(
  packet: Uint8Array,
  start: number,
  end: number,
): { value: Uint8Array; name: string } | undefined {
  if (start >= end) return undefined;
  const nameStart = start + 1 + packet[start]!;
  if (nameStart > end) return undefined;
  return { value: packet.slice(start + 1, nameStart), name: textOf(packet, nameStart, end) };
}

export function putValueAndName(buf: Uint8Array, at: number, value: Uint8Array, name: string): number {
  return putBytes(buf, putBytes(buf, put8(buf, at, value.length), value), bytesOf(name));
}

/** Writes a Challenge or Response. The value has at most 255 octets. */
export function putChap(
  buf: Uint8Array,
  at: number,
  code: typeof ChapCode.Challenge | typeof ChapCode.Response,
  id: number,
  value: Uint8Array,
  name: string,
): number {
  return putLength(buf, at, putValueAndName(buf, putHeader(buf, at, code, id), value, name));
}

/** Writes a Success or Failure. */
export function putChapResult(
  buf: Uint8Array,
  at: number,
  code: typeof ChapCode.Success | typeof ChapCode.Failure,
  id: number,
  message: string,
): number {
  return putControl(buf, at, code, id, bytesOf(message));
}
