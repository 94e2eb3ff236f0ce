// One link from "Connect:" to "Connection terminated.": what its events do to the interface, the log and the scripts.

import { ipv4Text } from "../wire/ip.ts";
import { linkLocalText } from "../wire/ipv6cp.ts";
import type { LinkEvent } from "../link/events.ts";
import { Link, type LinkConfig } from "../link/link.ts";
import { Pacer } from "../link/pacer.ts";
import type { Config } from "../options/config.ts";
import type { Log } from "../os/log.ts";
import { reasonOf } from "../os/libc.ts";
import { writeResolvConf } from "../os/resolvconf.ts";
import type { Tty } from "../os/tty.ts";
import type { Tun } from "../os/tun.ts";
import { Exit, FAILURES } from "./exit.ts";
import type { Hooks, UpDown } from "./hooks.ts";
import { ipcpConfig, linkConfig } from "./linkconfig.ts";
import { type Buffers, Loop } from "./loop.ts";
import { Network, queueLength } from "./network.ts";
import type { PapVerdict, Peers } from "./peers.ts";
import { RecordFile } from "./recordfile.ts";
import { RttFile } from "./rtt-file.ts";

const SECOND = 1000;
/** pppd makes up 10.64.64.64 and up for a peer nobody has an address for. */
const MADE_UP_PEER = 0x0a404040;

export interface AttemptHost {
  readonly config: Config;
  readonly log: Log;
  readonly peers: Peers;
  /** "/etc/ppp" */
  readonly etc: string;
  /** A network protocol is up: updetach waits for it. */
  readonly onUp: () => void;
}

/** How an attempt ended. */
export interface End {
  /** A network protocol was up. */
  up: boolean;
  /** The line is gone: no disconnect script can run on it. */
  hangup: boolean;
  /** With `persist`, go on at once. */
  noHoldoff: boolean;
  /** Not even with `persist` is there anything more to do. */
  final: boolean;
}

type Ipv4Up = LinkEvent & { type: "ipv4-up" };
type Ipv6Up = LinkEvent & { type: "ipv6-up" };

export class Attempt {
  readonly link: Link;
  readonly #host: AttemptHost;
  readonly #hooks: Hooks;
  readonly #tty: Tty;
  readonly #tun: Tun;
  readonly #speed: number;
  readonly #setStatus: (exit: Exit) => void;
  readonly #linkConfig: LinkConfig;
  readonly #loop: Loop;
  readonly #pacer: Pacer;
  readonly #network: Network;
  readonly #record: RecordFile | undefined;
  readonly #rtt: RttFile | undefined;
  readonly #ipScripts: UpDown;
  readonly #ipv6Scripts: UpDown;
  readonly #authScripts: UpDown;
  readonly #end: End = { up: false, hangup: false, noHoldoff: false, final: false };
  #mtu = 1500;
  #ipv4: Ipv4Up | undefined;
  #ipv6: Ipv6Up | undefined;
  /** Packets of these may be taken from the interface. */
  #ready = { ipv4: false, ipv6: false };
  /** Scripts that must end before the interface may go up. */
  #beforeUp: Promise<void> | undefined;
  /** What the peer will hear about its password, and when. */
  #verdict: PapVerdict | undefined;
  #verdictAt = Infinity;
  #startedAt = 0;
  #firstUpAt = Infinity;
  #octetsCheckedAt = 0;

  constructor(host: AttemptHost, hooks: Hooks, buffers: Buffers, tty: Tty, tun: Tun, setStatus: (exit: Exit) => void) {
    const { config, log, peers } = host;
    this.#host = host;
    this.#hooks = hooks;
    this.#tty = tty;
    this.#tun = tun;
    this.#speed = tty.speed;
    this.#setStatus = setStatus;
    buffers.input.clear();
    buffers.output.clear();
    this.#linkConfig = linkConfig(config, peers.plan(), (text) => log.write("error", text));
    const rtt = config.lcpRttFile === undefined ? undefined : new RttFile(config.lcpRttFile, log);
    this.#rtt = rtt;
    this.link = new Link(this.#linkConfig, {
      output: buffers.output,
      frame: buffers.frame.bytes,
      plain: buffers.plain.bytes,
      random32: () => crypto.getRandomValues(new Uint32Array(1))[0]!,
      peerMayUse: (address) => peers.mayUse(address),
      admitsStrangers: () => peers.admitsStrangers(),
      madeUpPeerAddress: () => MADE_UP_PEER + tun.unit,
      timed: rtt && ((micros, lost) => rtt.answered(micros, lost)),
    });
    this.link.debug = log.debug ? Math.max(1, config.debug) : 0;
    // A pty carries a speed that means nothing, unless somebody said which.
    this.#pacer = new Pacer(tty.isPty ? config.speed : this.#speed);
    this.#record = config.record === undefined ? undefined : new RecordFile(config.record, log);
    this.#network = new Network(tun.name, config, (level, text) => log.write(level, text));
    this.#ipScripts = hooks.pair(config.ipUpScript, config.ipDownScript);
    this.#ipv6Scripts = hooks.pair(config.ipv6UpScript, config.ipv6DownScript);
    this.#authScripts = hooks.pair(config.authUpScript, config.authDownScript);
    this.#loop = new Loop(tty.fd, tty.isPty, buffers, this.link, this.#pacer, {
      settle: (now) => this.#settle(now),
      nextDeadline: () => this.#nextDeadline(),
      tunLost: (now) => this.#tunLost(now),
      record: this.#record,
    });
  }

  /** Runs the link to its end. */
  async run(): Promise<End> {
    const { config, log, peers } = this.#host;
    const now = performance.now();
    this.#startedAt = now;
    // A connect script is given even when it is empty.
    this.link.open(now, config.connect === undefined ? 0 : config.connectDelayMs);
    try {
      if ((await this.#loop.run()) === "hangup") {
        log.write("notice", "Modem hangup");
        this.#setStatus(Exit.HANGUP);
        this.#end.hangup = this.#end.noHoldoff = true;
        const later = performance.now();
        this.link.hangup(later);
        this.#settle(later);
        this.#terminated(false);
      }
    } finally {
      // A bug above must not leave an address or a route behind.
      this.#network.down();
      this.#record?.close();
      this.#rtt?.down();
      peers.leave();
    }
    return this.#end;
  }

  /** Ends the link in good order. */
  close(reason: string): void {
    this.link.close(reason, performance.now());
  }

  /** Negotiates compression anew (SIGUSR2). */
  restartCcp(): void {
    this.link.networks.restartCcp(performance.now());
  }

  // ── the clock ────────────────────────────────────────────────────────────────────────────────────────────────────

  #nextDeadline(): number {
    if (!this.link.networks.up) return this.#verdictAt;
    const { idle, maxconnect, maxoctets, moTimeout } = this.#host.config;
    let at = Infinity;
    if (idle > 0) at = this.link.networks.traffic.lastAt + idle * SECOND;
    if (maxconnect > 0) at = Math.min(at, this.#firstUpAt + maxconnect * SECOND);
    if (maxoctets > 0) at = Math.min(at, this.#octetsCheckedAt + moTimeout * SECOND);
    return at;
  }

  #settle(now: number): void {
    this.#takeEvents(now);
    if (this.#nextDeadline() > now) return;
    if (this.link.networks.up) this.#limits(now);
    else if (this.#verdict !== undefined) {
      const { accepted, message } = this.#verdict;
      this.#verdict = undefined;
      this.#verdictAt = Infinity;
      this.link.papVerdict(accepted, message, performance.now());
    }
    this.#takeEvents(now);
  }

  #takeEvents(now: number): void {
    for (let event; (event = this.link.takeEvent()) !== undefined;) this.#handle(event, now);
  }

  #limits(now: number): void {
    const { config, log } = this.#host;
    const { idle, maxconnect, maxoctets } = config;
    const used = this.#octets();
    if (idle > 0 && now - this.link.networks.traffic.lastAt >= idle * SECOND) {
      log.write("info", "Terminating connection due to lack of activity.");
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

  #octets(): number {
    const { octetsIn, octetsOut } = this.link.networks.traffic;
    switch (this.#host.config.moDirection) {
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

  #tunLost(now: number): void {
    this.#host.log.write("error", `Interface ${this.#tun.name} has been removed`);
    this.#setStatus(Exit.FATAL);
    this.link.close("Interface removed", now);
  }

  #finish(exit: Exit, reason: string, now: number): void {
    this.#setStatus(exit);
    this.#end.noHoldoff = true;
    this.link.close(reason, now);
  }

  // ── what the link says ───────────────────────────────────────────────────────────────────────────────────────────

  #handle(event: LinkEvent, now: number): void {
    const { config, log, peers } = this.#host;
    switch (event.type) {
      case "log":
        log.write(event.level, event.text);
        return;
      case "phase":
        if (event.phase === "network") {
          const args = [this.#tun.name, config.device ?? "", String(this.#speed)];
          this.#beforeUp = this.#hooks.start(config.netPreUpScript, this.#withIpparam(args));
        }
        return;
      case "lcp-up":
        this.#mtu = event.mtu;
        this.#rtt?.up(config.lcpEchoInterval);
        return;
      case "overhead":
        this.#setMtu(this.#mtu - event.octets);
        return;
      case "lcp-down":
        this.#rtt?.down();
        this.#authScripts.down();
        return;
      case "pap-request":
        this.#verdict = peers.judgePap(event.user, event.password, this.#tty.path, this.#tun.name);
        this.#verdictAt = now + this.#verdict.delayMs;
        return;
      case "peer-authenticated":
        this.#peerAuthenticated(event.name);
        return;
      case "ipv4-up":
        this.#ipv4Up(event);
        return;
      case "ipv4-down":
        this.#ipv4Down(event.last, now);
        return;
      case "ipv6-up":
        this.#ipv6Up(event);
        return;
      case "ipv6-down":
        this.#ipv6Down(event.last, now);
        return;
      case "failure":
        this.#setStatus(FAILURES[event.failure]);
        if (event.failure === "callback") this.#end.final = true;
        return;
      case "round-trip":
        this.#roundTrip(event.octets, event.milliseconds);
        return;
      case "terminated":
        this.#terminated(event.waited);
        this.#loop.stop();
        return;
      default:
        event satisfies never;
    }
  }

  #withIpparam(args: string[]): string[] {
    const { ipparam } = this.#host.config;
    return ipparam === undefined ? args : [...args, ipparam];
  }

  #roundTrip(octets: number, milliseconds: number): void {
    const paced = this.#pacer.paced;
    this.#pacer.roundTrip(octets, milliseconds);
    if (paced && !this.#pacer.paced && this.#loop.tun >= 0) this.#network.setQueue(this.#queue);
  }

  #peerAuthenticated(name: string): void {
    const { config, log, peers } = this.#host;
    this.#hooks.env.set("PEERNAME", name);
    const problem = peers.applyOptions();
    if (problem !== undefined) log.write("error", problem);
    // What the peer's own line of the secrets file says of addresses and name servers, IPCP must know.
    const { ipcp } = this.#linkConfig.networks;
    const dialect = this.link.networks.ipcp;
    if (ipcp !== undefined && dialect !== undefined) {
      Object.assign(ipcp, ipcpConfig(config));
      dialect.wantPeer = ipcp.peer;
      const address = peers.addressFor(dialect.wantPeer, this.#tun.unit);
      if (address !== undefined) dialect.wantPeer = address;
    }
    const args = [this.#tun.name, name, this.#hooks.env.get("PPPLOGNAME") ?? "", config.device ?? ""];
    this.#authScripts.up(this.#withIpparam([...args, String(this.#speed)]));
  }

  #ipv4Up(event: Ipv4Up): void {
    const { config, log, etc } = this.#host;
    const { env } = this.#hooks;
    this.#ipv4 = event;
    const our = ipv4Text(event.our);
    const peer = ipv4Text(event.peer);
    env.set("IPLOCAL", our).set("IPREMOTE", peer);
    this.#setServers("DNS", event.dns, config.usepeerdns);
    this.#setServers("WINS", event.wins, config.usepeerwins);
    const servers = event.dns.filter((server) => server !== 0).map(ipv4Text);
    if (servers.length > 0 && !config.noresolvconf) {
      const problem = writeResolvConf(etc, servers);
      if (problem !== undefined) log.write("error", problem);
    }
    const args = [this.#tun.name, config.device ?? "", String(this.#speed), our, peer];
    try {
      this.#network.setAddresses(event.our, event.peer);
    } catch (error) {
      this.#interfaceFailed(error);
      return;
    }
    const scripts = [this.#beforeUp, this.#hooks.start(config.ipPreUpScript, this.#withIpparam(args))];
    const waits = scripts.filter((script) => script !== undefined);
    if (waits.length === 0) this.#ipv4Ready(event, args);
    else void Promise.all(waits).then(() => this.#ipv4 === event && this.#ipv4Ready(event, args));
  }

  #setServers(name: "DNS" | "WINS", servers: readonly [number, number], wanted: boolean): void {
    const { env } = this.#hooks;
    if (servers[0] !== 0) env.set(`${name}1`, ipv4Text(servers[0]));
    if (servers[1] !== 0) env.set(`${name}2`, ipv4Text(servers[1]));
    if (wanted && (servers[0] !== 0 || servers[1] !== 0)) env.set(`USEPEER${name}`, "1");
  }

  #interfaceFailed(error: unknown): void {
    this.#host.log.write("error", `Interface configuration failed: ${reasonOf(error)}`);
    this.link.networks.closeIpcp("Interface configuration failed", performance.now());
  }

  /** Addresses are set, ip-pre-up has ended: packets may go. */
  #ipv4Ready(event: Ipv4Up, args: string[]): void {
    const { log, onUp } = this.#host;
    try {
      this.#network.up(event.peer, this.#mtu, this.#queue);
    } catch (error) {
      this.#interfaceFailed(error);
      return;
    }
    this.#carries("ipv4");
    log.write("notice", `local  IP address ${ipv4Text(event.our)}`);
    if (event.peer !== 0) log.write("notice", `remote IP address ${ipv4Text(event.peer)}`);
    if (event.dns[0] !== 0) log.write("notice", `primary   DNS address ${ipv4Text(event.dns[0])}`);
    if (event.dns[1] !== 0) log.write("notice", `secondary DNS address ${ipv4Text(event.dns[1])}`);
    this.#ipScripts.up(this.#withIpparam(args));
    onUp();
  }

  #ipv6Up(event: Ipv6Up): void {
    this.#ipv6 = event;
    if (this.#beforeUp === undefined) this.#ipv6Ready(event);
    else void this.#beforeUp.then(() => this.#ipv6 === event && this.#ipv6Ready(event));
  }

  #ipv6Ready(event: Ipv6Up): void {
    const { config, log, onUp } = this.#host;
    const trouble = this.#network.up6(event.our, event.peer, this.#mtu, this.#queue);
    if (trouble !== undefined) {
      this.link.networks.closeIpv6cp(trouble, performance.now());
      return;
    }
    this.#carries("ipv6");
    const our = linkLocalText(event.our);
    const peer = linkLocalText(event.peer);
    this.#hooks.env.set("LLLOCAL", our).set("LLREMOTE", peer);
    log.write("notice", `local  LL address ${our}`);
    if (event.peer.high !== 0 || event.peer.low !== 0) log.write("notice", `remote LL address ${peer}`);
    const args = [this.#tun.name, config.device ?? "", String(this.#speed), our, peer];
    this.#ipv6Scripts.up(this.#withIpparam(args));
    onUp();
  }

  get #queue(): number {
    return queueLength(this.#pacer.paced ? this.#speed : 0, this.#mtu);
  }

  /** A network protocol may use the interface; the first one is what makes a link a link. */
  #carries(protocol: "ipv4" | "ipv6"): void {
    const isFirst = !this.#ready.ipv4 && !this.#ready.ipv6;
    this.#ready[protocol] = true;
    if (!isFirst) return;
    this.#loop.tun = this.#tun.fd;
    this.#startedAt = performance.now();
    this.#firstUpAt = Math.min(this.#firstUpAt, this.#startedAt);
    this.#octetsCheckedAt = this.#startedAt;
    this.#end.up = true;
    this.#setStatus(Exit.OK);
  }

  #ipv4Down(last: boolean, now: number): void {
    this.#ipv4 = undefined;
    this.#ready.ipv4 = false;
    this.#network.down4();
    if (last) this.#lastDown(now);
    this.#ipScripts.down();
  }

  #ipv6Down(last: boolean, now: number): void {
    this.#ipv6 = undefined;
    this.#ready.ipv6 = false;
    this.#network.down6();
    if (last) this.#lastDown(now);
    this.#ipv6Scripts.down();
  }

  #lastDown(now: number): void {
    this.#loop.tun = -1;
    this.#countUp(now);
  }

  #setMtu(mtu: number): void {
    this.#mtu = mtu;
    if (this.#ready.ipv4 || this.#ready.ipv6) this.#network.setMtu(mtu);
  }

  /** "Connect time" and the octets, in the log and in the environment of what runs from now on. */
  #countUp(now: number): void {
    const { octetsIn, octetsOut } = this.link.networks.traffic;
    const seconds = Math.round((now - this.#startedAt) / SECOND);
    const tenths = Math.floor((seconds + 5) / 6);
    const { env } = this.#hooks;
    env.set("CONNECT_TIME", String(seconds)).set("BYTES_SENT", String(octetsOut)).set("BYTES_RCVD", String(octetsIn));
    const { log } = this.#host;
    log.write("info", `Connect time ${Math.floor(tenths / 10)}.${tenths % 10} minutes.`);
    log.write("info", `Sent ${octetsOut} bytes, received ${octetsIn} bytes.`);
  }

  #terminated(waited: boolean): void {
    const { log } = this.#host;
    log.write("notice", "Connection terminated.");
    // pppd finds the line closed when its own timers end the link, and says so; scripts go by the exit code.
    if (!waited) return;
    log.write("notice", "Modem hangup");
    this.#setStatus(Exit.HANGUP);
  }
}
