// Our own addresses, and where packets to an address lead. To the peer we are a router, which reports failures by ICMP.

import { DNS_PORT } from "../wire/dns.ts";
import { isLinkLocal } from "../bytes/prefix.ts";
import type { Destinations } from "./destinations.ts";
import type { FlowCount } from "./flow-count.ts";
import { icmpError } from "./icmp.ts";
import { Ends } from "./ip-packet.ts";
import type { ReplyQueue } from "./reply-queue.ts";
import { Failure } from "./socket-side.ts";

/** Where a flow leads. */
export interface Target {
  readonly address: Uint8Array;
  readonly port: number;
}

export interface GatewaySettings {
  readonly destinations: Destinations;
  /** Where name queries to our own address go. */
  readonly resolvers: readonly Uint8Array[];
  /** The host's own addresses. Its services answer at the first. Empty: they are not offered. */
  readonly ownAddresses: (family: 4 | 6) => readonly Uint8Array[];
}

export class Gateway {
  mtu = 1500;
  /** The destination that a rule refused last. */
  lastDenied: Uint8Array | undefined;
  readonly #settings: GatewaySettings;
  readonly #replies: ReplyQueue;
  readonly #our = new Map<number, Uint8Array>();
  /** Our address in the network that the peer is told of by Router Advertisements. */
  #network6: Uint8Array | undefined;
  /** Services of this program, by the port of our address that leads to them. */
  readonly #services = { tcp: new Map<number, Target>(), udp: new Map<number, Target>() };
  /** Which resolver is asked. */
  #resolver = 0;

  constructor(settings: GatewaySettings, replies: ReplyQueue) {
    this.#settings = settings;
    this.#replies = replies;
  }

  /** Undefined: the protocol is down. */
  setAddress(family: 4 | 6, address: Uint8Array | undefined): void {
    const size = family === 4 ? 4 : 16;
    if (address === undefined) this.#our.delete(size);
    else this.#our.set(size, address);
  }

  /** Our second IPv6 address, beside the link-local one. Undefined: there is none. */
  setNetworkAddress(address: Uint8Array | undefined): void {
    this.#network6 = address;
  }

  /** A port of our address leads to this place, whatever the rules say. Undefined: as it would without. */
  setService(protocol: "tcp" | "udp", port: number, at: Target | undefined): void {
    if (at === undefined) this.#services[protocol].delete(port);
    else this.#services[protocol].set(port, at);
  }

  /** Where a service of this program is that the peer connects to. */
  serviceAt(protocol: "tcp" | "udp", far: Uint8Array, port: number): Target | undefined {
    return this.isOurs(far) ? this.#services[protocol].get(port) : undefined;
  }

  isOurs(address: Uint8Array): boolean {
    return isSame(this.#our.get(address.length), address) || isSame(this.#network6, address);
  }

  /** Where a packet to this address and port goes. Undefined: nowhere. A refusal by a rule is counted. */
  targetOf(far: Uint8Array, port: number, count: FlowCount): Target | undefined {
    const { destinations, resolvers, ownAddresses } = this.#settings;
    const isOurs = this.isOurs(far);
    const resolver = isOurs && port === DNS_PORT ? resolvers[this.#resolver % resolvers.length] : undefined;
    if (resolver !== undefined) return { address: resolver, port };
    const own = isOurs ? ownAddresses(far.length === 4 ? 4 : 6) : [];
    const address = isOurs ? own[0] : far;
    if (address === undefined) return undefined;
    if (isOurs ? destinations.allowsOwn(far, own) : destinations.allows(far)) return { address, port };
    count.denied++;
    this.lastDenied = far;
    return undefined;
  }

  /** A query was not answered: the next one goes to another resolver. */
  resolverFailed(far: Uint8Array): void {
    if (this.isOurs(far)) this.#resolver++;
  }

  /** Tells the peer why its packet did not arrive. `reporter` is the router that said so, if it is known. */
  report(failure: Failure, ends: Ends, about: Uint8Array, reporter?: Uint8Array): void {
    // An address that refuses says so itself. All else is said by the router.
    const our = failure === Failure.REFUSED ? undefined : this.#routerFor(ends.peer);
    const from = reporter?.length === ends.far.length ? reporter : (our ?? ends.far);
    const packet = icmpError(failure, new Ends(from, ends.peer), about, this.mtu);
    if (packet !== undefined) this.#replies.add(packet, 0, packet.length);
  }

  /** Our address for a peer with this one. */
  #routerFor(peer: Uint8Array): Uint8Array | undefined {
    const first = this.#our.get(peer.length);
    return peer.length === 4 || isLinkLocal(peer) ? first : (this.#network6 ?? first);
  }
}

function isSame(one: Uint8Array | undefined, other: Uint8Array): boolean {
  return one?.length === other.length && one.every((octet, at) => other[at] === octet);
}
