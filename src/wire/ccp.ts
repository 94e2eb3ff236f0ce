// CCP: option numbers and values (RFC 1962 §4; RFC 1977, 1978, 1979; RFC 3078 §2 for MPPE).

import { u16, u32 } from "../bytes/be.ts";
import { option0, option32, type ConfOption } from "./control.ts";

export const CcpOption = {
  Oui: 0,
  /** A flag. */
  Predictor1: 1,
  /** A flag. */
  Predictor2: 2,
  Puddle: 3,
  HpPpc: 16,
  Stac: 17,
  /** MPPC and MPPE. */
  Mppe: 18,
  Gandalf: 19,
  V42bis: 20,
  BsdCompress: 21,
  LzsDcp: 23,
  /** Deflate's number in the draft, which is Magnalink's by right. */
  DeflateDraft: 24,
  Dce: 25,
  Deflate: 26,
} as const;
export type CcpOption = (typeof CcpOption)[keyof typeof CcpOption];

const BSD_VERSION = 1;

/** Code size of a BSD-Compress option: 9 to 15 bits from an honest peer. Undefined for another version or length. */
export function readBsd(value: Uint8Array): number | undefined {
  if (value.length !== 1 || value[0]! >>> 5 !== BSD_VERSION) return undefined;
  return value[0]! & 0x1f;
}

export function bsdOption(bits: number): ConfOption {
  return { type: CcpOption.BsdCompress, value: Uint8Array.of((BSD_VERSION << 5) | bits) };
}

const DEFLATE_METHOD = 8;
const DEFLATE_CHECK_SEQUENCE = 0;

/** Window of a Deflate option as a power of two: 8 to 23 as the field goes. Undefined for another method or check. */
export function readDeflate(value: Uint8Array): number | undefined {
  if (value.length !== 2 || (value[0]! & 0xf) !== DEFLATE_METHOD || value[1] !== DEFLATE_CHECK_SEQUENCE) {
    return undefined;
  }
  return (value[0]! >>> 4) + 8;
}

/** `type` is CcpOption.Deflate or CcpOption.DeflateDraft. */
export function deflateOption(type: number, window: number): ConfOption {
  return { type, value: Uint8Array.of(((window - 8) << 4) | DEFLATE_METHOD, DEFLATE_CHECK_SEQUENCE) };
}

export function predictorOption(type: typeof CcpOption.Predictor1 | typeof CcpOption.Predictor2): ConfOption {
  return option0(type);
}

/** The value of a Stac LZS option: how many histories, and how a lost packet is noticed (RFC 1974 §3). */
export interface LzsOption {
  histories: number;
  mode: number;
}

export function readLzs(value: Uint8Array): LzsOption | undefined {
  return value.length === 3 ? { histories: u16(value, 0), mode: value[2]! & 7 } : undefined;
}

export function lzsOption(histories: number, mode: number): ConfOption {
  return { type: CcpOption.Stac, value: Uint8Array.of(histories >>> 8, histories, mode) };
}

/** The supported bits of the MPPE option (RFC 3078 §2). */
export const MppeBit = {
  /** H: the key changes with every packet. */
  Stateless: 0x01000000,
  /** M */
  Bits56: 0x80,
  /** S */
  Bits128: 0x40,
  /** L */
  Bits40: 0x20,
  /** D */
  Obsolete: 0x10,
  /** C */
  Mppc: 0x01,
} as const;

export function readMppe(value: Uint8Array): number | undefined {
  return value.length === 4 ? u32(value, 0) : undefined;
}

export function mppeOption(bits: number): ConfOption {
  return option32(CcpOption.Mppe, bits);
}
