// What a link that shares the network offers to its peer besides forwarding: a network of its own for IPv6, which Router
// Advertisements tell of, and the relay of name queries. It works in the same way whether the kernel forwards or sockets of ours
// do.

import { linkLocalAddress } from "../../wire/ipv6cp.ts";
import { ALL_NODES, neighborAnswer, parseSolicitation, routerAdvertisement } from "../../wire/ndp.ts";
import type { Clock, Random } from "../machine.ts";
import type { PacketTap } from "../packets/packet-tap.ts";
import type { PacketPort, ProtocolsUp } from "../packets/port.ts";
import type { NetworkDown, NetworkObserver, NetworkUp } from "../session/network-observer.ts";
import { Advertiser } from "./advertiser.ts";
import type { NameRelay } from "./name-relay.ts";
import { addressesIn } from "./own-prefix.ts";
import { prefixText } from "./sharing.ts";

/** Three times the longest interval between advertisements (RFC 4861 §6.2.1, RFC 8106 §5.1). */
const ROUTER_SECONDS = 1800;
const VALID_SECONDS = 86_400;
const PREFERRED_SECONDS = 14_400;
/** How often we look whether there is a way out. */
const LOOK_MS = 15_000;
const MOST_WAITING = 4;
const NETWORK_BITS = 64;
const U32 = 0x100000000;

export interface LinkServicesHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly port: PacketPort;
  /** The network of the link: an address whose last 64 bits are 0. */
  readonly network: Uint8Array;
  /** Names are served at our address of that network. */
  readonly servesNames: boolean;
  /** Undefined: the packet port relays name queries itself, or nothing does. */
  readonly relay: NameRelay | undefined;
  readonly mtu: () => number;
  /** This machine reaches other networks by IPv6. */
  readonly hasWayOut: () => boolean;
}

export class LinkServices implements PacketTap, NetworkObserver {
  readonly fd: number;
  readonly #host: LinkServicesHost;
  readonly #relay: NameRelay | undefined;
  readonly #advertiser: Advertiser;
  readonly #toPeer: Uint8Array[] = [];
  #linkLocal: Uint8Array | undefined;
  #ourAddress: Uint8Array | undefined;
  #isForwarded = false;
  #isRouter = false;
  #lookAt = Infinity;
  #isEnding = false;
  #isClosed = false;

  constructor(host: LinkServicesHost) {
    const { random, relay } = host;
    this.#host = host;
    this.#relay = relay;
    this.fd = relay?.fd ?? -1;
    const chance = (): number => random.u32() / U32;
    this.#advertiser = new Advertiser(chance, (to) => this.#advertise(to ?? ALL_NODES));
  }

  /** The network of the link: an address whose last 64 bits are 0. */
  get network(): Uint8Array {
    return this.#host.network;
  }

  /** The network as the peer knows it. Undefined: IPv6 is down. */
  get advertised(): string | undefined {
    return this.#ourAddress && prefixText({ address: this.#host.network, bits: NETWORK_BITS });
  }

  // ── the network phase ────────────────────────────────────────────────────────────────────────────────────────────

  up(event: NetworkUp): void {
    const relay = this.#relay;
    if (event.type === "ipv4-up") {
      if (relay !== undefined) relay.our4 = event.our;
      return;
    }
    const { port, network } = this.#host;
    const { our } = addressesIn(network, event.peer);
    this.#linkLocal = linkLocalAddress(event.our);
    if (!port.setNetworkAddress(our)) return;
    if (relay !== undefined) relay.our6 = our;
    this.#ourAddress = our;
    // Without an interface of the kernel nothing has to be set up first.
    if (port.device === undefined) this.shared(true);
  }

  /** IPv6 is forwarded from now on, or this machine cannot do it. */
  shared(isForwarded: boolean): void {
    this.#isForwarded = isForwarded;
    if (this.#ourAddress === undefined) return;
    const now = this.#host.clock.now();
    this.#isRouter = isForwarded && this.#host.hasWayOut();
    this.#lookAt = now + LOOK_MS;
    this.#advertiser.begin(now);
  }

  /** The way out may come and go while the link is up. */
  #look(now: number): void {
    this.#lookAt = now + LOOK_MS;
    const isRouter = this.#isForwarded && this.#host.hasWayOut();
    if (isRouter === this.#isRouter) return;
    this.#isRouter = isRouter;
    this.#advertiser.changed(now);
  }

  down({ protocol }: NetworkDown): void {
    const relay = this.#relay;
    if (protocol === "ipv4") {
      if (relay !== undefined) relay.our4 = 0;
      return;
    }
    if (relay !== undefined) relay.our6 = undefined;
    this.#lookAt = Infinity;
    this.#advertiser.end();
    this.#toPeer.length = 0;
    this.#ourAddress = undefined;
  }

  /** The link is about to be closed: the peer is told that we are no router any more. */
  closing(): void {
    if (this.#ourAddress === undefined) return;
    this.#isEnding = true;
    this.#lookAt = Infinity;
    this.#advertiser.end();
    this.#toPeer.length = 0;
    this.#advertise(ALL_NODES);
    this.#isEnding = false;
  }

  end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#relay?.close();
  }

  #advertise(to: Uint8Array): void {
    const { network, servesNames, mtu } = this.#host;
    const [from, our, isEnding] = [this.#linkLocal, this.#ourAddress, this.#isEnding];
    if (from === undefined || our === undefined) return;
    this.#say(
      routerAdvertisement(from, to, {
        routerSeconds: !isEnding && this.#isRouter ? ROUTER_SECONDS : 0,
        prefix: network,
        validSeconds: VALID_SECONDS,
        preferredSeconds: isEnding ? 0 : PREFERRED_SECONDS,
        mtu: mtu(),
        nameServers: servesNames ? [our] : [],
        nameServerSeconds: isEnding ? 0 : ROUTER_SECONDS,
      }),
    );
  }

  // ── packets ──────────────────────────────────────────────────────────────────────────────────────────────────────

  receive(packet: Uint8Array, start: number, end: number, now: number): boolean {
    const relay = this.#relay;
    if (relay?.isFor(packet, start, end) === true) {
      relay.stack.setMtu(this.#host.mtu());
      relay.stack.receive(packet, start, end, now);
      return true;
    }
    const asker = parseSolicitation(packet, start, end);
    if (asker === undefined) return this.#answerNeighbor(packet, start, end);
    this.#advertiser.asked(asker, now);
    return true;
  }

  /** A peer may ask whether our addresses are there. With an interface the kernel answers. */
  #answerNeighbor(packet: Uint8Array, start: number, end: number): boolean {
    if (this.#host.port.device !== undefined) return false;
    const our = [this.#linkLocal, this.#ourAddress].filter((address) => address !== undefined);
    const answer = neighborAnswer(packet, start, end, our);
    if (answer !== undefined) this.#say(answer);
    return answer !== undefined;
  }

  /** The line may be full while the peer asks again and again. */
  #say(packet: Uint8Array): void {
    if (this.#toPeer.length < MOST_WAITING) this.#toPeer.push(packet);
  }

  collect(now: number): void {
    this.#relay?.collect(now);
  }

  get hasPackets(): boolean {
    return this.#toPeer.length > 0 || this.#relay?.stack.hasPackets === true;
  }

  take(into: Uint8Array, at: number, { ipv6Up }: ProtocolsUp, now: number): number {
    const packet = ipv6Up ? this.#toPeer.shift() : undefined;
    if (packet === undefined) return this.#relay?.stack.take(into, at, now) ?? 0;
    into.set(packet, at);
    return packet.length;
  }

  nextTimeout(): number {
    return Math.min(this.#lookAt, this.#advertiser.nextTimeout(), this.#relay?.stack.nextTimeout() ?? Infinity);
  }

  handleTimeout(now: number): void {
    if (this.#lookAt <= now) this.#look(now);
    this.#advertiser.handleTimeout(now);
    const stack = this.#relay?.stack;
    if (stack !== undefined && stack.nextTimeout() <= now) stack.handleTimeout(now);
  }
}
