// TCP/IP headers for VJ: their length, and the comparison of two of them (RFC 1144 §3.2.3).

import {
  IPV4_MIN,
  ipv4HeaderLength,
  ipv4TotalLength,
  ipVersion,
  TCP_MIN,
  TcpFlag,
  tcpHeaderLength,
} from "../wire/ip.ts";

/** The flags in a VJ_COMP packet. ECN flags and reserved bits must be unchanged. */
export const CARRIED = TcpFlag.PSH | TcpFlag.URG;

export const ADDRESSES = 12;

/** The octets of the IP and TCP headers of packet[start, end). 0: it is not IPv4, or a length is wrong. */
export function headersLength(packet: Uint8Array, start: number, end: number): number {
  if (end - start < IPV4_MIN + TCP_MIN || ipVersion(packet, start) !== 4) return 0;
  const ip = ipv4HeaderLength(packet, start);
  if (ip < IPV4_MIN) return 0;
  // This may read after the end. Then the total length is too small, which is checked as well.
  const tcp = tcpHeaderLength(packet, start + ip);
  const total = ipv4TotalLength(packet, start);
  return tcp < TCP_MIN || ip + tcp > total || total > end - start ? 0 : ip + tcp;
}

export function copy(from: Uint8Array, start: number, length: number, to: Uint8Array, at: number): void {
  // set() needs a subarray, which takes longer than this loop for one header.
  for (let i = 0; i < length; i++) to[at + i] = from[start + i]!;
}

/**
 * Compares addresses and ports, wherever IP options move the ports. A slot without a header is all zeros and does no
 * harm.
 */
export function isSameConnection(a: Uint8Array, aStart: number, b: Uint8Array, bStart: number): boolean {
  for (let i = ADDRESSES; i < IPV4_MIN; i++) if (a[aStart + i] !== b[bStart + i]) return false;
  const aPorts = aStart + ipv4HeaderLength(a, aStart);
  const bPorts = bStart + ipv4HeaderLength(b, bStart);
  for (let i = 0; i < 4; i++) if (a[aPorts + i] !== b[bPorts + i]) return false;
  return true;
}

/** True when the fields that a VJ_COMP packet cannot carry are equal in two headers of one connection. */
export function isSameOtherwise(a: Uint8Array, aStart: number, b: Uint8Array, bStart: number, length: number): boolean {
  // Version, header length, TOS; the fragment field with DF; TTL and protocol.
  if (a[aStart] !== b[bStart] || a[aStart + 1] !== b[bStart + 1]) return false;
  for (let i = 6; i < 10; i++) if (a[aStart + i] !== b[bStart + i]) return false;
  const ip = ipv4HeaderLength(a, aStart);
  for (let i = IPV4_MIN; i < ip; i++) if (a[aStart + i] !== b[bStart + i]) return false;
  if (a[aStart + ip + 12] !== b[bStart + ip + 12]) return false;
  if (((a[aStart + ip + 13]! ^ b[bStart + ip + 13]!) & ~CARRIED) !== 0) return false;
  for (let i = ip + TCP_MIN; i < length; i++) if (a[aStart + i] !== b[bStart + i]) return false;
  return true;
}
