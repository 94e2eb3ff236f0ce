// IPv4 and IPv6 headers (RFC 791 §3.1, RFC 8200 §3 and §4): read into one object that is used again for each packet, and
// written for a flow.

import { put16, put32, u16, u32 } from "../bytes/be.ts";
import {
  IPV4_DF,
  IPV4_MF,
  IPV4_MIN,
  IPV4_OFFSET,
  IPV6_HEADER,
  ipv4HeaderChecksum,
  ipv4HeaderLength,
  ipv4TotalLength,
  ipv6PayloadLength,
} from "../wire/ip.ts";
import { sumOf } from "../bytes/checksum.ts";

const FRAGMENT_HEADER = 44;
/** Hop-by-hop options, routing and destination options have the same form. */
const SKIPPED_HEADERS: ReadonlySet<number> = new Set([0, 43, 60]);
const MOST_EXTENSIONS = 8;
export const FRAGMENT_SIZE = 8;

export class IpPacket {
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  /** The end of the packet: what the line added behind it is not part of it. */
  end = 0;
  family: 4 | 6 = 4;
  protocol = 0;
  ttl = 0;
  sourceAt = 0;
  destinationAt = 0;
  /** Where the payload begins. */
  payload = 0;
  isFragment = false;
  fragmentId = 0;
  /** In octets. */
  fragmentOffset = 0;
  moreFragments = false;

  /** Reads the header of bytes[start, end). False when the packet is damaged. */
  parse(bytes: Uint8Array, start: number, end: number): boolean {
    this.bytes = bytes;
    this.start = start;
    this.isFragment = false;
    if (end - start < IPV4_MIN) return false;
    const version = bytes[start]! >>> 4;
    if (version === 4) return this.#parse4(bytes, start, end);
    return version === 6 && end - start >= IPV6_HEADER && this.#parse6(bytes, start, end);
  }

  #parse4(bytes: Uint8Array, start: number, end: number): boolean {
    const header = ipv4HeaderLength(bytes, start);
    const total = ipv4TotalLength(bytes, start);
    if (header < IPV4_MIN || total < header || total > end - start) return false;
    if (ipv4HeaderChecksum(bytes, start, header) !== u16(bytes, start + 10)) return false;
    this.family = 4;
    this.end = start + total;
    this.ttl = bytes[start + 8]!;
    this.protocol = bytes[start + 9]!;
    this.sourceAt = start + 12;
    this.destinationAt = start + 16;
    this.payload = start + header;
    const fragment = u16(bytes, start + 6);
    this.moreFragments = (fragment & IPV4_MF) !== 0;
    this.fragmentOffset = (fragment & IPV4_OFFSET) * 8;
    this.isFragment = this.moreFragments || this.fragmentOffset > 0;
    this.fragmentId = u16(bytes, start + 4);
    return true;
  }

  #parse6(bytes: Uint8Array, start: number, end: number): boolean {
    const total = IPV6_HEADER + ipv6PayloadLength(bytes, start);
    if (total > end - start) return false;
    this.family = 6;
    this.end = start + total;
    this.ttl = bytes[start + 7]!;
    this.sourceAt = start + 8;
    this.destinationAt = start + 24;
    let next = bytes[start + 6]!;
    let at = start + IPV6_HEADER;
    for (let seen = 0; SKIPPED_HEADERS.has(next) || next === FRAGMENT_HEADER; seen++) {
      if (seen === MOST_EXTENSIONS || at + FRAGMENT_SIZE > this.end) return false;
      const size = next === FRAGMENT_HEADER ? FRAGMENT_SIZE : 8 + bytes[at + 1]! * 8;
      if (at + size > this.end) return false;
      if (next === FRAGMENT_HEADER) {
        const field = u16(bytes, at + 2);
        this.moreFragments = (field & 1) !== 0;
        this.fragmentOffset = field & 0xfff8;
        this.isFragment = this.moreFragments || this.fragmentOffset > 0;
        this.fragmentId = u32(bytes, at + 4);
      }
      next = bytes[at]!;
      at += size;
      // What follows the header of a later fragment is data.
      if (this.isFragment) break;
    }
    this.protocol = next;
    this.payload = at;
    return true;
  }

  get addressSize(): number {
    return this.family === 4 ? 4 : 16;
  }

  source(): Uint8Array {
    return this.bytes.slice(this.sourceAt, this.sourceAt + this.addressSize);
  }

  destination(): Uint8Array {
    return this.bytes.slice(this.destinationAt, this.destinationAt + this.addressSize);
  }

  copy(): Uint8Array {
    return this.bytes.slice(this.start, this.end);
  }

  /**
   * The sum of the pseudo header (RFC 9293 §3.1, RFC 8200 §8.1) and `length` octets of payload: 0xffff when its checksum
   * is right.
   */
  sum(length: number): number {
    const { bytes, payload, sourceAt } = this;
    const addresses = sumOf(bytes, sourceAt, sourceAt + 2 * this.addressSize, this.protocol + length);
    return sumOf(bytes, payload, payload + length, addresses);
  }
}

const TTL = 64;

/** The two ends of a flow: where packets to the peer come from, and where they go. */
export class Ends {
  /** The address that the peer talks to. */
  readonly far: Uint8Array;
  readonly peer: Uint8Array;
  /** The sum of both addresses, for pseudo headers. */
  readonly sum: number;
  identification = 0;
  /** The time to live of packets to the peer. */
  hops = TTL;

  constructor(far: Uint8Array, peer: Uint8Array) {
    this.far = far;
    this.peer = peer;
    this.sum = sumOf(far, 0, far.length, 0) + sumOf(peer, 0, peer.length, 0);
  }

  /** The next packet has another time to live than this one. Then header compression (VJ) sends its headers whole. */
  changeHops(): void {
    this.hops = this.hops === TTL ? TTL - 1 : TTL;
  }

  get headerSize(): number {
    return this.far.length === 4 ? IPV4_MIN : IPV6_HEADER;
  }
}

/** Writes the header of a packet to the peer that may not be fragmented. Returns where its payload begins. */
export function putIp(into: Uint8Array, at: number, ends: Ends, protocol: number, size: number): number {
  const { far, peer } = ends;
  if (far.length === 16) {
    put32(into, at, 0x60000000);
    put16(into, at + 4, size);
    into[at + 6] = protocol;
    into[at + 7] = ends.hops;
    into.set(far, at + 8);
    into.set(peer, at + 24);
    return at + IPV6_HEADER;
  }
  const length = IPV4_MIN + size;
  // Consecutive numbers in one flow: VJ compresses them to nothing.
  const identification = (ends.identification = (ends.identification + 1) & 0xffff);
  put16(into, at, 0x4500);
  put16(into, at + 2, length);
  put16(into, at + 4, identification);
  put16(into, at + 6, IPV4_DF);
  into[at + 8] = ends.hops;
  into[at + 9] = protocol;
  for (let octet = 0; octet < 4; octet++) {
    into[at + 12 + octet] = far[octet]!;
    into[at + 16 + octet] = peer[octet]!;
  }
  // The sum of the header, without a pass over it.
  const sum = 0x4500 + length + identification + IPV4_DF + ends.hops * 256 + protocol + ends.sum;
  const once = (sum & 0xffff) + (sum >>> 16);
  put16(into, at + 10, ~(once + (once >>> 16)) & 0xffff);
  return at + IPV4_MIN;
}
