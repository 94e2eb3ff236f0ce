// The fields of IPv4, IPv6 and TCP that the filters and VJ use (RFC 791 §3.1, RFC 8200 §3, RFC 9293 §3.1).
//
// Every function takes the offset of its header. None checks bounds: the caller has compared the packet's length with
// IPV4_MIN, IPV6_HEADER or TCP_MIN, and with the length in the header.

import { u16, u32 } from "../bytes/be.ts";
import { parseAddress } from "../bytes/prefix.ts";

export const IpProto = { ICMP: 1, TCP: 6, UDP: 17, ICMPV6: 58 } as const;

export const IPV4_MIN = 20;
export const IPV6_HEADER = 40;
export const TCP_MIN = 20;

export const IPV4_DF = 0x4000;
export const IPV4_MF = 0x2000;
export const IPV4_OFFSET = 0x1fff;

export const TcpFlag = { FIN: 0x01, SYN: 0x02, RST: 0x04, PSH: 0x08, ACK: 0x10, URG: 0x20 } as const;

/** 4 or 6, in a valid header. */
export function ipVersion(buf: Uint8Array, at: number): number {
  return buf[at]! >>> 4;
}

/** In octets. Below IPV4_MIN when the header is wrong. */
export function ipv4HeaderLength(buf: Uint8Array, at: number): number {
  return (buf[at]! & 0xf) * 4;
}

export function ipv4Tos(buf: Uint8Array, at: number): number {
  return buf[at + 1]!;
}

/** Header and data. */
export function ipv4TotalLength(buf: Uint8Array, at: number): number {
  return u16(buf, at + 2);
}

export function ipv4Id(buf: Uint8Array, at: number): number {
  return u16(buf, at + 4);
}

/** IPV4_DF, IPV4_MF and, under the mask IPV4_OFFSET, the offset in units of eight octets. */
export function ipv4Fragment(buf: Uint8Array, at: number): number {
  return u16(buf, at + 6);
}

export function ipv4Ttl(buf: Uint8Array, at: number): number {
  return buf[at + 8]!;
}

export function ipv4Proto(buf: Uint8Array, at: number): number {
  return buf[at + 9]!;
}

export function ipv4Checksum(buf: Uint8Array, at: number): number {
  return u16(buf, at + 10);
}

export function ipv4Source(buf: Uint8Array, at: number): number {
  return u32(buf, at + 12);
}

export function ipv4Destination(buf: Uint8Array, at: number): number {
  return u32(buf, at + 16);
}

/** The checksum for a header of `length` octets at buf[at]. Its own checksum field is not included. */
export function ipv4HeaderChecksum(buf: Uint8Array, at: number, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i += 2) if (i !== 10) sum += u16(buf, at + i);
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** The octets after the fixed header. */
export function ipv6PayloadLength(buf: Uint8Array, at: number): number {
  return u16(buf, at + 4);
}

export function ipv6NextHeader(buf: Uint8Array, at: number): number {
  return buf[at + 6]!;
}

export function tcpSourcePort(buf: Uint8Array, at: number): number {
  return u16(buf, at);
}

export function tcpDestinationPort(buf: Uint8Array, at: number): number {
  return u16(buf, at + 2);
}

export function tcpSequence(buf: Uint8Array, at: number): number {
  return u32(buf, at + 4);
}

export function tcpAcknowledgment(buf: Uint8Array, at: number): number {
  return u32(buf, at + 8);
}

/** In octets. Below TCP_MIN when the header is wrong. */
export function tcpHeaderLength(buf: Uint8Array, at: number): number {
  return (buf[at + 12]! >>> 4) * 4;
}

/** The TcpFlag bits. */
export function tcpFlags(buf: Uint8Array, at: number): number {
  return buf[at + 13]!;
}

export function tcpWindow(buf: Uint8Array, at: number): number {
  return u16(buf, at + 14);
}

export function tcpChecksum(buf: Uint8Array, at: number): number {
  return u16(buf, at + 16);
}

export function tcpUrgent(buf: Uint8Array, at: number): number {
  return u16(buf, at + 18);
}

/** An IPv4 address of four decimal numbers. Undefined for anything else, including leading zeros. */
export function parseIpv4(text: string): number | undefined {
  const octets = parseAddress(text);
  return octets?.length === 4 ? u32(octets, 0) : undefined;
}

export function ipv4Text(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 0xff}.${(address >>> 8) & 0xff}.${address & 0xff}`;
}
