// Which flow a packet belongs to: a hash of addresses, protocol and ports (RFC 8290 §4.1). Fragments have no ports, except the
// first one, so all fragments of a datagram are told by their identification.

import { u16, u32 } from "../bytes/be.ts";
import {
  IPV4_MF,
  IPV4_MIN,
  IPV4_OFFSET,
  IPV6_HEADER,
  IpProto,
  ipv4Fragment,
  ipv4HeaderLength,
  ipv4Id,
  ipv4Proto,
  ipv4TotalLength,
  ipVersion,
  TCP_MIN,
  TcpFlag,
  tcpFlags,
  tcpHeaderLength,
} from "../wire/ip.ts";

const FRAGMENT_HEADER = 44;
const FRAGMENT_SIZE = 8;
/** Hop-by-hop options, routing and destination options have the same form. */
const SKIPPED_HEADERS: ReadonlySet<number> = new Set([0, 43, 60]);
const MOST_EXTENSIONS = 8;
const PORTS = 4;
const ICMP_ID = 4;
const IPV4_ADDRESSES = 12;
const IPV6_ADDRESSES = 8;

function mixed(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, 0x9e3779b1);
  return product ^ (product >>> 15);
}

/** A number of 32 bits for the flow of packet[start, end). Packets that cannot be read are one flow. */
export function flowHash(packet: Uint8Array, start: number, end: number, seed: number): number {
  const length = end - start;
  if (length < IPV4_MIN) return seed >>> 0;
  const version = ipVersion(packet, start);
  if (version === 4) return hash4(packet, start, end, seed);
  return version === 6 && length >= IPV6_HEADER ? hash6(packet, start, end, seed) : seed >>> 0;
}

function hash4(packet: Uint8Array, start: number, end: number, seed: number): number {
  let hash = mixed(seed, ipv4Proto(packet, start));
  for (let word = 0; word < 2; word++) hash = mixed(hash, u32(packet, start + IPV4_ADDRESSES + word * 4));
  if ((ipv4Fragment(packet, start) & (IPV4_MF | IPV4_OFFSET)) !== 0) return mixed(hash, ipv4Id(packet, start)) >>> 0;
  return withPorts(hash, ipv4Proto(packet, start), packet, start + ipv4HeaderLength(packet, start), end);
}

function hash6(packet: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed;
  for (let word = 0; word < 8; word++) hash = mixed(hash, u32(packet, start + IPV6_ADDRESSES + word * 4));
  let next = packet[start + 6]!;
  let at = start + IPV6_HEADER;
  for (let seen = 0; seen < MOST_EXTENSIONS && at + FRAGMENT_SIZE <= end; seen++) {
    if (next === FRAGMENT_HEADER) return mixed(hash, u32(packet, at + 4)) >>> 0;
    if (!SKIPPED_HEADERS.has(next)) break;
    next = packet[at]!;
    at += 8 + packet[at + 1]! * 8;
  }
  return withPorts(mixed(hash, next), next, packet, at, end);
}

/** Adds the ports of TCP and UDP, and the identifier of an echo, of the payload at packet[at, end). */
function withPorts(hash: number, protocol: number, packet: Uint8Array, at: number, end: number): number {
  if (protocol === IpProto.TCP || protocol === IpProto.UDP)
    return (at + PORTS <= end ? mixed(hash, u32(packet, at)) : hash) >>> 0;
  if (protocol === IpProto.ICMP || protocol === IpProto.ICMPV6)
    return (at + ICMP_ID + 2 <= end ? mixed(hash, u16(packet, at + ICMP_ID)) : hash) >>> 0;
  return hash >>> 0;
}

/** A TCP segment without data that begins and ends nothing: nobody looks at a screen for it. */
export function isBareAck(packet: Uint8Array, start: number, end: number): boolean {
  if (end - start < IPV4_MIN + TCP_MIN) return false;
  const version = ipVersion(packet, start);
  let at = start + IPV6_HEADER;
  let stop = end;
  if (version === 4) {
    if (ipv4Proto(packet, start) !== IpProto.TCP || (ipv4Fragment(packet, start) & IPV4_OFFSET) !== 0) return false;
    at = start + ipv4HeaderLength(packet, start);
    stop = Math.min(end, start + ipv4TotalLength(packet, start));
  } else if (version !== 6 || packet[start + 6] !== IpProto.TCP) return false;
  if (at + TCP_MIN > end) return false;
  const flags = tcpFlags(packet, at) & (TcpFlag.SYN | TcpFlag.FIN | TcpFlag.RST | TcpFlag.ACK);
  return flags === TcpFlag.ACK && at + tcpHeaderLength(packet, at) >= stop;
}
