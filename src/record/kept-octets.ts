// How much of a packet is always kept: control packets whole, of IP packets the headers, and of other data a few octets. So
// what programs send to each other is not kept, and neither is what a refusal of LCP quotes of it.

import { u16 } from "../bytes/be.ts";
import { addressEnd, protocolAt, protocolEnd } from "../frame/header.ts";
import { Code, HEADER_LENGTH } from "../wire/control.ts";
import { Protocol } from "../wire/protocols.ts";

const FIRST_CONTROL = 0x4000;
/** NCPs, LCP and authentication. */
const FIRST_NEGOTIATING = 0x8000;
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
  const stop = protocol === Protocol.LCP ? quotedEnd(packet, at, end) : keptEnd(packet, protocol, at, end);
  return Math.min(stop, end, start + MOST_KEPT) - start;
}

/** The same of a packet of LCP that begins at `at`. Returns where what is kept ends. */
function quotedEnd(packet: Uint8Array, start: number, end: number): number {
  for (let at = start; at + HEADER_LENGTH < end;) {
    const data = at + HEADER_LENGTH;
    if (packet[at] === Code.CodeRej) at = data;
    else if (packet[at] !== Code.ProtRej || data + 2 > end) return end;
    else if (u16(packet, data) === Protocol.LCP) at = data + 2;
    else {
      const quoted = u16(packet, data);
      return hasHeaders(quoted) ? keptEnd(packet, quoted, data + 2, end) : data + 2;
    }
  }
  return end;
}

/** Of other data, nothing that is quoted is kept. A peer that leaves out the protocol quotes an IP header there, from 0x4500 on. */
function hasHeaders(protocol: number): boolean {
  return (
    protocol >= FIRST_NEGOTIATING ||
    protocol === Protocol.IP ||
    protocol === Protocol.IPV6 ||
    protocol === Protocol.VJ_COMP ||
    protocol === Protocol.VJ_UNCOMP
  );
}

/** packet[at, end) is one of `protocol`, without the protocol field. */
function keptEnd(packet: Uint8Array, protocol: number, at: number, end: number): number {
  let stop = at + OTHER;
  if (protocol >= FIRST_CONTROL) stop = end;
  else if (protocol === Protocol.IP) stop = ipv4End(packet, at, end, packet[at + 9]!);
  // The place of IP's protocol has the number of a slot; the packet is TCP's.
  else if (protocol === Protocol.VJ_UNCOMP) stop = ipv4End(packet, at, end, Ip.TCP);
  else if (protocol === Protocol.VJ_COMP) stop = at + VJ_CHANGES;
  else if (protocol === Protocol.MP) stop = at + PIECE;
  else if (protocol === Protocol.IPV6)
    stop = at + IPV6_HEADER + transport(packet, at + IPV6_HEADER, end, packet[at + 6]!);
  return stop;
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
