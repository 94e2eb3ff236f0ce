// PAP packets (RFC 1334 §2.2). Names, passwords and messages are texts of one char an octet.

import { put8, putBytes } from "../bytes/be.ts";
import { bytesOf, textOf } from "../bytes/text.ts";
import { parseControl, putHeader, putLength } from "./control.ts";

export const PapCode = { AuthReq: 1, AuthAck: 2, AuthNak: 3 } as const;
export type PapCode = (typeof PapCode)[keyof typeof PapCode];

export type PapPacket =
  | { code: typeof PapCode.AuthReq; id: number; user: string; password: string }
  | { code: typeof PapCode.AuthAck | typeof PapCode.AuthNak; id: number; message: string };

/** Reads packet[start, end), which begins with the code. Undefined when a length lies or the code is unknown. */
export function parsePap(packet: Uint8Array, start: number, end: number): PapPacket | undefined {
  const control = parseControl(packet, start, end);
  if (control === undefined) return undefined;
  const { code, id, dataStart, dataEnd } = control;
  switch (code) {
    case PapCode.AuthReq: {
      const user = counted(packet, dataStart, dataEnd);
      const password = user && counted(packet, dataStart + 1 + user.length, dataEnd);
      return password && { code, id, user: user.text, password: password.text };
    }
    case PapCode.AuthAck:
    case PapCode.AuthNak: {
      // Some peers leave out the length octet of the message, or the whole message.
      const message = counted(packet, dataStart, dataEnd)?.text ?? textOf(packet, dataStart, dataEnd);
      return { code, id, message };
    }
    default:
      return undefined;
  }
}

function counted(packet: Uint8Array, at: number, end: number): { text: string; length: number } | undefined {
  if (at >= end) return undefined;
  const length = packet[at]!;
  if (at + 1 + length > end) return undefined;
  return { text: textOf(packet, at + 1, at + 1 + length), length };
}

/** Writes an Authenticate-Request. User and password are cut at 255 octets, the limit of a length octet. */
export function putAuthReq(buf: Uint8Array, at: number, id: number, user: string, password: string): number {
  let next = putHeader(buf, at, PapCode.AuthReq, id);
  next = putCounted(buf, next, user);
  next = putCounted(buf, next, password);
  return putLength(buf, at, next);
}

/** Writes an Authenticate-Ack or -Nak. */
export function putAuthReply(
  buf: Uint8Array,
  at: number,
  code: typeof PapCode.AuthAck | typeof PapCode.AuthNak,
  id: number,
  message: string,
): number {
  return putLength(buf, at, putCounted(buf, putHeader(buf, at, code, id), message));
}

function putCounted(buf: Uint8Array, at: number, text: string): number {
  const bytes = bytesOf(text).subarray(0, 255);
  return putBytes(buf, put8(buf, at, bytes.length), bytes);
}
