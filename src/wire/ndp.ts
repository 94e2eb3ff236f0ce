// Neighbor Discovery for IPv6 on a point-to-point link: solicitations, advertisements and their options (RFC 4861 §4), with name
// servers (RFC 8106 §5.1). Whole packets, because the hop limit and the checksum prove that a message comes from the link itself.

import { isLinkLocal } from "../bytes/prefix.ts";
import { put16, put32, u16, u32 } from "../bytes/be.ts";
import { checksumOf, sumOf } from "../bytes/checksum.ts";
import { IPV6_HEADER, IpProto, ipv6NextHeader, ipv6PayloadLength, ipVersion } from "./ip.ts";

const ROUTER_SOLICITATION = 133;
const ROUTER_ADVERTISEMENT = 134;
const NEIGHBOR_SOLICITATION = 135;
const NEIGHBOR_ADVERTISEMENT = 136;
const SOLICITATION_SIZE = 8;
const NEIGHBOR_SIZE = 24;
const ADVERTISEMENT_SIZE = 16;
/** A router does not forward what has this value, so a packet that still has it comes from the link. */
const HOP_LIMIT = 255;
const UNIT = 8;

const NdpOption = { SourceLinkLayer: 1, PrefixInformation: 3, Mtu: 5, NameServers: 25 } as const;
const PREFIX_OPTION_SIZE = 32;
const MTU_OPTION_SIZE = 8;
/** On-link (L), and for addresses that hosts make themselves (A). */
const ON_LINK = 0x80;
const AUTONOMOUS = 0x40;
const PREFIX_BITS = 64;
/** Others are to be preferred as the default router. Who is none says nothing here (RFC 4191 §2.2). */
const LOW_PREFERENCE = 0x18;
const CURRENT_HOP_LIMIT = 64;
/** Of a Neighbor Advertisement: from a router (R), and an answer to a solicitation (S). */
const FROM_ROUTER = 0x80;
const SOLICITED = 0x40;

export const ALL_NODES = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);

const ALL_ROUTERS = ALL_NODES.with(15, 2);

/** Times in seconds. */
export interface RouterAdvertisement {
  /** How long we are a default router. 0: we are none. */
  readonly routerSeconds: number;
  /** The first 64 bits count. */
  readonly prefix: Uint8Array;
  readonly validSeconds: number;
  readonly preferredSeconds: number;
  readonly mtu: number;
  readonly nameServers: readonly Uint8Array[];
  readonly nameServerSeconds: number;
}

/** The packet with an advertisement from our link-local address. */
export function routerAdvertisement(from: Uint8Array, to: Uint8Array, advertised: RouterAdvertisement): Uint8Array {
  const { routerSeconds, nameServers } = advertised;
  const serversSize = nameServers.length === 0 ? 0 : UNIT + 16 * nameServers.length;
  const size = ADVERTISEMENT_SIZE + PREFIX_OPTION_SIZE + MTU_OPTION_SIZE + serversSize;
  const packet = new Uint8Array(IPV6_HEADER + size);
  const at = putHeader(packet, from, to);
  packet[at] = ROUTER_ADVERTISEMENT;
  packet[at + 4] = CURRENT_HOP_LIMIT;
  packet[at + 5] = routerSeconds > 0 ? LOW_PREFERENCE : 0;
  put16(packet, at + 6, routerSeconds);
  const serversAt = putMtu(packet, putPrefix(packet, at + ADVERTISEMENT_SIZE, advertised), advertised.mtu);
  if (serversSize > 0) putNameServers(packet, serversAt, advertised);
  put16(packet, at + 2, checksumOf(icmpSum(packet, 0, packet.length)));
  return packet;
}

function putPrefix(packet: Uint8Array, at: number, advertised: RouterAdvertisement): number {
  packet[at] = NdpOption.PrefixInformation;
  packet[at + 1] = PREFIX_OPTION_SIZE / UNIT;
  packet[at + 2] = PREFIX_BITS;
  packet[at + 3] = ON_LINK | AUTONOMOUS;
  put32(packet, at + 4, advertised.validSeconds);
  put32(packet, at + 8, advertised.preferredSeconds);
  packet.set(advertised.prefix.subarray(0, PREFIX_BITS / 8), at + 16);
  return at + PREFIX_OPTION_SIZE;
}

function putMtu(packet: Uint8Array, at: number, mtu: number): number {
  packet[at] = NdpOption.Mtu;
  packet[at + 1] = MTU_OPTION_SIZE / UNIT;
  put32(packet, at + 4, mtu);
  return at + MTU_OPTION_SIZE;
}

function putNameServers(packet: Uint8Array, at: number, advertised: RouterAdvertisement): void {
  const { nameServers, nameServerSeconds } = advertised;
  packet[at] = NdpOption.NameServers;
  packet[at + 1] = 1 + 2 * nameServers.length;
  put32(packet, at + 4, nameServerSeconds);
  for (const [nth, server] of nameServers.entries()) packet.set(server, at + UNIT + 16 * nth);
}

/** The packet by which a host with this link-local address asks the routers of the link. */
export function routerSolicitation(from: Uint8Array): Uint8Array {
  const packet = new Uint8Array(IPV6_HEADER + SOLICITATION_SIZE);
  const at = putHeader(packet, from, ALL_ROUTERS);
  packet[at] = ROUTER_SOLICITATION;
  put16(packet, at + 2, checksumOf(icmpSum(packet, 0, packet.length)));
  return packet;
}

/** Writes the IPv6 header of the message that fills the rest of the packet. Returns where that begins. */
function putHeader(packet: Uint8Array, from: Uint8Array, to: Uint8Array): number {
  put32(packet, 0, 0x60000000);
  put16(packet, 4, packet.length - IPV6_HEADER);
  packet[6] = IpProto.ICMPV6;
  packet[7] = HOP_LIMIT;
  packet.set(from, 8);
  packet.set(to, 24);
  return IPV6_HEADER;
}

/** What an advertisement says to a host that makes its address itself. */
export type HeardAdvertisement = Pick<
  RouterAdvertisement,
  "routerSeconds" | "validSeconds" | "nameServers" | "nameServerSeconds"
> & {
  /**
   * The first prefix of 64 bits for addresses that hosts make themselves, or else one that is valid no longer. Undefined: there
   * is none.
   */
  readonly prefix: Uint8Array | undefined;
};

/** Reads the router advertisement in packet[start, end). Undefined: it is none, or not a valid one (RFC 4861 §6.1.2). */
export function parseAdvertisement(packet: Uint8Array, start: number, end: number): HeardAdvertisement | undefined {
  const message = messageIn(packet, start, end, ROUTER_ADVERTISEMENT, ADVERTISEMENT_SIZE);
  if (message === undefined || !isLinkLocal(packet, start + 8)) return undefined;
  const { at, stop } = message;
  if (!hasValidOptions(packet, at + ADVERTISEMENT_SIZE, stop, false)) return undefined;
  const found = { prefix: undefined, validSeconds: 0, nameServers: [], nameServerSeconds: 0 };
  let heard: HeardAdvertisement = { routerSeconds: u16(packet, at + 6), ...found };
  for (let option = at + ADVERTISEMENT_SIZE; option < stop; option += packet[option + 1]! * UNIT)
    heard = { ...heard, ...readOption(packet, option, heard) };
  return heard;
}

function readOption(packet: Uint8Array, at: number, heard: HeardAdvertisement): Partial<HeardAdvertisement> {
  const size = packet[at + 1]! * UNIT;
  if (packet[at] === NdpOption.NameServers && size >= UNIT + 16) {
    const count = Math.floor((size - UNIT) / 16);
    const nameServers = Array.from({ length: count }, (_, nth) =>
      packet.slice(at + UNIT + 16 * nth, at + UNIT + 16 * (nth + 1)),
    );
    return { nameServers: [...heard.nameServers, ...nameServers], nameServerSeconds: u32(packet, at + 4) };
  }
  const isPrefix = packet[at] === NdpOption.PrefixInformation && size === PREFIX_OPTION_SIZE;
  const isForHosts = isPrefix && packet[at + 2] === PREFIX_BITS && (packet[at + 3]! & AUTONOMOUS) !== 0;
  // A link-local prefix is none for such addresses (RFC 4862 §5.5.3).
  if (!isForHosts || isLinkLocal(packet, at + 16) || heard.validSeconds > 0) return {};
  return { prefix: packet.slice(at + 16, at + 16 + PREFIX_BITS / 8), validSeconds: u32(packet, at + 4) };
}

/** The source of the router solicitation in packet[start, end). Undefined: it is none, or not a valid one (RFC 4861 §6.1.1). */
export function parseSolicitation(packet: Uint8Array, start: number, end: number): Uint8Array | undefined {
  const message = messageIn(packet, start, end, ROUTER_SOLICITATION, SOLICITATION_SIZE);
  if (message === undefined) return undefined;
  const { at, stop } = message;
  const source = packet.slice(start + 8, start + 24);
  return hasValidOptions(packet, at + SOLICITATION_SIZE, stop, isUnspecified(source)) ? source : undefined;
}

/**
 * The answer to the Neighbor Solicitation in packet[start, end), if one of our addresses is asked for. Undefined: it is none, or
 * not a valid one (RFC 4861 §7.1.1), or asks for another address.
 */
export function neighborAnswer(
  packet: Uint8Array,
  start: number,
  end: number,
  our: readonly Uint8Array[],
): Uint8Array | undefined {
  const message = messageIn(packet, start, end, NEIGHBOR_SOLICITATION, NEIGHBOR_SIZE);
  if (message === undefined) return undefined;
  const { at, stop } = message;
  const asker = packet.slice(start + 8, start + 24);
  if (!hasValidOptions(packet, at + NEIGHBOR_SIZE, stop, isUnspecified(asker))) return undefined;
  const target = our.find((address) => address.every((octet, nth) => octet === packet[at + 8 + nth]));
  return target && neighborAdvertisement(target, asker);
}

/** A host that has no address yet is answered with one to all (RFC 4861 §7.2.4). */
function neighborAdvertisement(target: Uint8Array, asker: Uint8Array): Uint8Array {
  const packet = new Uint8Array(IPV6_HEADER + NEIGHBOR_SIZE);
  const isToAll = isUnspecified(asker);
  const at = putHeader(packet, target, isToAll ? ALL_NODES : asker);
  packet[at] = NEIGHBOR_ADVERTISEMENT;
  packet[at + 4] = isToAll ? FROM_ROUTER : FROM_ROUTER | SOLICITED;
  packet.set(target, at + 8);
  put16(packet, at + 2, checksumOf(icmpSum(packet, 0, packet.length)));
  return packet;
}

function isUnspecified(address: Uint8Array): boolean {
  return address.every((octet) => octet === 0);
}

/** Where the message of this type and at least this size lies. Undefined: there is none, or it does not come from the link. */
function messageIn(
  packet: Uint8Array,
  start: number,
  end: number,
  type: number,
  size: number,
): { readonly at: number; readonly stop: number } | undefined {
  if (ipVersion(packet, start) !== 6 || end - start < IPV6_HEADER + size) return undefined;
  if (ipv6NextHeader(packet, start) !== IpProto.ICMPV6 || packet[start + 7] !== HOP_LIMIT) return undefined;
  const at = start + IPV6_HEADER;
  const stop = at + ipv6PayloadLength(packet, start);
  if (packet[at] !== type || packet[at + 1] !== 0 || stop > end) return undefined;
  return stop - at < size || checksumOf(icmpSum(packet, start, stop)) !== 0 ? undefined : { at, stop };
}

/** A host without an address may not say its link-layer address. */
function hasValidOptions(packet: Uint8Array, start: number, end: number, hasNoAddress: boolean): boolean {
  for (let at = start; at < end;) {
    const size = at + 1 < end ? packet[at + 1]! * UNIT : 0;
    if (size === 0 || at + size > end) return false;
    if (hasNoAddress && packet[at] === NdpOption.SourceLinkLayer) return false;
    at += size;
  }
  return true;
}

/** The sum over an ICMPv6 packet and its pseudo header (RFC 8200 §8.1). */
function icmpSum(packet: Uint8Array, start: number, end: number): number {
  const at = start + IPV6_HEADER;
  return sumOf(packet, at, end, sumOf(packet, start + 8, at, IpProto.ICMPV6 + end - at));
}
