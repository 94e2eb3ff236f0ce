// Relays name queries to our address of the link to the servers that this machine asks, where the kernel forwards. The peer
// reaches by it those too that answer on this machine's loopback only. It is the TCP/IP stack of user-mode networking, which
// gets the packets to port 53 of our address and no others.

import { DNS_PORT } from "../../wire/dns.ts";
import { u16, u32 } from "../../bytes/be.ts";
import { Destinations, ipv4Octets } from "../../stack/destinations.ts";
import { Stack } from "../../stack/stack.ts";
import {
  IPV4_MIN,
  IPV4_OFFSET,
  IPV6_HEADER,
  IpProto,
  ipv4Destination,
  ipv4Fragment,
  ipv4HeaderLength,
  ipv4Proto,
  ipv6NextHeader,
  ipVersion,
} from "../../wire/ip.ts";
import type { Sockets } from "../host/sockets.ts";
import { SocketAdapter } from "../packets/socket-adapter.ts";
import type { Resolvers } from "./resolvers.ts";

const MOST_FLOWS = 256;
const PORTS_SIZE = 4;
const DESTINATION6 = 24;

export class NameRelay {
  readonly stack: Stack;
  readonly #sockets: Sockets;
  /** 0: IPv4 is down. */
  #our4 = 0;
  #our6: Uint8Array | undefined;

  constructor(sockets: Sockets, resolvers: Resolvers, random: () => number) {
    this.#sockets = sockets;
    this.stack = new Stack({
      side: new SocketAdapter(sockets),
      destinations: new Destinations([], []),
      get resolvers() {
        return resolvers.now.own;
      },
      ownAddresses: () => [],
      mostFlows: MOST_FLOWS,
      random,
    });
  }

  get fd(): number {
    return this.#sockets.fd;
  }

  /** 0: IPv4 is down. */
  set our4(address: number) {
    this.#our4 = address;
    this.stack.gateway.setAddress(4, address === 0 ? undefined : ipv4Octets(address));
  }

  /** Undefined: IPv6 is down. */
  set our6(address: Uint8Array | undefined) {
    this.#our6 = address;
    this.stack.gateway.setAddress(6, address);
  }

  /** True for a name query to one of our addresses. */
  isFor(packet: Uint8Array, start: number, end: number): boolean {
    if (end - start < IPV4_MIN + PORTS_SIZE) return false;
    if (ipVersion(packet, start) === 4) {
      if (ipv4Destination(packet, start) !== this.#our4 || this.#our4 === 0) return false;
      if ((ipv4Fragment(packet, start) & IPV4_OFFSET) !== 0) return false;
      return isQuery(ipv4Proto(packet, start), packet, start + ipv4HeaderLength(packet, start), end);
    }
    const our = this.#our6;
    if (our === undefined || end - start < IPV6_HEADER + PORTS_SIZE) return false;
    for (let at = 0; at < 16; at += 4) if (u32(packet, start + DESTINATION6 + at) !== u32(our, at)) return false;
    return isQuery(ipv6NextHeader(packet, start), packet, start + IPV6_HEADER, end);
  }

  collect(now: number): void {
    this.#sockets.collect((socket, readable, writable) => this.stack.ready(socket, readable, writable, now));
  }

  close(): void {
    this.stack.close();
    this.#sockets.end();
  }
}

function isQuery(protocol: number, packet: Uint8Array, at: number, end: number): boolean {
  if (protocol !== IpProto.UDP && protocol !== IpProto.TCP) return false;
  return at + PORTS_SIZE <= end && u16(packet, at + 2) === DNS_PORT;
}
