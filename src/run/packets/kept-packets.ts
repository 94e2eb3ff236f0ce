// Packets that came from the interface while there was no link to take them (`demand`): kept in their order, and sent once
// the network protocol they belong to is up.

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

/** So many, and no more: what comes then is lost, as in a full queue. */
export const MOST_KEPT = 128;

/** Where the checksum is that covers the addresses too, behind the IP header. */
const TCP_CHECKSUM = 16;
const UDP_CHECKSUM = 6;

export class KeptPackets {
  /** Whose packets may go now: the network protocol is up, and the peer ready for them. */
  readonly ready = { ipv4: false, ipv6: false };
  #packets: Uint8Array[] = [];

  get length(): number {
    return this.#packets.length;
  }

  /** Copies packet[start, end) behind the others. False: it is no IP packet, or there is no room, and it is lost. */
  add(packet: Uint8Array, start: number, end: number): boolean {
    const version = end > start ? ipVersion(packet, start) : 0;
    if ((version !== 4 && version !== 6) || this.#packets.length >= MOST_KEPT) return false;
    this.#packets.push(packet.slice(start, end));
    return true;
  }

  /** Packets may not go yet, or have not all gone. */
  get isEmptying(): boolean {
    return (!this.ready.ipv4 && !this.ready.ipv6) || this.hasReady;
  }

  /** Whether {@link take} has one. */
  get hasReady(): boolean {
    return this.#packets.some((packet) => this.mayGo(packet, 0));
  }

  /** The first whose protocol is ready, kept no longer. */
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

  /** Keeps those only that pass the test. */
  retain(test: (packet: Uint8Array) => boolean): void {
    this.#packets = this.#packets.filter(test);
  }

  /** Makes those from `old` come from `our`, as a link with another address than was made up needs them. */
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

/** Does nothing to what is not from `old`. */
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
  // A datagram of checksum 0 has none.
  if (proto === IpProto.UDP && u16(packet, at) === 0) return;
  put16(packet, at, patched(u16(packet, at), old, our));
}

/** The checksum after one of the words it covers has changed (RFC 1624 §3, equation 3). */
function patched(checksum: number, from: number, to: number): number {
  let sum = (~checksum & 0xffff) + (~(from >>> 16) & 0xffff) + (~from & 0xffff) + (to >>> 16) + (to & 0xffff);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  const found = ~sum & 0xffff;
  // In UDP 0 would say that there is none; to TCP the two are the same.
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
