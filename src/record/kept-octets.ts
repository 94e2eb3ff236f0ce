// How much of a packet is always kept: control packets whole, of IP packets the headers, and of other data a few octets. So
// what programs send to each other is not kept.

import { addressEnd, protocolAt, protocolEnd } from "../frame/header.ts";
import { Protocol } from "../wire/protocols.ts";

const FIRST_CONTROL = 0x4000;
/** A longer control packet is cut. */
export const MOST_KEPT = 2048;
/** Of compressed packets, and protocols that this program does not carry: the numbers at their beginning. */
const OTHER = 6;
/** Flags and the number of a piece. */
const PIECE = 4;
/** The changes and the checksum of a compressed header. The next octet may be a key that somebody has typed. */
const VJ_CHANGES = 3;

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const ICMP_HEADER = 8;
const UDP_HEADER = 8;
const TCP_HEADER = 20;
const Ip = { ICMP: 1, TCP: 6, UDP: 17, ICMPV6: 58 } as const;

/** The octets of packet[start, end), which begins with its PPP header, that are kept. */
export function keptOctets(packet: Uint8Array, start: number, end: number): number {
  const address = addressEnd(packet, start, end);
  const at = protocolEnd(packet, address, end);
  if (at < 0) return 0;
  const protocol = protocolAt(packet, address, at);
  let stop = at + OTHER;
  if (protocol >= FIRST_CONTROL) stop = start + MOST_KEPT;
  else if (protocol === Protocol.IP) stop = ipv4End(packet, at, end, packet[at + 9]!);
  // The place of IP's protocol has the number of a slot; the packet is TCP's.
  else if (protocol === Protocol.VJ_UNCOMP) stop = ipv4End(packet, at, end, Ip.TCP);
  else if (protocol === Protocol.VJ_COMP) stop = at + VJ_CHANGES;
  else if (protocol === Protocol.MP) stop = at + PIECE;
  else if (protocol === Protocol.IPV6)
    stop = at + IPV6_HEADER + transport(packet, at + IPV6_HEADER, end, packet[at + 6]!);
  return Math.min(stop, end) - start;
}

function ipv4End(packet: Uint8Array, at: number, end: number, protocol: number): number {
  if (at + IPV4_HEADER > end) return at + OTHER;
  const next = at + (packet[at]! & 15) * 4;
  // A later fragment has no other header.
  const isFragment = (packet[at + 6]! & 0x1f) !== 0 || packet[at + 7] !== 0;
  return isFragment ? next : next + transport(packet, next, end, protocol);
}

/** The octets of the header in IP's packet at `at`. */
function transport(packet: Uint8Array, at: number, end: number, protocol: number): number {
  if (protocol === Ip.TCP) return at + 13 <= end ? Math.max(TCP_HEADER, (packet[at + 12]! >>> 4) * 4) : 0;
  if (protocol === Ip.UDP) return UDP_HEADER;
  return protocol === Ip.ICMP || protocol === Ip.ICMPV6 ? ICMP_HEADER : 0;
}
