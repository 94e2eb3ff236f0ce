// The interface of a link and all that hangs on it in the kernel: address, routes, proxy ARP. Whatever up() did, down()
// takes back.

import { ipv4Text } from "../wire/ip.ts";
import type { LogLevel } from "../os/log.ts";
import { hasCode } from "../os/libc.ts";
import * as netif from "../os/netif.ts";
import { addProxy, findProxyInterface, removeProxy } from "../os/proxy.ts";
import { addRoute, type DefaultRoute, defaultRoutes, removeRoute, returnRoute, takeRoute } from "../os/route.ts";
import { readSysctl, writeSysctl } from "../os/sysctl.ts";

/** A packet queue this long in time, as the kernel's ppp has it: more only makes the newest wait for the oldest. */
const QUEUE_MS = 300;
const LEAST_QUEUE = 3;
const FAST_QUEUE = 500;

/** Packets the kernel may keep for a line of `speed` bits a second (0: faster than it says). */
export function queueLength(speed: number, mtu: number): number {
  if (speed === 0) return FAST_QUEUE;
  return Math.min(FAST_QUEUE, Math.max(LEAST_QUEUE, Math.ceil((speed * QUEUE_MS) / 1000 / (mtu * 10))));
}

export interface NetworkWishes {
  readonly defaultroute: boolean;
  readonly replacedefaultroute: boolean;
  readonly defaultrouteMetric: number;
  readonly proxyarp: boolean;
  readonly ktune: boolean;
}

export class Network {
  readonly #ifname: string;
  readonly #wishes: NetworkWishes;
  readonly #log: (level: LogLevel, text: string) => void;
  /** How to take back what was done, the last first. */
  readonly #undo: (() => void)[] = [];

  constructor(ifname: string, wishes: NetworkWishes, log: (level: LogLevel, text: string) => void) {
    this.#ifname = ifname;
    this.#wishes = wishes;
    this.#log = log;
    netif.noKernelLinkLocal(ifname);
  }

  /** Gives the interface its addresses; it stays down. Throws OsError. */
  setAddresses(our: number, peer: number): void {
    netif.addAddress(this.#ifname, our, peer === 0 ? our : peer);
    this.#undo.push(() => netif.removeAddress(this.#ifname, our, peer === 0 ? our : peer));
  }

  /** Sets it up, and the routes through it. Throws OsError when it will not go up; a missing route is only logged. */
  up(peer: number, mtu: number, queue: number): void {
    netif.setLink(this.#ifname, { up: true, mtu, txQueueLength: queue });
    this.#undo.push(() => netif.setLink(this.#ifname, { up: false }));
    const { defaultroute, proxyarp } = this.#wishes;
    if (defaultroute) this.#attempt("default route", () => this.#addDefaultRoute());
    if (proxyarp && peer !== 0) this.#attempt("proxy ARP entry", () => this.#addProxy(peer));
  }

  setQueue(queue: number): void {
    this.#attempt("queue length", () => netif.setLink(this.#ifname, { txQueueLength: queue }));
  }

  down(): void {
    for (let step; (step = this.#undo.pop()) !== undefined;) this.#attempt("what was set up", step);
  }

  #attempt(what: string, step: () => void): void {
    try {
      step();
    } catch (error) {
      // Somebody removed the interface, and with it all that hung on it.
      if (hasCode(error, "ENODEV")) return;
      this.#log("error", `${what} of ${this.#ifname}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #addDefaultRoute(): void {
    const { replacedefaultroute, defaultrouteMetric } = this.#wishes;
    // -1 is 2.4.9's way to say "no metric of its own".
    const metric = Math.max(0, defaultrouteMetric);
    const inTheWay = defaultRoutes().filter((route) => route.metric === metric && route.ifname !== this.#ifname);
    if (inTheWay.length > 0 && !replacedefaultroute) {
      const [{ ifname, gateway }] = inTheWay as [DefaultRoute];
      this.#log("error", `not replacing default route to ${ifname} [${ipv4Text(gateway)}]`);
      return;
    }
    for (const route of inTheWay) {
      takeRoute(route);
      this.#undo.push(() => returnRoute(route));
    }
    addRoute(this.#ifname, new Uint8Array(4), 0, metric);
    this.#undo.push(() => removeRoute(this.#ifname, new Uint8Array(4), 0, metric));
  }

  #addProxy(peer: number): void {
    const found = findProxyInterface(peer);
    if (found === undefined) {
      this.#log("error", "Cannot determine ethernet address for proxy ARP");
      return;
    }
    this.#log("info", `found interface ${found.name} for proxy arp`);
    addProxy(found.name, netif.ipv4Bytes(peer));
    this.#undo.push(() => removeProxy(found.name, netif.ipv4Bytes(peer)));
    if (this.#wishes.ktune && readSysctl("net/ipv4/ip_forward") === "0") {
      if (writeSysctl("net/ipv4/ip_forward", "1")) this.#undo.push(() => writeSysctl("net/ipv4/ip_forward", "0"));
    }
  }
}
