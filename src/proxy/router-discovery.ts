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
  #endsAt = Infinity;

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
    this.#linkLocal = undefined;
    this.#askAt = Infinity;
    this.#lose();
  }

  /** A packet from the peer. True when it was an advertisement. */
  receive(packet: Uint8Array, start: number, end: number, now: number): boolean {
    const heard = this.#linkLocal && parseAdvertisement(packet, start, end);
    if (heard === undefined || this.#linkLocal === undefined) return false;
    this.#askAt = Infinity;
    if (heard.prefix === undefined) {
      this.#lose();
      return true;
    }
    const address = Uint8Array.from([...heard.prefix, ...this.#linkLocal.subarray(8)]);
    const { nameServers, nameServerSeconds, routerSeconds } = heard;
    this.#endsAt = now + heard.validSeconds * SECOND;
    this.#host.changed({
      address,
      leadsOn: routerSeconds > 0,
      nameServers: nameServerSeconds > 0 ? nameServers : [],
    });
    return true;
  }

  #lose(): void {
    if (this.#endsAt === Infinity) return;
    this.#endsAt = Infinity;
    this.#host.changed(undefined);
  }

  nextTimeout(): number {
    return Math.min(this.#askAt, this.#endsAt);
  }

  handleTimeout(now: number): void {
    if (this.#endsAt <= now) this.#lose();
    if (this.#askAt > now || this.#linkLocal === undefined) return;
    this.#sent++;
    this.#askAt = this.#sent < SOLICITATIONS ? now + INTERVAL_MS : Infinity;
    this.#host.send(routerSolicitation(this.#linkLocal));
  }
}
