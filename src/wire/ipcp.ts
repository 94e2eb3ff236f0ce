// IPCP: option numbers and values (RFC 1332 §3; RFC 1877 for the name servers). Addresses are 32-bit numbers.

import { put32, u16, u32 } from "../bytes/be.ts";
import { type ConfOption } from "./control.ts";
import { Protocol } from "./protocols.ts";

/** Addresses are written by `option32` and read by `read32`. */
export const IpcpOption = {
  /** Deprecated: source and destination (RFC 1172 §5.1). */
  Addresses: 1,
  Compression: 2,
  /** Four octets. */
  Address: 3,
  MobileIpv4: 4,
  /** Four octets each. */
  Dns1: 129,
  Wins1: 130,
  Dns2: 131,
  Wins2: 132,
} as const;
export type IpcpOption = (typeof IpcpOption)[keyof typeof IpcpOption];

/** The value of the deprecated IP-Addresses option. */
export interface Addresses {
  /** The sender's own address. */
  source: number;
  /** The address for its peer. */
  destination: number;
}

export function readAddresses(value: Uint8Array): Addresses | undefined {
  if (value.length !== 8) return undefined;
  return { source: u32(value, 0), destination: u32(value, 4) };
}

export function addressesOption(addresses: Addresses): ConfOption {
  const value = new Uint8Array(8);
  put32(value, put32(value, 0, addresses.source), addresses.destination);
  return { type: IpcpOption.Addresses, value };
}

/** The number of Van Jacobson compression in some implementations of RFC 1172. */
export const OLD_VJ = 0x0037;

/** The value of the IP-Compression-Protocol option. */
export interface Compression {
  /** Protocol.VJ_COMP, OLD_VJ, or a protocol that we do not know. */
  protocol: number;
  /** Only in RFC 1332's form for VJ. */
  vj: Vj | undefined;
}

export interface Vj {
  /** The highest slot number, which is the number of slots minus one. */
  maxSlot: number;
  /** True when the slot number may be left out. */
  compressSlot: boolean;
}

export function readCompression(value: Uint8Array): Compression | undefined {
  if (value.length < 2) return undefined;
  const protocol = u16(value, 0);
  const whole = protocol === Protocol.VJ_COMP && value.length === 4;
  return { protocol, vj: whole ? { maxSlot: value[2]!, compressSlot: value[3] !== 0 } : undefined };
}

export function vjOption(vj: Vj): ConfOption {
  return {
    type: IpcpOption.Compression,
    value: Uint8Array.of(0, Protocol.VJ_COMP, vj.maxSlot, vj.compressSlot ? 1 : 0),
  };
}

/** VJ in RFC 1172's form, without slot numbers. `protocol` is Protocol.VJ_COMP or OLD_VJ. */
export function oldVjOption(protocol: number): ConfOption {
  return { type: IpcpOption.Compression, value: Uint8Array.of(protocol >>> 8, protocol) };
}
