// Explicit congestion notification (RFC 3168): a packet whose sender understands the mark is marked and not dropped.

import { put16 } from "../bytes/be.ts";
import { IPV4_MIN, IPV6_HEADER, ipv4HeaderChecksum, ipv4HeaderLength, ipv4Tos, ipVersion } from "../wire/ip.ts";

const CE = 3;
const IPV4_CHECKSUM = 10;
/** The two bits of the traffic class in the second octet of an IPv6 header. */
const IPV6_SHIFT = 4;

/** Marks packet[start, end) with CE. False: its sender does not understand the mark, and the packet is as it was. */
export function markCe(packet: Uint8Array, start: number, end: number): boolean {
  if (end - start < IPV4_MIN) return false;
  const version = ipVersion(packet, start);
  if (version === 6 && end - start >= IPV6_HEADER) {
    if (((packet[start + 1]! >>> IPV6_SHIFT) & CE) === 0) return false;
    packet[start + 1]! |= CE << IPV6_SHIFT;
    return true;
  }
  const header = ipv4HeaderLength(packet, start);
  if (version !== 4 || header < IPV4_MIN || header > end - start || (ipv4Tos(packet, start) & CE) === 0) return false;
  packet[start + 1]! |= CE;
  put16(packet, start + IPV4_CHECKSUM, ipv4HeaderChecksum(packet, start, header));
  return true;
}
