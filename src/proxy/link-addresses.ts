// Our addresses on the link: of IPv4, the link-local one of IPv6, and one in the link's IPv6 network, if it has one. They say what
// can be reached, and which name servers there are.

import { isLinkLocal } from "../bytes/prefix.ts";
import type { Gateway } from "../stack/gateway.ts";
import type { NameLookup } from "./name-lookup.ts";
import { type Ipv6Network, RouterDiscovery } from "./router-discovery.ts";

export type AddressKind = "ipv4" | "link-local" | "network";

export interface LinkAddressesHost {
  readonly gateway: Gateway;
  readonly names: NameLookup;
  send(packet: Uint8Array): void;
  /** We have this address from now on. */
  added(address: Uint8Array): void;
}

export class LinkAddresses {
  readonly #host: LinkAddressesHost;
  readonly #routers: RouterDiscovery;
  readonly #addresses = new Map<AddressKind, Uint8Array>();
  /** The IPv6 network leads to others. */
  #leadsOn = false;
  #servers4: readonly Uint8Array[] = [];
  #servers6: readonly Uint8Array[] = [];

  constructor(host: LinkAddressesHost) {
    this.#host = host;
    this.#routers = new RouterDiscovery({
      send: (packet) => host.send(packet),
      changed: (network) => this.#setNetwork(network),
    });
  }

  /** Undefined: the protocol is down. */
  set(family: 4 | 6, address: Uint8Array | undefined, now: number): void {
    this.#host.gateway.setAddress(family, address);
    this.#put(family === 4 ? "ipv4" : "link-local", address);
    if (family === 6 && address !== undefined) this.#routers.begin(address, now);
    else if (family === 6) this.#routers.end();
    this.#changed(address);
  }

  #setNetwork(network: Ipv6Network | undefined): void {
    this.#host.gateway.setNetworkAddress(network?.address);
    this.#put("network", network?.address);
    this.#leadsOn = network?.leadsOn === true;
    this.#servers6 = network?.nameServers ?? [];
    this.#changed(network?.address);
  }

  /** The name servers of IPv4. They are told before its address. */
  setServers(servers: readonly Uint8Array[]): void {
    this.#servers4 = servers;
  }

  #put(kind: AddressKind, address: Uint8Array | undefined): void {
    if (address === undefined) this.#addresses.delete(kind);
    else this.#addresses.set(kind, address);
  }

  #changed(added: Uint8Array | undefined): void {
    const { names } = this.#host;
    const hasIpv4 = this.#addresses.has("ipv4");
    const hasIpv6 = this.#leadsOn && this.#addresses.has("network");
    if (hasIpv4 || hasIpv6) {
      names.families = [...(hasIpv4 ? [4 as const] : []), ...(hasIpv6 ? [6 as const] : [])];
      names.setServers(hasIpv4 ? this.#servers4 : this.#servers6);
    }
    if (added !== undefined) this.#host.added(added);
  }

  get isEmpty(): boolean {
    return this.#addresses.size === 0;
  }

  /** Our address for packets to this one. Undefined: there is no way to it. */
  wayTo(peer: Uint8Array): Uint8Array | undefined {
    return this.#addresses.get(kindOf(peer));
  }

  /** Names can be asked for, and what they name can be reached. */
  get reachesNames(): boolean {
    return this.#addresses.has("ipv4") || (this.#leadsOn && this.#addresses.has("network"));
  }

  /** A packet from the link. True when it was about addresses only. */
  receive(bytes: Uint8Array, start: number, end: number, now: number): boolean {
    return this.#routers.receive(bytes, start, end, now);
  }

  nextTimeout(): number {
    return this.#routers.nextTimeout();
  }

  handleTimeout(now: number): void {
    this.#routers.handleTimeout(now);
  }
}

export function kindOf(address: Uint8Array): AddressKind {
  if (address.length === 4) return "ipv4";
  return isLinkLocal(address) ? "link-local" : "network";
}
