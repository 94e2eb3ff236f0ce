// LCP: option numbers and values, and the data of the packets that only LCP has (RFC 1661 §5.7–§6.6, RFC 1570, RFC
// 1990).

import { put16, put32, putBytes, u16, u32 } from "../bytes/be.ts";
import { bytesOf, textOf } from "../bytes/text.ts";
import { Code, putHeader, putLength, type ConfOption } from "./control.ts";
import { Protocol } from "./protocols.ts";

/**
 * Numbers are written and read by `option16`/`read16` and `option32`/`read32`, flags by `option0`. The other options
 * have functions below.
 */
export const LcpOption = {
  Vendor: 0,
  /** Two octets. */
  Mru: 1,
  /** Four octets. */
  Asyncmap: 2,
  Auth: 3,
  Quality: 4,
  /** Four octets. */
  Magic: 5,
  /** A flag. */
  Pcomp: 7,
  /** A flag. */
  Accomp: 8,
  FcsAlternatives: 9,
  SelfDescribingPad: 10,
  NumberedMode: 11,
  MultiLinkProcedure: 12,
  Callback: 13,
  ConnectTime: 14,
  CompoundFrames: 15,
  NominalEncapsulation: 16,
  /** Two octets. */
  Mrru: 17,
  /** A flag. */
  Ssnhf: 18,
  Endpoint: 19,
  Proprietary: 20,
  DceIdentifier: 21,
  MultiLinkPlus: 22,
  LinkDiscriminator: 23,
  LcpAuthentication: 24,
  Cobs: 25,
  PrefixElision: 26,
  MultilinkHeaderFormat: 27,
  Internationalization: 28,
  SimpleDataLink: 29,
} as const;
export type LcpOption = (typeof LcpOption)[keyof typeof LcpOption];

/** The algorithm octet of CHAP in the Authentication-Protocol option (RFC 1994 §3; RFC 2433 §3; RFC 2759 §3). */
export const ChapDigest = { Md5: 5, Ms: 0x80, MsV2: 0x81 } as const;
export type ChapDigest = (typeof ChapDigest)[keyof typeof ChapDigest];

/** The value of the Authentication-Protocol option. */
export interface AuthProtocol {
  protocol: number;
  /** The octets after the protocol: a digest for CHAP, none for PAP and EAP. */
  data: Uint8Array;
}

export function readAuth(value: Uint8Array): AuthProtocol | undefined {
  if (value.length < 2) return undefined;
  return { protocol: u16(value, 0), data: value.slice(2) };
}

/** `digest` is only for CHAP. */
export function authOption(protocol: number, digest?: number): ConfOption {
  const value = new Uint8Array(digest === undefined ? 2 : 3);
  const at = put16(value, 0, protocol);
  if (digest !== undefined) value[at] = digest;
  return { type: LcpOption.Auth, value };
}

/** The digest asked for. Undefined unless the value is exactly one of CHAP. */
export function readChapDigest(auth: AuthProtocol): number | undefined {
  return auth.protocol === Protocol.CHAP && auth.data.length === 1 ? auth.data[0]! : undefined;
}

/** The value of the Quality-Protocol option. The period is in hundredths of a second (RFC 1989 §2.4). */
export interface QualityProtocol {
  protocol: number;
  period: number | undefined;
}

export function readQuality(value: Uint8Array): QualityProtocol | undefined {
  if (value.length < 2) return undefined;
  return { protocol: u16(value, 0), period: value.length === 6 ? u32(value, 2) : undefined };
}

export function qualityOption(protocol: number, period: number): ConfOption {
  const value = new Uint8Array(6);
  put32(value, put16(value, 0, protocol), period);
  return { type: LcpOption.Quality, value };
}

/** The operation of the Callback option that means CBCP. */
export const CALLBACK_CBCP = 6;

export function callbackOption(operation: number): ConfOption {
  return { type: LcpOption.Callback, value: Uint8Array.of(operation) };
}

/** RFC 1990 §5.1.3. */
export const EndpointClass = { Null: 0, Local: 1, Ip: 2, Mac: 3, Magic: 4, Phone: 5 } as const;
export type EndpointClass = (typeof EndpointClass)[keyof typeof EndpointClass];

export const MAX_ENDPOINT_LENGTH = 20;

export interface Endpoint {
  class: number;
  value: Uint8Array;
}

export function readEndpoint(value: Uint8Array): Endpoint | undefined {
  if (value.length < 1) return undefined;
  return { class: value[0]!, value: value.slice(1) };
}

export function endpointOption(endpoint: Endpoint): ConfOption {
  const value = new Uint8Array(1 + endpoint.value.length);
  value[0] = endpoint.class;
  value.set(endpoint.value, 1);
  return { type: LcpOption.Endpoint, value };
}

/** The data of an Echo-Request, Echo-Reply, Discard-Request or Identification: a magic number and other octets. */
export interface Magic {
  magic: number;
  data: Uint8Array;
}

export function parseMagic(packet: Uint8Array, dataStart: number, dataEnd: number): Magic | undefined {
  if (dataEnd - dataStart < 4) return undefined;
  return { magic: u32(packet, dataStart), data: packet.slice(dataStart + 4, dataEnd) };
}

/** Writes an Echo-Request, Echo-Reply, Discard-Request or Identification. */
export function putMagic(
  buf: Uint8Array,
  at: number,
  code: number,
  id: number,
  magic: number,
  data: Uint8Array = new Uint8Array(0),
): number {
  return putLength(buf, at, putBytes(buf, put32(buf, putHeader(buf, at, code, id), magic), data));
}

/** RFC 1570 §1.2. */
export interface TimeRemaining {
  magic: number;
  seconds: number;
  message: string;
}

export function parseTimeRemaining(packet: Uint8Array, dataStart: number, dataEnd: number): TimeRemaining | undefined {
  if (dataEnd - dataStart < 8) return undefined;
  return {
    magic: u32(packet, dataStart),
    seconds: u32(packet, dataStart + 4),
    message: textOf(packet, dataStart + 8, dataEnd),
  };
}

export function putTimeRemaining(buf: Uint8Array, at: number, id: number, time: TimeRemaining): number {
  let next = putHeader(buf, at, Code.TimeRem, id);
  next = put32(buf, next, time.magic);
  next = put32(buf, next, time.seconds);
  return putLength(buf, at, putBytes(buf, next, bytesOf(time.message)));
}

/** The data of a Protocol-Reject: the rejected protocol, and as much of its packet as fitted. */
export interface ProtocolReject {
  protocol: number;
  data: Uint8Array;
}

export function parseProtocolReject(
  packet: Uint8Array,
  dataStart: number,
  dataEnd: number,
): ProtocolReject | undefined {
  if (dataEnd - dataStart < 2) return undefined;
  return { protocol: u16(packet, dataStart), data: packet.slice(dataStart + 2, dataEnd) };
}

/** Writes a Protocol-Reject of the whole PPP packet rejected[start, end), which begins with its two-octet protocol. */
export function putProtocolReject(
  buf: Uint8Array,
  at: number,
  id: number,
  rejected: Uint8Array,
  start: number,
  end: number,
): number {
  return putLength(buf, at, putBytes(buf, putHeader(buf, at, Code.ProtRej, id), rejected.subarray(start, end)));
}
