// IPCP: option numbers and values (RFC 1332 §3; RFC 1877 for the name servers). Addresses are 32-bit numbers.

import { put32, u16, u32 } from "../bytes/be.ts";
import { type ConfOption } from "./control.ts";
import { Protocol } from "./protocols.ts";

/** Addresses have the form `option32`/`read32`. */
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
  /** The address it would have its peer use. */
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

/** What some peers of RFC 1172's time call Van Jacobson compression. */
export const OLD_VJ = 0x0037;

/** The value of the IP-Compression-Protocol option. */
export interface Compression {
  /** Protocol.VJ_COMP, OLD_VJ or something we do not speak. */
  protocol: number;
  /** Present in RFC 1332's form of VJ only. */
  vj: Vj | undefined;
}

export interface Vj {
  /** Highest slot number: the number of slots less one. */
  maxSlot: number;
  /** Whether the slot number may be left out. */
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

/** VJ as RFC 1172 asked for it, without slot numbers: Protocol.VJ_COMP or OLD_VJ. */
export function oldVjOption(protocol: number): ConfOption {
  return { type: IpcpOption.Compression, value: Uint8Array.of(protocol >>> 8, protocol) };
}
