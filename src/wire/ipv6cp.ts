// IPv6CP: option numbers and the interface identifier (RFC 5072 §4).

import { parseAddress } from "../bytes/prefix.ts";
import { put32, u32 } from "../bytes/be.ts";
import { type ConfOption } from "./control.ts";

export const Ipv6cpOption = { InterfaceId: 1, Compression: 2 } as const;
export type Ipv6cpOption = (typeof Ipv6cpOption)[keyof typeof Ipv6cpOption];

/** The lower 64 bits of a link-local address. */
export interface InterfaceId {
  high: number;
  low: number;
}

export function readInterfaceId(value: Uint8Array): InterfaceId | undefined {
  if (value.length !== 8) return undefined;
  return { high: u32(value, 0), low: u32(value, 4) };
}

export function interfaceIdOption(id: InterfaceId): ConfOption {
  const value = new Uint8Array(8);
  put32(value, put32(value, 0, id.high), id.low);
  return { type: Ipv6cpOption.InterfaceId, value };
}

/** The link-local address as pppd prints it: four groups of four digits, zeros included. */
export function linkLocalText(id: InterfaceId): string {
  const groups = [id.high >>> 16, id.high & 0xffff, id.low >>> 16, id.low & 0xffff];
  return `fe80::${groups.map((group) => group.toString(16).padStart(4, "0")).join(":")}`;
}

/** The address in fe80::/64 with this identifier. */
export function linkLocalAddress(id: InterfaceId): Uint8Array {
  return parseAddress(linkLocalText(id))!;
}
