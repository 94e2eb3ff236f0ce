// Finds the IPv6 network of a link (RFC 4861 §6.3, RFC 4862 §5.5): asks for Router Advertisements, and makes our address from the
// prefix in them. A point-to-point link has no other host that could have the same address.

import { parseAdvertisement, routerSolicitation } from "../wire/ndp.ts";

const SOLICITATIONS = 3;
const INTERVAL_MS = 4000;
const SECOND = 1000;

export interface Ipv6Network {
  /** Our address. */
  readonly address: Uint8Array;
  /** Other networks are reached by way of the peer. */
  readonly leadsOn: boolean;
  readonly nameServers: readonly Uint8Array[];
}

export interface RouterDiscoveryHost {
  send(packet: Uint8Array): void;
  /** There is another network, or none any more. */
  changed(network: Ipv6Network | undefined): void;
}

export class RouterDiscovery {
  readonly #host: RouterDiscoveryHost;
  #linkLocal: Uint8Array | undefined;
  #sent = 0;
  #askAt = Infinity;
  /** The first 64 bits of our address, until {@link #prefixUntil}. */
  #prefix: Uint8Array | undefined;
  #prefixUntil = Infinity;
  /** The peer is a default router, until {@link #routerUntil}. */
  #leadsOn = false;
  #routerUntil = Infinity;
  #servers: readonly Uint8Array[] = [];
  #serversUntil = Infinity;

  constructor(host: RouterDiscoveryHost) {
    this.#host = host;
  }

  begin(linkLocal: Uint8Array, now: number): void {
    this.#linkLocal = linkLocal;
    this.#sent = 0;
    this.#askAt = now;
    this.handleTimeout(now);
  }

  end(): void {
    const hadNetwork = this.#prefix !== undefined;
    this.#linkLocal = undefined;
    this.#askAt = Infinity;
    this.#setPrefix(undefined);
    this.#setRouter(false);
    this.#setServers([]);
    if (hadNetwork) this.#tell();
  }

  /** A packet from the peer. True when it was an advertisement. */
  receive(packet: Uint8Array, start: number, end: number, now: number): boolean {
    const heard = this.#linkLocal && parseAdvertisement(packet, start, end);
    if (heard === undefined) return false;
    this.#askAt = Infinity;
    const hadNetwork = this.#prefix !== undefined;
    // What an advertisement leaves out stays as it was (RFC 4861 §6.3.4).
    this.#setRouter(heard.routerSeconds > 0, now + heard.routerSeconds * SECOND);
    if (heard.nameServers.length > 0)
      this.#setServers(heard.nameServerSeconds > 0 ? heard.nameServers : [], now + heard.nameServerSeconds * SECOND);
    if (heard.validSeconds > 0) this.#setPrefix(heard.prefix, now + heard.validSeconds * SECOND);
    // The two hours of RFC 4862 §5.5.3 guard against other hosts of a link, and this one has none.
    else if (String(heard.prefix) === String(this.#prefix)) this.#setPrefix(undefined);
    if (hadNetwork || this.#prefix !== undefined) this.#tell();
    return true;
  }

  #setPrefix(prefix: Uint8Array | undefined, until = Infinity): void {
    this.#prefix = prefix;
    this.#prefixUntil = prefix === undefined ? Infinity : until;
  }

  #setRouter(leadsOn: boolean, until = Infinity): void {
    this.#leadsOn = leadsOn;
    this.#routerUntil = leadsOn ? until : Infinity;
  }

  #setServers(servers: readonly Uint8Array[], until = Infinity): void {
    this.#servers = servers;
    this.#serversUntil = servers.length === 0 ? Infinity : until;
  }

  #tell(): void {
    const address =
      this.#prefix && this.#linkLocal && Uint8Array.from([...this.#prefix, ...this.#linkLocal.subarray(8)]);
    this.#host.changed(address && { address, leadsOn: this.#leadsOn, nameServers: this.#servers });
  }

  nextTimeout(): number {
    return Math.min(this.#askAt, this.#prefixUntil, this.#routerUntil, this.#serversUntil);
  }

  handleTimeout(now: number): void {
    this.#expire(now);
    if (this.#askAt > now || this.#linkLocal === undefined) return;
    this.#sent++;
    this.#askAt = this.#sent < SOLICITATIONS ? now + INTERVAL_MS : Infinity;
    this.#host.send(routerSolicitation(this.#linkLocal));
  }

  #expire(now: number): void {
    if (Math.min(this.#prefixUntil, this.#routerUntil, this.#serversUntil) > now) return;
    const hadNetwork = this.#prefix !== undefined;
    if (this.#prefixUntil <= now) this.#setPrefix(undefined);
    if (this.#routerUntil <= now) this.#setRouter(false);
    if (this.#serversUntil <= now) this.#setServers([]);
    if (hadNetwork) this.#tell();
  }
}
