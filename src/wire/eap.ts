// EAP packets (RFC 3748 §4, §5). The data of MD5-Challenge is a value and name as in chap.ts.

import { put8, putBytes } from "../bytes/be.ts";
import { parseControl, putHeader, putLength } from "./control.ts";

export const EapCode = { Request: 1, Response: 2, Success: 3, Failure: 4 } as const;
export type EapCode = (typeof EapCode)[keyof typeof EapCode];

export const EapType = {
  Identity: 1,
  Notification: 2,
  Nak: 3,
  Md5Challenge: 4,
  Otp: 5,
  TokenCard: 6,
  Tls: 13,
  Srp: 19,
  Ttls: 21,
  Peap: 25,
  MsChapV2: 26,
} as const;
export type EapType = (typeof EapType)[keyof typeof EapType];

export type EapPacket =
  | { code: typeof EapCode.Request | typeof EapCode.Response; id: number; type: number; data: Uint8Array }
  | { code: typeof EapCode.Success | typeof EapCode.Failure; id: number };

/** Reads packet[start, end), which begins with the code. Undefined when a length lies or the code is unknown. */
export function parseEap(packet: Uint8Array, start: number, end: number): EapPacket | undefined {
  const control = parseControl(packet, start, end);
  if (control === undefined) return undefined;
  const { code, id, dataStart, dataEnd } = control;
  switch (code) {
    case EapCode.Request:
    case EapCode.Response:
      if (dataStart === dataEnd) return undefined;
      return { code, id, type: packet[dataStart]!, data: packet.slice(dataStart + 1, dataEnd) };
    case EapCode.Success:
    case EapCode.Failure:
      return { code, id };
    default:
      return undefined;
  }
}

/** Writes a Request or Response. */
export function putEap(
  buf: Uint8Array,
  at: number,
  code: typeof EapCode.Request | typeof EapCode.Response,
  id: number,
  type: number,
  data: Uint8Array,
): number {
  return putLength(buf, at, putBytes(buf, put8(buf, putHeader(buf, at, code, id), type), data));
}

/** Writes a Success or Failure. */
export function putEapResult(
  buf: Uint8Array,
  at: number,
  code: typeof EapCode.Success | typeof EapCode.Failure,
  id: number,
): number {
  return putLength(buf, at, putHeader(buf, at, code, id));
}
