// The network phase: what the interface gets when a network protocol comes up, and what is taken back when it goes down.
// Observers are told. What carries the packets is a link, or a bundle of links.

import type { LinkEvent } from "../../link/events.ts";
import type { Networks } from "../../link/networks.ts";
import { Exit } from "../exit.ts";
import { FilesObserver } from "../files/files-observer.ts";
import type { LineStatus, QueueStatus } from "../live/published-status.ts";
import { StatusPublisher } from "../live/status-publisher.ts";
import type { Log } from "../log.ts";
import { type Clock, type Machine, reasonOf } from "../machine.ts";
import type { Notifier } from "../notifier.ts";
import type { NameServers } from "../packets/name-servers.ts";
import type { Release } from "../packets/held-packets.ts";
import type { PacketTap } from "../packets/packet-tap.ts";
import type { Load, PacketPort } from "../packets/port.ts";
import { interfaceArguments } from "../scripts/arguments.ts";
import type { Hooks } from "../scripts/hooks.ts";
import type { LinkServices } from "../share/link-services.ts";
import type { SessionServices } from "../share/session-services.ts";
import type { OptionsInForce } from "../settings/options-in-force.ts";
import { Limits } from "./limits.ts";
import { LogObserver } from "./log-observer.ts";
import { ManagerObserver } from "./manager-observer.ts";
import { NameServerObserver } from "./name-server-observer.ts";
import type { LinkHistory, SessionHistory } from "../history/session-history.ts";
import { addressTexts, type Ipv4Up, type Ipv6Up, type NetworkObserver, type NetworkUp } from "./network-observer.ts";
import type { SessionObserver } from "./session-observer.ts";
import type { SessionPlugin } from "./session-plugin.ts";
import type { ShareObserver } from "../share/share-observer.ts";
import { ScriptObserver } from "./script-observer.ts";

const SECOND = 1000;

export interface NetworkPhaseHost {
  readonly machine: Machine;
  readonly options: OptionsInForce;
  readonly log: Log;
  readonly hooks: Hooks;
  /** "/etc/ppp" */
  readonly etc: string;
  readonly runDirectory: string;
  readonly nameServers: NameServers;
  /** Speed of the line, for scripts. */
  speed(): number;
  readonly notifier: Notifier;
  readonly observer?: SessionObserver;
  readonly history?: SessionHistory | undefined;
  readonly plugin?: SessionPlugin | undefined;
  /** The session shares this machine's network, or forwards ports. */
  readonly services?: SessionServices | undefined;
  /** The tap comes before the packet port. */
  tap(tap: PacketTap): void;
  /** The peer's packets of this version of IP wait until the returned function is called. */
  hold(version: 4 | 6): Release;
  /** A network protocol is up: updetach waits for it. */
  readonly onUp: () => void;
  setStatus(exit: Exit): void;
  /** Ends all links in good order. */
  close(reason: string, now: number): void;
  /** Asks the link for a "caught-up" event when the peer is ready for packets. */
  awaitPeer(now: number): void;
  /** Bits a second that packets leave with; 0: it is not known. */
  rate(): number;
  /** From now on packets are carried, or not. */
  carry(on: boolean): void;
  /** For pppstats and `nullmodem status`. */
  lines(): LineStatus[];
  queue(): QueueStatus | undefined;
}

export class NetworkPhase {
  /** A network protocol was up. */
  wasUp = false;
  /** A limit was reached: with `persist`, go on at once. */
  noHoldoff = false;
  readonly limits: Limits;
  /** Another program removed the interface: it carries no packets any more. */
  hasLostInterface = false;
  readonly #port: PacketPort;
  readonly #host: NetworkPhaseHost;
  readonly #clock: Clock;
  readonly #networks: Networks;
  readonly #status: StatusPublisher;
  readonly #sharing: ShareObserver | undefined;
  readonly #files: FilesObserver | undefined;
  readonly #history: LinkHistory | undefined;
  readonly #observers: readonly NetworkObserver[];
  readonly #services: LinkServices | undefined;
  #mtu = 1500;
  #ipv4: Ipv4Up | undefined;
  #ipv6: Ipv6Up | undefined;
  readonly #load = { rate: 0, gain: 1, octetsOut: 0 };
  /** Packets of these may be taken from the interface. */
  readonly #ready = { ipv4: false, ipv6: false };
  /** The script that must end before the interface may go up. */
  #beforeUp: Promise<void> | undefined;
  /** The plugin is being told that the link is up. The observers are told after it. */
  #running: Promise<void> | undefined;
  #startedAt: number;

  constructor(host: NetworkPhaseHost, port: PacketPort, networks: Networks) {
    const { machine, options, log } = host;
    this.#host = host;
    this.#clock = machine.clock;
    this.#startedAt = this.#clock.now();
    this.#port = port;
    this.#networks = networks;
    this.limits = new Limits(options, log, networks);
    this.#status = new StatusPublisher(host, port, networks, () => ({
      mtu: this.#mtu,
      ipv4: this.#ipv4,
      ipv6: this.#ipv6,
      upSince: this.isUp ? this.#startedAt : undefined,
      sharing: this.#sharing?.status ?? this.#sharingBySockets,
      network: this.#services?.advertised,
      files: this.#files?.address,
      transfers: this.#files?.transfers ?? [],
    }));
    this.#services = host.services?.servicesOf(port, options.config, () => this.#mtu);
    if (this.#services !== undefined) host.tap(this.#services);
    this.#sharing = host.services?.observerOf(host, port, this.#services);
    this.#files = options.config.files === undefined ? undefined : new FilesObserver(host, port);
    this.#history = host.history?.network(() => this.#status.now());
    const nameServers = new NameServerObserver(machine.network, host, port);
    const speed = (): number => host.speed();
    const scriptHost = { options, hooks: host.hooks, speed, known: () => this.#files?.opened };
    // In this order: the log names the addresses before ip-up starts, and ip-down finds name servers withdrawn.
    this.#observers = [
      new LogObserver(log, port),
      nameServers,
      ...(this.#sharing === undefined ? [] : [this.#sharing]),
      ...(this.#files === undefined ? [] : [this.#files]),
      ...(host.plugin === undefined ? [] : [host.plugin.observer(port)]),
      new ScriptObserver(scriptHost, port, (event) => nameServers.scriptEnded(event)),
      new ManagerObserver(host.notifier),
      ...(this.#services === undefined ? [] : [this.#services]),
      this.#status,
      ...(this.#history === undefined ? [] : [this.#history]),
      ...(host.observer === undefined ? [] : [host.observer.network(port.name)]),
    ];
  }

  /** Packets of a network protocol are carried. */
  get isUp(): boolean {
    return this.#ready.ipv4 || this.#ready.ipv6;
  }

  get #sharingBySockets(): { readonly way: "sockets"; readonly since: number } | undefined {
    const isShared = this.isUp && this.#host.options.config.usernet;
    return isShared ? { way: "sockets", since: this.#startedAt } : undefined;
  }

  /** Undoes what was done to the machine, also after a bug. */
  end(): void {
    this.#status.close();
    for (const observer of this.#observers) observer.end?.();
    this.#port.takeBack();
  }

  /** The link is about to be closed. What it still says to the peer is to be sent now. */
  closing(): void {
    this.#services?.closing();
  }

  /** A deadline of the limits has passed. */
  checkLimits(now: number): void {
    const limit = this.limits.reached(now);
    if (limit === undefined) return;
    this.#host.setStatus(limit.exit);
    this.noHoldoff = true;
    this.#host.close(limit.reason, now);
  }

  /** Somebody removed the interface. */
  lost(now: number): void {
    if (this.hasLostInterface) return;
    this.hasLostInterface = true;
    this.#host.log.write("error", `Interface ${this.#port.name} has been removed`);
    this.#port.lost();
    this.#host.setStatus(Exit.FATAL);
    this.#host.close("Interface removed", now);
  }

  // ── the queue ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** To be called now and then. The port knows what the lines carry, and the rules of `share` stay in force. */
  lookAfter(now: number): void {
    if (!this.isUp) return;
    this.#port.fitQueue(this.#loadNow(), now);
    this.#sharing?.lookAfter(now);
    this.#files?.lookAfter(now);
    this.#history?.lookAfter(now);
  }

  /** The same object each time, because every round of the loop asks. */
  #loadNow(): Load {
    const { gain, traffic } = this.#networks;
    this.#load.rate = this.#host.rate();
    this.#load.gain = gain.ratio;
    this.#load.octetsOut = traffic.octetsOut;
    return this.#load;
  }

  #setMtu(mtu: number): void {
    this.#mtu = mtu;
    if (this.isUp) this.#port.setMtu(mtu);
  }

  // ── events ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Takes an event of the network phase. False: it is another's. */
  handle(event: LinkEvent, now: number): boolean {
    switch (event.type) {
      case "phase":
        if (event.phase !== "dead") this.#host.plugin?.phase(event.phase);
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
        this.#port.ipv4Down();
        this.#ipv4 = this.#goDown("ipv4", this.#ipv4, event.last, now);
        return true;
      case "ipv6-up":
        this.#ipv6Up(event);
        return true;
      case "ipv6-down":
        this.#port.ipv6Down();
        this.#ipv6 = this.#goDown("ipv6", this.#ipv6, event.last, now);
        return true;
      case "caught-up":
        this.#port.peerReady(this.#ready);
        return true;
      default:
        return false;
    }
  }

  #startBeforeUp(): void {
    const { options, hooks } = this.#host;
    const script = (this.#beforeUp = hooks.start(options.config.netPreUpScript, this.#args()));
    // A resolved promise must not be waited for: nothing would wake the loop.
    void script?.then(() => {
      if (this.#beforeUp === script) this.#beforeUp = undefined;
    });
  }

  #args(...more: readonly string[]): string[] {
    const { options, speed } = this.#host;
    return interfaceArguments(options.config, this.#port.name, speed(), ...more);
  }

  #ipv4Up(event: Ipv4Up): void {
    const { options, hooks } = this.#host;
    this.#ipv4 = event;
    for (const observer of this.#observers) observer.agreed?.(event);
    const scripts = [this.#beforeUp];
    if (!this.#port.hasIpv4) {
      try {
        this.#port.setAddresses(event.our, event.peer);
      } catch (error) {
        this.#interfaceFailed(error);
        return;
      }
      scripts.push(hooks.start(options.config.ipPreUpScript, this.#args(...addressTexts(event))));
    }
    const waits = scripts.filter((script) => script !== undefined);
    if (waits.length === 0) this.#ipv4Ready(event);
    else void Promise.all(waits).then(() => this.#ipv4 === event && this.#ipv4Ready(event));
  }

  /** The addresses are set, and ip-pre-up has ended: packets may go. */
  #ipv4Ready(event: Ipv4Up): void {
    this.#readName();
    this.#port.setServers?.(event.dns);
    try {
      this.#port.ipv4Up(event.our, event.peer, this.#mtu);
    } catch (error) {
      this.#interfaceFailed(error);
      return;
    }
    this.#carries("ipv4");
    this.#announce(event);
  }

  #interfaceFailed(error: unknown): void {
    this.#host.log.write("error", `Interface configuration failed: ${reasonOf(error)}`);
    this.#networks.closeIpcp("Interface configuration failed", this.#clock.now());
    this.#lookForInterface();
  }

  /** While no packets are carried, an interface that is gone is noticed only when it is to be set up. */
  #lookForInterface(): void {
    this.#port.readName();
    if (this.#host.machine.network.interfaces.find(this.#port.name) === undefined) this.lost(this.#clock.now());
  }

  #ipv6Up(event: Ipv6Up): void {
    this.#ipv6 = event;
    for (const observer of this.#observers) observer.agreed?.(event);
    if (this.#beforeUp === undefined) this.#ipv6Ready(event);
    else void this.#beforeUp.then(() => this.#ipv6 === event && this.#ipv6Ready(event));
  }

  #ipv6Ready(event: Ipv6Up): void {
    this.#readName();
    const trouble = this.#port.ipv6Up(event.our, event.peer, this.#mtu);
    if (trouble !== undefined) {
      this.#networks.closeIpv6cp(trouble, this.#clock.now());
      this.#lookForInterface();
      return;
    }
    this.#carries("ipv6");
    this.#announce(event);
  }

  #announce(event: NetworkUp): void {
    if (this.#running !== undefined) {
      void this.#running.then(() => (this.#ipv4 === event || this.#ipv6 === event) && this.#announce(event));
      return;
    }
    for (const observer of this.#observers) observer.up?.(event);
    this.#host.onUp();
  }

  /** net-pre-up or ip-pre-up may have renamed the interface: it goes on under its new name. */
  #readName(): void {
    if (this.#port.readName()) for (const observer of this.#observers) observer.renamed?.();
  }

  /** A network protocol may use the interface. With the first one the link has come up. */
  #carries(protocol: "ipv4" | "ipv6"): void {
    const isFirst = !this.isUp;
    this.#ready[protocol] = true;
    if (this.#port.awaitsPeer) this.#host.awaitPeer(this.#clock.now());
    if (!isFirst) return;
    this.#startedAt = this.#clock.now();
    this.#port.opened(this.#mtu, this.#loadNow(), this.#startedAt);
    this.#host.carry(true);
    this.limits.started(this.#startedAt);
    this.wasUp = true;
    this.#host.setStatus(Exit.OK);
    this.#running = this.#host.plugin?.running(this.#port)?.then(() => {
      this.#running = undefined;
      this.#readName();
    });
  }

  /** Always returns undefined: the protocol has no addresses any more. */
  #goDown(protocol: "ipv4" | "ipv6", was: Ipv4Up | Ipv6Up | undefined, isLast: boolean, now: number): undefined {
    const { octetsIn, octetsOut } = this.#networks.traffic;
    this.#ready[protocol] = false;
    if (isLast) this.#host.carry(false);
    const seconds = Math.round((now - this.#startedAt) / SECOND);
    for (const observer of this.#observers) observer.down?.({ protocol, was, isLast, seconds, octetsIn, octetsOut });
  }
}
