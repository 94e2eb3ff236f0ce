// TCP/IP headers as VJ sees them: how long they are, and which parts of two are alike (RFC 1144 §3.2.3).

import {
  IPV4_MIN,
  ipv4HeaderLength,
  ipv4TotalLength,
  ipVersion,
  TCP_MIN,
  TcpFlag,
  tcpHeaderLength,
} from "../wire/ip.ts";

/** The flags that a VJ_COMP packet carries. ECN and what is reserved must stay as they were. */
export const CARRIED = TcpFlag.PSH | TcpFlag.URG;

export const ADDRESSES = 12;

/** Octets of the IP and TCP headers of packet[start, end); 0: it is not IPv4, or its lengths lie. */
export function headersLength(packet: Uint8Array, start: number, end: number): number {
  if (end - start < IPV4_MIN + TCP_MIN || ipVersion(packet, start) !== 4) return 0;
  const ip = ipv4HeaderLength(packet, start);
  if (ip < IPV4_MIN) return 0;
  // Perhaps from behind the end: then the total length is too small as well.
  const tcp = tcpHeaderLength(packet, start + ip);
  const total = ipv4TotalLength(packet, start);
  return tcp < TCP_MIN || ip + tcp > total || total > end - start ? 0 : ip + tcp;
}

export function copy(from: Uint8Array, start: number, length: number, to: Uint8Array, at: number): void {
  // A call of set() needs a subarray, which costs more than this for a header.
  for (let i = 0; i < length; i++) to[at + i] = from[start + i]!;
}

/** Addresses and ports, wherever IP options put the latter. A slot without a header is all zeros, and as good as one. */
export function isSameConnection(a: Uint8Array, aStart: number, b: Uint8Array, bStart: number): boolean {
  for (let i = ADDRESSES; i < IPV4_MIN; i++) if (a[aStart + i] !== b[bStart + i]) return false;
  const aPorts = aStart + ipv4HeaderLength(a, aStart);
  const bPorts = bStart + ipv4HeaderLength(b, bStart);
  for (let i = 0; i < 4; i++) if (a[aPorts + i] !== b[bPorts + i]) return false;
  return true;
}

/** What a VJ_COMP packet cannot say is equal in two headers of one connection. */
export function isSameOtherwise(a: Uint8Array, aStart: number, b: Uint8Array, bStart: number, length: number): boolean {
  // Version, header length, TOS; DF and its neighbours, TTL, protocol.
  if (a[aStart] !== b[bStart] || a[aStart + 1] !== b[bStart + 1]) return false;
  for (let i = 6; i < 10; i++) if (a[aStart + i] !== b[bStart + i]) return false;
  const ip = ipv4HeaderLength(a, aStart);
  for (let i = IPV4_MIN; i < ip; i++) if (a[aStart + i] !== b[bStart + i]) return false;
  if (a[aStart + ip + 12] !== b[bStart + ip + 12]) return false;
  if (((a[aStart + ip + 13]! ^ b[bStart + ip + 13]!) & ~CARRIED) !== 0) return false;
  for (let i = ip + TCP_MIN; i < length; i++) if (a[aStart + i] !== b[bStart + i]) return false;
  return true;
}
