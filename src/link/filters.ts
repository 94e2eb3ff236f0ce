// pass-filter and active-filter: which packets pass the interface, which ones keep the link from being idle, and which
// ones bring a link up on demand. The rules are those of pppd 2.4.9 and its kernel driver.

import type { BpfProgram } from "../filter/bpf.ts";
import {
  IPV4_MIN,
  IPV4_OFFSET,
  IPV6_HEADER,
  IpProto,
  ipv4Fragment,
  ipv4HeaderLength,
  ipv4Proto,
  ipv6NextHeader,
  ipVersion,
  TCP_MIN,
  tcpFlags,
  TcpFlag,
  tcpHeaderLength,
} from "../wire/ip.ts";
import { Protocol } from "../wire/protocols.ts";

/** The direction of a packet in the header of a filter program. The lower half of the header is the protocol. */
export const INBOUND = 0x00000000;
export const OUTBOUND = 0x01000000;
/** The next header of a fragment (RFC 8200 §4.5). */
const FRAGMENT = 44;

export class Filters {
  readonly #pass: BpfProgram | undefined;
  readonly #active: BpfProgram | undefined;

  /** Undefined filters let every packet pass and count. */
  constructor(pass: BpfProgram | undefined, active: BpfProgram | undefined) {
    this.#pass = pass;
    this.#active = active;
  }

  /** True when packet[start, end) may pass. `header` is the direction and the protocol. */
  passes(header: number, packet: Uint8Array, start: number, end: number): boolean {
    return this.#pass === undefined || this.#pass.run(header, packet, start, end) !== 0;
  }

  /** True when a packet that passed keeps the link from being idle. */
  counts(header: number, packet: Uint8Array, start: number, end: number): boolean {
    return this.#active === undefined || this.#active.run(header, packet, start, end) !== 0;
  }
}

/**
 * True when the IP packet[start, end) from the interface should bring the link up (`demand`). Packets that a filter
 * stops do not, nor do later fragments, nor a FIN without data: it ends a connection that the last link carried.
 */
export function isActive(filters: Filters | undefined, packet: Uint8Array, start: number, end: number): boolean {
  const version = end > start ? ipVersion(packet, start) : 0;
  if (version !== 4 && version !== 6) return false;
  const header = OUTBOUND | (version === 4 ? Protocol.IP : Protocol.IPV6);
  if (filters !== undefined) {
    if (!filters.passes(header, packet, start, end) || !filters.counts(header, packet, start, end)) return false;
  }
  return version === 4 ? isActive4(packet, start, end) : isActive6(packet, start, end);
}

function isActive4(packet: Uint8Array, start: number, end: number): boolean {
  if (end - start < IPV4_MIN || (ipv4Fragment(packet, start) & IPV4_OFFSET) !== 0) return false;
  return ipv4Proto(packet, start) !== IpProto.TCP || saysMore(packet, start + ipv4HeaderLength(packet, start), end);
}

function isActive6(packet: Uint8Array, start: number, end: number): boolean {
  if (end - start < IPV6_HEADER) return false;
  const next = ipv6NextHeader(packet, start);
  if (next === FRAGMENT) return false;
  return next !== IpProto.TCP || saysMore(packet, start + IPV6_HEADER, end);
}

/** False for a TCP segment that is a bare FIN or is not whole. */
function saysMore(packet: Uint8Array, at: number, end: number): boolean {
  if (end - at < TCP_MIN) return false;
  return (tcpFlags(packet, at) & TcpFlag.FIN) === 0 || end !== at + tcpHeaderLength(packet, at);
}
