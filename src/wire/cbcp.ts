// CBCP, Microsoft's callback control protocol: packet codes and options.

import { put8, putBytes } from "../bytes/be.ts";
import { bytesOf, textOf } from "../bytes/text.ts";
import { eachOption, putHeader, putLength } from "./control.ts";

export const CbcpCode = { Request: 1, Response: 2, Ack: 3 } as const;
export type CbcpCode = (typeof CbcpCode)[keyof typeof CbcpCode];

export const CbcpOption = {
  NoCallback: 1,
  /** The caller names the number. */
  UserSpecified: 2,
  /** The answering side knows the number. */
  AdminSpecified: 3,
  List: 4,
} as const;
export type CbcpOption = (typeof CbcpOption)[keyof typeof CbcpOption];

export interface CallbackOption {
  type: number;
  /** Seconds before the callback. 0 when the option has no such octet. */
  delay: number;
  /** The telephone number, or "". */
  number: string;
}

/** The options in packet[start, end), the data of a CBCP packet. Undefined when a length lies. */
export function parseCallbackOptions(packet: Uint8Array, start: number, end: number): CallbackOption[] | undefined {
  const options: CallbackOption[] = [];
  const sound = eachOption(packet, start, end, (type, at, length) => {
    options.push({
      type,
      delay: length > 0 ? packet[at]! : 0,
      number: length > 2 ? textBeforeNul(packet, at + 2, at + length) : "",
    });
  });
  return sound ? options : undefined;
}

function textBeforeNul(packet: Uint8Array, start: number, end: number): string {
  const nul = packet.indexOf(0, start);
  return textOf(packet, start, nul >= 0 && nul < end ? nul : end);
}

const ADDRESS_TYPE_PHONE = 1;

/** Writes a Response with one option. */
export function putCallbackResponse(buf: Uint8Array, at: number, id: number, option: CallbackOption): number {
  const start = putHeader(buf, at, CbcpCode.Response, id);
  let next = start + 2;
  if (option.type !== CbcpOption.NoCallback) next = put8(buf, next, option.delay);
  if (option.number !== "") {
    next = put8(buf, next, ADDRESS_TYPE_PHONE);
    next = putBytes(buf, next, bytesOf(option.number));
    next = put8(buf, next, 0);
  }
  put8(buf, put8(buf, start, option.type), next - start);
  return putLength(buf, at, next);
}
