// Packets that came from the interface while no link could take them (`demand`). They are kept in their order, and sent once
// their network protocol is up.

import { put16, put32, u16, u32 } from "../../bytes/be.ts";
import {
  IPV4_MIN,
  IPV4_OFFSET,
  IpProto,
  ipv4Destination,
  ipv4Fragment,
  ipv4HeaderChecksum,
  ipv4HeaderLength,
  ipv4Proto,
  ipv4Source,
  ipv4Text,
  ipVersion,
} from "../../wire/ip.ts";

/** The most packets that are kept. Further ones are lost, as in a full queue. */
export const MOST_KEPT = 128;

/** Offsets, behind the IP header, of the checksum that also covers the addresses. */
const TCP_CHECKSUM = 16;
const UDP_CHECKSUM = 6;

export class KeptPackets {
  /** Protocols whose packets may go: the protocol is up, and the peer is ready for packets. */
  readonly ready = { ipv4: false, ipv6: false };
  #packets: Uint8Array[] = [];

  get length(): number {
    return this.#packets.length;
  }

  /** Copies packet[start, end) behind the others. Returns false when it is lost: it is no IP packet, or there is no room. */
  add(packet: Uint8Array, start: number, end: number): boolean {
    const version = end > start ? ipVersion(packet, start) : 0;
    if ((version !== 4 && version !== 6) || this.#packets.length >= MOST_KEPT) return false;
    this.#packets.push(packet.slice(start, end));
    return true;
  }

  /** True while packets may not go yet or have not all gone. */
  get isEmptying(): boolean {
    return (!this.ready.ipv4 && !this.ready.ipv6) || this.hasReady;
  }

  /** True when {@link take} has a packet. */
  get hasReady(): boolean {
    return this.#packets.some((packet) => this.mayGo(packet, 0));
  }

  /** Removes and returns the first packet whose protocol is ready. */
  take(): Uint8Array | undefined {
    const at = this.#packets.findIndex((packet) => this.mayGo(packet, 0));
    return at < 0 ? undefined : this.#packets.splice(at, 1)[0];
  }

  mayGo(packet: Uint8Array, start: number): boolean {
    return ipVersion(packet, start) === 4 ? this.ready.ipv4 : this.ready.ipv6;
  }

  some(test: (packet: Uint8Array) => boolean): boolean {
    return this.#packets.some(test);
  }

  /** Removes the packets that fail the test. */
  retain(test: (packet: Uint8Array) => boolean): void {
    this.#packets = this.#packets.filter(test);
  }

  /** Changes the source address `old` to `our`, for a link whose address is not the invented one. */
  changeSource(old: number, our: number): void {
    for (const packet of this.#packets) changeSource(packet, old, our);
  }

  /** What pppd tells syslog of each IPv4 packet that waited. */
  texts(): string[] {
    return this.#packets.flatMap((packet) => textOf(packet) ?? []);
  }

  clear(): void {
    this.#packets = [];
  }
}

/** Leaves a packet from another address as it is. */
function changeSource(packet: Uint8Array, old: number, our: number): void {
  if (packet.length < IPV4_MIN || ipVersion(packet, 0) !== 4 || ipv4Source(packet, 0) !== old) return;
  const header = ipv4HeaderLength(packet, 0);
  if (header < IPV4_MIN || packet.length < header) return;
  put32(packet, 12, our);
  put16(packet, 10, ipv4HeaderChecksum(packet, 0, header));
  if ((ipv4Fragment(packet, 0) & IPV4_OFFSET) !== 0) return;
  const proto = ipv4Proto(packet, 0);
  const at = header + (proto === IpProto.TCP ? TCP_CHECKSUM : UDP_CHECKSUM);
  if ((proto !== IpProto.TCP && proto !== IpProto.UDP) || packet.length < at + 2) return;
  // Checksum 0 means that the datagram has none.
  if (proto === IpProto.UDP && u16(packet, at) === 0) return;
  put16(packet, at, patched(u16(packet, at), old, our));
}

/** The checksum after a change of the address that it covers (RFC 1624 §3, equation 3). */
function patched(checksum: number, from: number, to: number): number {
  let sum = (~checksum & 0xffff) + (~(from >>> 16) & 0xffff) + (~from & 0xffff) + (to >>> 16) + (to & 0xffff);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  const found = ~sum & 0xffff;
  // In UDP, 0 would mean that there is no checksum. In TCP, 0 and ffff are equivalent.
  return found === 0 ? 0xffff : found;
}

function textOf(packet: Uint8Array): string | undefined {
  if (packet.length < IPV4_MIN || ipVersion(packet, 0) !== 4) return undefined;
  const from = ipv4Text(ipv4Source(packet, 0));
  const to = ipv4Text(ipv4Destination(packet, 0));
  const proto = ipv4Proto(packet, 0);
  const header = ipv4HeaderLength(packet, 0);
  if (proto === IpProto.ICMP) return `Open ICMP ${from} -> ${to}`;
  const [source, destination] = packet.length < header + 4 ? [0, 0] : ports(u32(packet, header));
  return `Open ${proto === IpProto.TCP ? "TCP" : "UDP"} ${from}:${source} -> ${to}:${destination}`;
}

function ports(both: number): [number, number] {
  return [both >>> 16, both & 0xffff];
}
