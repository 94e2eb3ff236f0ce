// The interface (unit, as pppd says) and all that hangs on a network protocol being up: addresses, routes, scripts, the
// limits of time and traffic. What carries its packets is a link, or a bundle of them.

import { ipv4Text } from "../../wire/ip.ts";
import { linkLocalText } from "../../wire/ipv6cp.ts";
import type { LinkEvent } from "../../link/events.ts";
import type { Networks } from "../../link/networks.ts";
import type { OptionsInForce } from "../settings/options-in-force.ts";
import type { Log } from "../log.ts";
import type { Publication } from "../host/processes.ts";
import { type Clock, type Machine, reasonOf } from "../machine.ts";
import type { Notifier } from "../notifier.ts";
import { Exit } from "../exit.ts";
import type { Hooks, UpDown } from "../scripts/hooks.ts";
import type { NameServers } from "../packets/name-servers.ts";
import { queueLength } from "../packets/network.ts";
import type { Load, PacketPort } from "../packets/port.ts";
import { type LineStatus, type Status, statusPath } from "../live/published-status.ts";

const SECOND = 1000;

export interface UnitHost {
  readonly machine: Machine;
  readonly options: OptionsInForce;
  readonly log: Log;
  readonly hooks: Hooks;
  /** "/etc/ppp" */
  readonly etc: string;
  readonly runDirectory: string;
  readonly nameServers: NameServers;
  /** Speed of the line, for scripts. */
  readonly speed: number;
  readonly notifier: Notifier;
  /** A network protocol is up: updetach waits for it. */
  readonly onUp: () => void;
  setStatus(exit: Exit): void;
  /** Ends all links in good order. */
  close(reason: string, now: number): void;
  /** Has "caught-up" come when the peer is ready for packets. */
  awaitPeer(now: number): void;
  /** Bits a second that packets leave with; 0: nobody knows. */
  rate(): number;
  /** From now on packets are carried, or not. */
  carry(on: boolean): void;
  /** For pppstats and `nullmodem status`. */
  lines(): LineStatus[];
}

type Ipv4Up = LinkEvent & { type: "ipv4-up" };
type Ipv6Up = LinkEvent & { type: "ipv6-up" };

export class Unit {
  /** A network protocol was up. */
  wasUp = false;
  /** A limit was reached: with `persist`, go on at once. */
  noHoldoff = false;
  readonly #port: PacketPort;
  readonly #host: UnitHost;
  readonly #clock: Clock;
  readonly #networks: Networks;
  readonly #ipScripts: UpDown;
  readonly #ipv6Scripts: UpDown;
  readonly #published: Publication | undefined;
  #mtu = 1500;
  #ipv4: Ipv4Up | undefined;
  #ipv6: Ipv6Up | undefined;
  readonly #load = { rate: 0, gain: 1, octetsOut: 0 };
  /** Packets of these may be taken from the interface. */
  readonly #ready = { ipv4: false, ipv6: false };
  /** Scripts that must end before the interface may go up. */
  #beforeUp: Promise<void> | undefined;
  #startedAt: number;
  #firstUpAt = Infinity;
  #octetsCheckedAt = 0;

  constructor(host: UnitHost, port: PacketPort, networks: Networks) {
    const { options, hooks } = host;
    const { config } = options;
    this.#host = host;
    this.#clock = host.machine.clock;
    this.#startedAt = this.#clock.now();
    this.#port = port;
    this.#networks = networks;
    this.#ipScripts = hooks.pair(config.ipUpScript, config.ipDownScript);
    this.#ipv6Scripts = hooks.pair(config.ipv6UpScript, config.ipv6DownScript);
    this.#published = this.#publish();
  }

  /** Takes back all that was done to the machine; what the events left undone, when a bug kept them from coming. */
  end(): void {
    this.#published?.close();
    this.#port.takeBack();
  }

  #publish(): Publication | undefined {
    const { machine, log, runDirectory } = this.#host;
    try {
      return machine.processes.publish(statusPath(this.#port.name, runDirectory), () => JSON.stringify(this.#status()));
    } catch (error) {
      log.write("debug", `pppstats will know less of ${this.#port.name}: ${reasonOf(error)}`);
      return undefined;
    }
  }

  #status(): Status {
    const {
      options: { config },
      hooks,
      lines,
    } = this.#host;
    const isUp = this.#ready.ipv4 || this.#ready.ipv6;
    return {
      interface: this.#port.name,
      pid: this.#host.machine.processes.pid,
      namespace: this.#host.machine.network.namespace(),
      linkname: config.linkname,
      peer: hooks.env.get("PEERNAME"),
      up: isUp ? Math.floor((this.#clock.now() - this.#startedAt) / SECOND) : undefined,
      mtu: this.#mtu,
      ipv4: this.#ipv4 && { our: ipv4Text(this.#ipv4.our), peer: ipv4Text(this.#ipv4.peer) },
      ipv6: this.#ipv6 && { our: linkLocalText(this.#ipv6.our), peer: linkLocalText(this.#ipv6.peer) },
      compression: this.#networks.compression,
      counters: this.#networks.datapath.counters(),
      lines: lines(),
    };
  }

  // ── limits ───────────────────────────────────────────────────────────────────────────────────────────────────────

  nextDeadline(): number {
    if (!this.#networks.up) return Infinity;
    const { idle, maxconnect, maxoctets, moTimeout } = this.#host.options.config;
    let at = Infinity;
    if (idle > 0) at = this.#idleAt();
    if (maxconnect > 0) at = Math.min(at, this.#firstUpAt + maxconnect * SECOND);
    if (maxoctets > 0) at = Math.min(at, this.#octetsCheckedAt + moTimeout * SECOND);
    return at;
  }

  /** A deadline passed. */
  checkLimits(now: number): void {
    const {
      options: { config },
      log,
    } = this.#host;
    const { idle, maxconnect, maxoctets } = config;
    const used = this.#octets();
    if (idle > 0 && now >= this.#idleAt()) {
      log.write("notice", "Terminating connection due to lack of activity.");
      this.#finish(Exit.IDLE, "Link inactive", now);
    } else if (maxconnect > 0 && now - this.#firstUpAt >= maxconnect * SECOND) {
      log.write("info", "Connect time expired");
      this.#finish(Exit.CONNECT_TIME, "Connect time expired", now);
    } else if (maxoctets > 0 && used > maxoctets) {
      log.write("notice", `Traffic limit reached. Limit: ${maxoctets} Used: ${used}`);
      this.#finish(Exit.TRAFFIC_LIMIT, "Traffic limit", now);
    }
    this.#octetsCheckedAt = now;
  }

  /** When the link will have been quiet for too long; minconn.so leaves it alone at first. */
  #idleAt(): number {
    const { idle, plugins, minconnect } = this.#host.options.config;
    const at = this.#networks.traffic.lastAt + idle * SECOND;
    return plugins.includes("minconn.so") ? Math.max(at, this.#firstUpAt + minconnect * SECOND) : at;
  }

  #octets(): number {
    const { octetsIn, octetsOut } = this.#networks.traffic;
    switch (this.#host.options.config.moDirection) {
      case "sum":
        return octetsIn + octetsOut;
      case "in":
        return octetsIn;
      case "out":
        return octetsOut;
      case "max":
        return Math.max(octetsIn, octetsOut);
    }
  }

  #finish(exit: Exit, reason: string, now: number): void {
    this.#host.setStatus(exit);
    this.noHoldoff = true;
    this.#host.close(reason, now);
  }

  /** Somebody removed the interface. */
  lost(now: number): void {
    this.#host.log.write("error", `Interface ${this.#port.name} has been removed`);
    this.#port.lost();
    this.#host.setStatus(Exit.FATAL);
    this.#host.close("Interface removed", now);
  }

  // ── events ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Takes an event of the network phase; false: it is another's. */
  handle(event: LinkEvent, now: number): boolean {
    switch (event.type) {
      case "phase":
        if (event.phase === "network" && !this.#networks.up) this.#startBeforeUp();
        return true;
      case "lcp-up":
        this.#mtu = event.mtu;
        return true;
      case "overhead":
        this.#setMtu(this.#mtu - event.octets);
        return true;
      case "ipv4-up":
        this.#ipv4Up(event);
        return true;
      case "ipv4-down":
        this.#ipv4Down(event.last, now);
        return true;
      case "ipv6-up":
        this.#ipv6Up(event);
        return true;
      case "ipv6-down":
        this.#ipv6Down(event.last, now);
        return true;
      case "caught-up":
        this.#port.peerReady(this.#ready);
        return true;
      default:
        return false;
    }
  }

  #startBeforeUp(): void {
    const {
      options: { config },
      hooks,
    } = this.#host;
    const script = (this.#beforeUp = hooks.start(config.netPreUpScript, this.#args()));
    // A promise that has resolved has nothing more to wake the loop with.
    void script?.then(() => {
      if (this.#beforeUp === script) this.#beforeUp = undefined;
    });
  }

  /** What scripts are told: interface, tty, speed, what else there is, and the word of `ipparam`. */
  #args(...more: readonly string[]): string[] {
    const {
      options: { config },
      speed,
    } = this.#host;
    const { device = "", ipparam } = config;
    const args = [this.#port.name, device, String(speed), ...more];
    return ipparam === undefined ? args : [...args, ipparam];
  }

  /** To be called now and then: the queue is to last as long whatever the line, or the lines, make of its packets. */
  fitQueue(now: number): void {
    if (!this.#ready.ipv4 && !this.#ready.ipv6) return;
    this.#port.fitQueue(this.#mtu, this.#loadNow(), now);
  }

  /** The same object each time, because every round of the loop asks. */
  #loadNow(): Load {
    const { gain, traffic } = this.#networks;
    this.#load.rate = this.#host.rate();
    this.#load.gain = gain.ratio;
    this.#load.octetsOut = traffic.octetsOut;
    return this.#load;
  }

  get #queue(): number {
    return queueLength(this.#host.rate() * this.#networks.gain.ratio, this.#mtu);
  }

  #setMtu(mtu: number): void {
    this.#mtu = mtu;
    if (this.#ready.ipv4 || this.#ready.ipv6) this.#port.setMtu(mtu);
  }

  #ipv4Up(event: Ipv4Up): void {
    const {
      machine,
      options: { config },
      log,
      hooks,
      etc,
    } = this.#host;
    this.#ipv4 = event;
    const our = ipv4Text(event.our);
    const peer = ipv4Text(event.peer);
    hooks.env.set("IPLOCAL", our).set("IPREMOTE", peer);
    this.#setServers("DNS", event.dns, config.usepeerdns);
    this.#setServers("WINS", event.wins, config.usepeerwins);
    const servers = this.#servers(event);
    if (servers.length > 0) {
      const problem = machine.network.writeResolvConf(etc, servers);
      if (problem !== undefined) log.write("error", problem);
    }
    const scripts = [this.#beforeUp];
    if (!this.#port.hasIpv4) {
      try {
        this.#port.setAddresses(event.our, event.peer);
      } catch (error) {
        this.#interfaceFailed(error);
        return;
      }
      scripts.push(hooks.start(config.ipPreUpScript, this.#args(our, peer)));
    }
    const waits = scripts.filter((script) => script !== undefined);
    if (waits.length === 0) this.#ipv4Ready(event);
    else void Promise.all(waits).then(() => this.#ipv4 === event && this.#ipv4Ready(event));
  }

  /** Those of the peer that the system is to use. */
  #servers({ dns }: Ipv4Up): string[] {
    const { usepeerdns, noresolvconf } = this.#host.options.config;
    return usepeerdns && !noresolvconf ? dns.filter((server) => server !== 0).map(ipv4Text) : [];
  }

  #setServers(name: "DNS" | "WINS", servers: readonly [number, number], wanted: boolean): void {
    const { env } = this.#host.hooks;
    if (servers[0] !== 0) env.set(`${name}1`, ipv4Text(servers[0]));
    if (servers[1] !== 0) env.set(`${name}2`, ipv4Text(servers[1]));
    if (wanted && (servers[0] !== 0 || servers[1] !== 0)) env.set(`USEPEER${name}`, "1");
  }

  #interfaceFailed(error: unknown): void {
    this.#host.log.write("error", `Interface configuration failed: ${reasonOf(error)}`);
    this.#networks.closeIpcp("Interface configuration failed", this.#clock.now());
  }

  /** net-pre-up or ip-pre-up may have renamed the interface: it goes on under its new name. */
  #readName(): void {
    if (this.#port.readName()) this.#published?.move(statusPath(this.#port.name, this.#host.runDirectory));
  }

  /** Addresses are set, ip-pre-up has ended: packets may go. */
  #ipv4Ready(event: Ipv4Up): void {
    const { onUp, notifier, nameServers } = this.#host;
    this.#readName();
    try {
      this.#port.ipv4Up(event.our, event.peer, this.#mtu, this.#queue);
    } catch (error) {
      this.#interfaceFailed(error);
      return;
    }
    this.#carries("ipv4");
    if (!this.#port.hasIpv4) this.#sayAddresses(event);
    const servers = [...new Set(this.#servers(event))];
    this.#ipScripts.up(this.#args(ipv4Text(event.our), ipv4Text(event.peer)), () => {
      if (servers.length > 0) nameServers.announce(this.#port.name, servers);
    });
    notifier.status(`up: ${ipv4Text(event.our)} <-> ${ipv4Text(event.peer)}`, true);
    onUp();
  }

  #sayAddresses(event: Ipv4Up): void {
    const { log } = this.#host;
    log.write("notice", `local  IP address ${ipv4Text(event.our)}`);
    if (event.peer !== 0) log.write("notice", `remote IP address ${ipv4Text(event.peer)}`);
    if (event.dns[0] !== 0) log.write("notice", `primary   DNS address ${ipv4Text(event.dns[0])}`);
    if (event.dns[1] !== 0) log.write("notice", `secondary DNS address ${ipv4Text(event.dns[1])}`);
  }

  #ipv6Up(event: Ipv6Up): void {
    this.#ipv6 = event;
    this.#host.hooks.env.set("LLLOCAL", linkLocalText(event.our)).set("LLREMOTE", linkLocalText(event.peer));
    if (this.#beforeUp === undefined) this.#ipv6Ready(event);
    else void this.#beforeUp.then(() => this.#ipv6 === event && this.#ipv6Ready(event));
  }

  #ipv6Ready(event: Ipv6Up): void {
    const { log, onUp, notifier } = this.#host;
    this.#readName();
    const trouble = this.#port.ipv6Up(event.our, event.peer, this.#mtu, this.#queue);
    if (trouble !== undefined) {
      this.#networks.closeIpv6cp(trouble, this.#clock.now());
      return;
    }
    this.#carries("ipv6");
    const our = linkLocalText(event.our);
    const peer = linkLocalText(event.peer);
    if (!this.#port.hasIpv6) {
      log.write("notice", `local  LL address ${our}`);
      if (event.peer.high !== 0 || event.peer.low !== 0) log.write("notice", `remote LL address ${peer}`);
    }
    this.#ipv6Scripts.up(this.#args(our, peer));
    if (!this.#ready.ipv4) notifier.status(`up: ${our} <-> ${peer}`, true);
    onUp();
  }

  /** A network protocol may use the interface; the first one is what makes a link a link. */
  #carries(protocol: "ipv4" | "ipv6"): void {
    const isFirst = !this.#ready.ipv4 && !this.#ready.ipv6;
    this.#ready[protocol] = true;
    if (this.#port.awaitsPeer) this.#host.awaitPeer(this.#clock.now());
    if (!isFirst) return;
    this.#startedAt = this.#clock.now();
    this.#port.opened(this.#mtu, this.#loadNow(), this.#startedAt);
    this.#host.carry(true);
    this.#firstUpAt = Math.min(this.#firstUpAt, this.#startedAt);
    this.#octetsCheckedAt = this.#startedAt;
    this.wasUp = true;
    this.#host.setStatus(Exit.OK);
  }

  #ipv4Down(last: boolean, now: number): void {
    const event = this.#ipv4;
    this.#ipv4 = undefined;
    this.#ready.ipv4 = false;
    this.#port.ipv4Down();
    this.#count(last, now);
    this.#host.nameServers.withdraw(this.#port.name);
    this.#ipScripts.down(event && this.#args(ipv4Text(event.our), ipv4Text(event.peer)));
  }

  #ipv6Down(last: boolean, now: number): void {
    const event = this.#ipv6;
    this.#ipv6 = undefined;
    this.#ready.ipv6 = false;
    this.#port.ipv6Down();
    this.#count(last, now);
    this.#ipv6Scripts.down(event && this.#args(linkLocalText(event.our), linkLocalText(event.peer)));
  }

  /** "Connect time" and the octets, in the environment of what runs from now on and, when all is down, in the log. */
  #count(last: boolean, now: number): void {
    const { octetsIn, octetsOut } = this.#networks.traffic;
    const seconds = Math.round((now - this.#startedAt) / SECOND);
    const tenths = Math.floor((seconds + 5) / 6);
    const { log, hooks } = this.#host;
    hooks.env.set("CONNECT_TIME", String(seconds)).set("BYTES_SENT", String(octetsOut));
    hooks.env.set("BYTES_RCVD", String(octetsIn));
    if (!last) return;
    this.#host.notifier.status("waiting for the peer");
    this.#host.carry(false);
    log.write("info", `Connect time ${Math.floor(tenths / 10)}.${tenths % 10} minutes.`);
    log.write("info", `Sent ${octetsOut} bytes, received ${octetsIn} bytes.`);
  }
}
