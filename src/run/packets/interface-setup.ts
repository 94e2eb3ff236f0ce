// Sets up the interface of a link in the kernel: addresses, routes, proxy ARP. IPv4 and IPv6 go up and down independently.
// The interface goes up with the first of them and down with the last. down() undoes all that up() did.

import { linkLocalAddress } from "../../wire/ipv6cp.ts";
import { put32 } from "../../bytes/be.ts";
import { ipv4Text } from "../../wire/ip.ts";
import type { InterfaceId } from "../../wire/ipv6cp.ts";
import type { Share } from "../host/processes.ts";
import type { LogLevel } from "../log.ts";
import type { DefaultRoute, Interfaces, NetDevice, Routes } from "../host/interfaces.ts";
import { hasCode, type Machine, reasonOf } from "../machine.ts";
import { proxyRecord, routesRecord } from "./left-over.ts";
import { switchOn } from "./switched-parameter.ts";
import { RUN_DIRECTORY } from "../live/published-status.ts";

/**
 * How many packets may wait in the kernel for a link. Nothing stays there: on a line of known speed packets are read as they come,
 * and a line of unknown speed is fast. This is room for a burst.
 */
export const QUEUE_LENGTH = 500;
/** RFC 8200 §5. The kernel removes IPv6 from an interface with a smaller MTU. */
const LEAST_IPV6_MTU = 1280;
const NETWORK_BITS = 64;
const FORWARDING = "net/ipv4/ip_forward";

export interface InterfaceWishes {
  readonly defaultroute: boolean;
  readonly replacedefaultroute: boolean;
  readonly defaultrouteMetric: number;
  readonly proxyarp: boolean;
  readonly ktune: boolean;
  readonly defaultroute6: boolean;
  readonly defaultroute6Metric: number;
  /** The VRF the interface has joined. */
  readonly vrf?: string | undefined;
}

/** What undoes each step. The last step is undone first. */
type Undo = (() => void)[];

type SetupMachine = Pick<Machine, "files" | "network" | "processes">;

export class InterfaceSetup {
  readonly #machine: SetupMachine;
  readonly #interfaces: Interfaces;
  readonly #routes: Routes;
  readonly #device: NetDevice;
  readonly #wishesNow: () => InterfaceWishes;
  readonly #log: (level: LogLevel, text: string) => void;
  readonly #undo4: Undo = [];
  readonly #undo6: Undo = [];
  readonly #undoStanding: Undo = [];
  #hasNetwork6 = false;
  /** How many protocols need the interface to be up. */
  #users = 0;
  /** The length of the queue that we set; -1: another program has changed it. */
  #queue = 0;

  constructor(
    machine: SetupMachine,
    device: NetDevice,
    wishes: () => InterfaceWishes,
    log: (level: LogLevel, text: string) => void,
  ) {
    this.#machine = machine;
    this.#interfaces = machine.network.interfaces;
    this.#routes = machine.network.routes;
    this.#device = device;
    this.#wishesNow = wishes;
    this.#log = log;
  }

  get #wishes(): InterfaceWishes {
    return this.#wishesNow();
  }

  /** Sets the interface up without any protocol, and keeps it so until down(). Throws HostError. */
  stand(mtu: number, queue: number): void {
    this.#raise(this.#undoStanding, mtu, queue);
  }

  /** Gives the interface its IPv4 addresses. Does not set it up or down. Throws HostError. */
  setAddresses(our: number, peer: number): void {
    this.#interfaces.addAddress(this.#device, our, peer === 0 ? our : peer);
    this.#undo4.push(() => this.#interfaces.removeAddress(this.#device, our, peer === 0 ? our : peer));
  }

  /** Replaces its IPv4 addresses. Routes of other programs through the interface stay. Our own routes are gone until up(). */
  changeAddresses(our: number, peer: number): void {
    const [old, ...routes] = this.#undo4.splice(0);
    this.#takeBack(routes);
    this.setAddresses(our, peer);
    if (old !== undefined) this.#takeBack([old]);
  }

  /**
   * Sets the interface up for IPv4 and adds the routes through it. Throws HostError when it does not go up. A route that
   * cannot be added is only logged.
   */
  up(peer: number, mtu: number, queue: number): void {
    this.#raise(this.#undo4, mtu, queue);
    const { defaultroute, proxyarp } = this.#wishes;
    if (defaultroute) this.#attempt("default route", () => this.#addDefaultRoute());
    if (proxyarp && peer !== 0) this.#attempt("proxy ARP entry", () => this.#addProxy(peer));
  }

  /**
   * Sets the interface up for IPv6: the link-local addresses (0: the peer has none) and the default route. When that fails,
   * logs why, undoes it, and returns the reason to close IPv6CP with.
   */
  up6(our: InterfaceId, peer: InterfaceId, mtu: number, queue: number): string | undefined {
    if (mtu < LEAST_IPV6_MTU) {
      this.#log("warn", `IPv6 needs an MTU of ${LEAST_IPV6_MTU} on ${this.#device.name}, and this link has ${mtu}`);
      return "Interface configuration failed";
    }
    try {
      this.#raise(this.#undo6, mtu, queue);
      this.#addLinkLocal(our, peer);
    } catch (error) {
      this.down6();
      this.#log("error", `Interface configuration failed for IPv6: ${reasonOf(error)}`);
      return "Interface configuration failed";
    }
    if (this.#wishes.defaultroute6) this.#attempt("default IPv6 route", () => this.#addDefaultRoute6());
    return undefined;
  }

  /**
   * Gives the interface an address of a network of 64 bits, until down6(). With demand it has the address from the link before.
   * False: that failed.
   */
  addNetwork6(address: Uint8Array): boolean {
    if (this.#hasNetwork6) return true;
    this.#attempt("IPv6 network", () => {
      this.#interfaces.addAddress6(this.#device, address, address, NETWORK_BITS);
      this.#hasNetwork6 = true;
      this.#undo6.push(() => {
        this.#hasNetwork6 = false;
        this.#interfaces.removeAddress6(this.#device, address, address, NETWORK_BITS);
      });
    });
    return this.#hasNetwork6;
  }

  /** Sets the length of the queue, unless another program has changed it. */
  setQueue(wanted: number): void {
    if (this.#queue < 0 || this.#queue === wanted) return;
    this.#attempt("queue length", () => {
      const isOurs = this.#interfaces.queueLengthOf(this.#device) === this.#queue;
      this.#queue = isOurs ? wanted : -1;
      if (isOurs) this.#interfaces.set(this.#device, { txQueueLength: wanted });
    });
  }

  setMtu(mtu: number): void {
    this.#attempt("MTU", () => this.#interfaces.set(this.#device, { mtu }));
  }

  down4(): void {
    this.#takeBack(this.#undo4);
  }

  down6(): void {
    this.#takeBack(this.#undo6);
  }

  /** Undoes everything. */
  down(): void {
    this.down4();
    this.down6();
    this.#takeBack(this.#undoStanding);
  }

  #takeBack(undo: Undo): void {
    for (let step; (step = undo.pop()) !== undefined;) this.#attempt("what was set up", step);
  }

  /** Sets the interface up. This is done for the second protocol too: a script may have set it down to rename it. */
  #raise(undo: Undo, mtu: number, queue: number): void {
    this.#interfaces.set(this.#device, { mtu });
    if (this.#users === 0) {
      this.#interfaces.set(this.#device, { txQueueLength: queue });
      this.#queue = queue;
      // This is done here because the kernel forgets the setting while the MTU is too small for IPv6.
      this.#interfaces.noKernelLinkLocal(this.#device);
    }
    this.#interfaces.set(this.#device, { up: true });
    this.#users++;
    undo.push(() => {
      if (--this.#users === 0) this.#interfaces.set(this.#device, { up: false });
    });
  }

  #attempt(what: string, step: () => void): void {
    try {
      step();
    } catch (error) {
      // The interface was removed, and its addresses and routes with it.
      if (hasCode(error, "ENODEV")) return;
      this.#log("error", `${what} of ${this.#device.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** The routing table of the routes through the interface. */
  #table(): number | undefined {
    const { vrf } = this.#wishes;
    return vrf === undefined ? undefined : this.#interfaces.vrfTable(vrf);
  }

  #addDefaultRoute(): void {
    const { replacedefaultroute, defaultrouteMetric } = this.#wishes;
    // In pppd 2.4.9, -1 means that no metric is given.
    const metric = Math.max(0, defaultrouteMetric);
    const table = this.#table();
    const inTheWay = this.#routes
      .defaults(table)
      .filter((route) => route.metric === metric && route.device.index !== this.#device.index);
    if (inTheWay.length > 0 && !replacedefaultroute) {
      const [{ device, gateway }] = inTheWay as [DefaultRoute];
      this.#log("error", `not replacing default route to ${device.name} [${ipv4Text(gateway)}]`);
      return;
    }
    // Each session records the routes that it took away.
    const { release } =
      inTheWay.length === 0
        ? { release: (undo: () => void) => undo() }
        : this.#share(
            `default-route-${this.#machine.processes.pid}-${this.#device.index}`,
            routesRecord(inTheWay, table),
          );
    this.#undo4.push(() => release(() => this.#returnDefaultRoute(metric, inTheWay, table)));
    for (const route of inTheWay) this.#routes.take(route);
    this.#routes.addDefault(4, this.#device, metric, table);
  }

  /** If another session has taken our route away, its own stays in use, and the routes that we took come behind it. */
  #returnDefaultRoute(metric: number, taken: readonly DefaultRoute[], table?: number): void {
    const isOurs = ({ device, metric: has }: DefaultRoute): boolean =>
      device.index === this.#device.index && has === metric;
    const isTaken = taken.length > 0 && !this.#routes.defaults(table).some(isOurs);
    if (!isTaken) this.#routes.removeDefault(4, this.#device, metric, table);
    for (const route of isTaken ? taken : taken.toReversed())
      this.#attempt("default route", () => {
        try {
          this.#routes.putBack(route, isTaken);
        } catch (error) {
          // The interface has gone down meanwhile. The route would be lost in any case.
          if (!hasCode(error, "ENETDOWN")) throw error;
        }
      });
  }

  /** Adds an address of 128 bits with a peer, as pppd does. The kernel adds the route to the peer. */
  #addLinkLocal(our: InterfaceId, peer: InterfaceId): void {
    const ours = linkLocalAddress(our);
    const theirs = peer.high === 0 && peer.low === 0 ? ours : linkLocalAddress(peer);
    this.#interfaces.addAddress6(this.#device, ours, theirs);
    this.#undo6.push(() => this.#interfaces.removeAddress6(this.#device, ours, theirs));
  }

  #addDefaultRoute6(): void {
    // Without a given metric the kernel uses 1024, so any other default route is in the way.
    const metric = Math.max(0, this.#wishes.defaultroute6Metric);
    const table = this.#table();
    const others = this.#routes.defaults6(table).filter(({ device }) => device.index !== this.#device.index);
    const inTheWay = others.find((route) => metric === 0 || route.metric === metric);
    if (inTheWay !== undefined) {
      const where = inTheWay.gateway ? "via gateway" : `through ${inTheWay.device.name}`;
      this.#log("error", `not replacing existing default route ${where}`);
      return;
    }
    this.#routes.addDefault(6, this.#device, metric, table);
    this.#undo6.push(() => this.#routes.removeDefault(6, this.#device, metric, table));
  }

  #addProxy(peer: number): void {
    const found = this.#interfaces.findForProxy(peer);
    if (found === undefined) {
      this.#log("error", "Cannot determine ethernet address for proxy ARP");
      return;
    }
    this.#log("info", `found interface ${found.name} for proxy arp`);
    // A peer that calls again on another line has the entry twice, until the first link is found dead.
    const address = new Uint8Array(4);
    put32(address, 0, peer);
    const { release } = this.#share(`proxyarp-${ipv4Text(peer)}`, proxyRecord(found, address));
    this.#undo4.push(() => release(() => this.#interfaces.removeProxy(found, address)));
    this.#interfaces.addProxy(found, address);
    if (this.#wishes.ktune) this.#undo4.push(switchOn(this.#machine, RUN_DIRECTORY, FORWARDING).undo);
  }

  #share(name: string, record: string): Share {
    return this.#machine.processes.share(RUN_DIRECTORY, name, () => record);
  }
}
