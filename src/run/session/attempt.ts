// One link on one line, from "Connect:" to "Connection terminated.": what its events do to the log, the peer's session and
// the scripts. The interface is the business of the network phase.

import { decoded } from "../../bytes/text.ts";
import type { AuthMethod } from "../../wire/auth-method.ts";
import type { Bundle } from "../../link/bundle.ts";
import type { LinkEvent } from "../../link/events.ts";
import type { LinkConfig } from "../../link/link-host.ts";
import { Link } from "../../link/link.ts";
import { Pacer } from "../loop/pacer.ts";
import type { Clock } from "../machine.ts";
import type { Device } from "../host/serial.ts";
import { limitOf, paceOf } from "../line/device.ts";
import { telnetOf } from "../line/telnet-line.ts";
import { Exit, FAILURES } from "../exit.ts";
import { withIpparam } from "../scripts/arguments.ts";
import type { UpDown } from "../scripts/hooks.ts";
import { LineWatch } from "../diagnose/line-watch.ts";
import { linkConfig } from "../settings/link-config.ts";
import type { LineBuffers } from "../loop/buffers.ts";
import { LinePort } from "../loop/line-port.ts";
import type { Loop } from "../loop/loop.ts";
import { madeUpPeer, type PacketPort } from "../packets/port.ts";
import { peerServers } from "../share/peer-servers.ts";
import { RecordFile } from "../live/record-file.ts";
import { RttFile } from "../live/rtt-recorder.ts";
import type { LineStatus } from "../live/published-status.ts";
import { lineStatus } from "../live/line-status.ts";
import { frameCounts } from "../live/status-publisher.ts";
import type { AttemptHost } from "./attempt-host.ts";
import { LinkFault } from "./link-fault.ts";
import type { NetworkPhase } from "./network-phase.ts";
import { ClimbLine } from "./climb-line.ts";
import { PapAnswer } from "./pap-answer.ts";
import { applyPeerLine } from "./peer-line.ts";
import { limitPort } from "./data-rate.ts";
import { fitLink } from "./line-fit.ts";
import { Joining } from "./joining.ts";
import { Reception } from "./reception.ts";
import { startSlip } from "./slip-session.ts";

/** How an attempt ended. */
export interface End {
  /** The line is gone: no disconnect script can run on it. */
  hangup: boolean;
  /** Not even with `persist` is there anything more to do. */
  final: boolean;
  /** A person has called, and typed this name or nothing (""), so that a getty gets the line. */
  visitor?: string;
  /** The speed that the line had before the link changed it. */
  speed?: number | undefined;
}

export class Attempt {
  readonly link: Link;
  readonly pacer: Pacer;
  /** Resolves when the link has ended. */
  readonly ended: Promise<End>;
  /** The link has ended: `ended` is about to resolve. */
  over = false;
  /** It came as far as the network phase. */
  hadNetwork = false;
  readonly #bundled: boolean;
  readonly #host: AttemptHost;
  readonly #clock: Clock;
  readonly #tty: Device;
  readonly #packets: PacketPort;
  readonly linkConfig: LinkConfig;
  readonly port: LinePort;
  readonly #record: RecordFile | undefined;
  readonly #rtt: RttFile | undefined;
  readonly #authScripts: UpDown;
  readonly #watch: LineWatch;
  readonly #end: End = { hangup: false, final: false };
  readonly #resolve: (end: End) => void;
  #loop: Loop | undefined;
  #network: NetworkPhase | undefined;
  /** What has the line before the link: autodetect, which watches the caller's modem after that too, or join. */
  #beginning: Reception | Joining | undefined;
  /** How the peer wanted us to prove who we are, while we have not. */
  #unproven: AuthMethod | undefined;
  readonly #papAnswer: PapAnswer;
  readonly #fault = new LinkFault();
  /** With `climb`. */
  readonly #climb: ClimbLine | undefined;

  /** Decompressed packets are put into `plain`. The links of a bundle share its network phase. */
  constructor(
    host: AttemptHost,
    buffers: LineBuffers,
    plain: Uint8Array,
    tty: Device,
    packets: PacketPort,
    bundle?: Bundle,
  ) {
    const { machine, log, peers, hooks } = host;
    const { config } = host.options;
    this.#host = host;
    this.#bundled = bundle !== undefined;
    this.#tty = tty;
    this.#clock = machine.clock;
    this.#watch = new LineWatch(host.machine, config, log, tty);
    this.#papAnswer = new PapAnswer(peers, machine.clock);
    this.#packets = packets;
    ({ promise: this.ended, resolve: this.#resolve } = Promise.withResolvers<End>());
    buffers.input.clear();
    buffers.output.clear();
    const pacer = (this.pacer = new Pacer(paceOf(config, tty)));
    const servers = peerServers(machine, config, packets);
    const complain = (text: string): void => log.write("error", text);
    this.linkConfig = linkConfig(config, peers.plan(), machine.network, complain, servers);
    const rtt = config.lcpRttFile === undefined ? undefined : new RttFile(config.lcpRttFile, host.machine, log);
    this.#rtt = rtt;
    this.#climb = ClimbLine.of(machine, config, tty, {
      port: () => this.port,
      link: () => this.link,
      isDialled: () => this.#beginning?.isDialled ?? false,
    });
    this.link = new Link(this.linkConfig, {
      output: buffers.output,
      frame: buffers.frame.bytes,
      plain,
      random32: () => machine.random.u32(),
      peerMayUse: (address) => peers.mayUse(address),
      admitsStrangers: () => peers.admitsStrangers(),
      madeUpPeerAddress: () => madeUpPeer(packets),
      isShared: () => this.#watch.isShared(),
      timed: rtt && ((micros, lost) => rtt.answered(micros, lost)),
      bundle,
      tap: host.packetLog.line(host.lineNumber, tty.path),
      networkTap: bundle === undefined ? host.packetLog.network(packets.name) : undefined,
      line: this.#climb,
      load: (now) => ({ rate: pacer.rate, backlog: this.port.backlog(now) }),
    });
    this.link.trace.level = log.debug ? Math.max(1, config.debug) : 0;
    this.#record = config.record === undefined ? undefined : new RecordFile(config.record, host.machine, log);
    this.#authScripts = hooks.pair(config.authUpScript, config.authDownScript);
    const record = this.#record && { record: this.#record };
    const hungUp = (now: number): void => this.#hungUp(now);
    const telnet = telnetOf(config);
    const parts = { machine: host.machine, buffers, pacer, ...record, ...(telnet && { telnet }), hungUp };
    this.port = new LinePort(parts, tty, this.link);
    limitPort(this.port, config, limitOf(config));
  }

  /** Starts the link; `network` is the network phase that it joins. */
  start(loop: Loop, network: NetworkPhase): void {
    const { config } = this.#host.options;
    this.#loop = loop;
    this.#network = network;
    loop.add(this.port);
    if (config.autodetect.length > 0) this.#receive(loop);
    else if (config.join) this.#join(loop);
    else if (config.slip !== undefined) this.#startSlip(loop);
    else {
      // An empty connect script counts as one. Only the side that calls waits for the other.
      const calls = config.connect !== undefined || config.pty !== undefined || config.socket !== undefined;
      this.#fit();
      this.link.open(this.#clock.now(), calls ? config.connectDelayMs : 0);
    }
  }

  #startSlip(loop: Loop): void {
    if (!startSlip(this.#parts(loop), this.#clock.now())) this.#giveUp(Exit.OPTION);
  }

  /** Looks for the other end. */
  #join(loop: Loop): void {
    const parts = { ...this.#parts(loop), givesUp: (exit: Exit): void => this.#giveUp(exit) };
    this.#beginning = new Joining(parts, this.#clock.now());
  }

  #giveUp(exit: Exit): void {
    this.#host.setStatus(exit);
    this.#end.final = true;
    this.#terminated();
    this.#finish();
  }

  /** Waits for a caller. */
  #receive(loop: Loop): void {
    const { log, options } = this.#host;
    const { ifname } = this.#place;
    log.write("info", `Waiting for a caller on ${this.#tty.path}: ${options.config.autodetect.join(", ")}`);
    const hungUp = (now: number): void => this.#lost(now);
    const visited = (name: string): void => {
      this.#end.visitor = name;
      this.#finish();
    };
    this.#beginning = new Reception({ ...this.#parts(loop), ifname, visited, hungUp }, this.#clock.now());
  }

  /** What is needed before PPP. */
  #parts(loop: Loop) {
    const { machine, options, log, peers } = this.#host;
    const { config } = options;
    const { link } = this;
    const { linkConfig } = this;
    const fit = (): void => this.#fit();
    return { machine, config, log, peers, tty: this.#tty, link, linkConfig, port: this.port, loop, fit };
  }

  /** The speed of the line is known, and the link is about to begin. */
  #fit(): void {
    const { machine, options } = this.#host;
    fitLink(this.link, this.linkConfig, options.config, this.pacer.speed, machine.network);
  }

  /** Where a peer logs in. */
  get #place(): { readonly tty: string; readonly ifname: string } {
    return { tty: this.#tty.path, ifname: this.#packets.name };
  }

  /** Ends the link in good order. */
  close(reason: string, now = this.#clock.now()): void {
    this.#unproven = undefined;
    this.#fault.asked();
    if (this.#beginning?.isWaiting !== true) {
      this.link.close(reason, now);
    } else if (!this.over) {
      this.#terminated();
      this.#finish();
    }
  }

  /** How much of the packets goes to the log, from now on. */
  trace(level: number): void {
    this.link.trace.level = level;
  }

  /** The most octets a second from now on. 0: no limit. */
  limitRate(octetsPerSecond: number): void {
    limitPort(this.port, this.#host.options.config, octetsPerSecond);
  }

  status(): LineStatus {
    return lineStatus(this.link, this.#host.machine, this.#tty, this.port, this.#watch, this.#climb);
  }

  nextDeadline(): number {
    const climbAt = this.#climb?.nextLookAt ?? Infinity;
    return Math.min(this.#papAnswer.dueAt, this.#watch.nextLookAt, this.#beginning?.nextLookAt ?? Infinity, climbAt);
  }

  /** How often the runtime must have its turn, for TLS, password helpers, scripts and a slow log. */
  turnMs(): number {
    const { machine, peers, hooks } = this.#host;
    return Math.min(peers.turnMs(), hooks.turnMs(), machine.syslog.turnMs(), this.#beginning?.turnMs ?? Infinity);
  }

  settle(now: number): void {
    this.#beginning?.settle(now);
    if (this.#host.peers.takeSettled()) this.link.authResume(now);
    this.#climb?.settle(now);
    this.#takeEvents(now);
    if (this.#watch.nextLookAt <= now) this.#watch.look(now, frameCounts(this.link));
    const verdict = this.#papAnswer.take(now);
    if (verdict === undefined) return;
    this.link.papVerdict(verdict.accepted, verdict.message, this.#clock.now());
    this.#takeEvents(now);
  }

  #takeEvents(now: number): void {
    for (let event; (event = this.link.takeEvent()) !== undefined;) this.#handle(event, now);
    this.#explain(this.#host.peers.takeAddressTrouble());
  }

  /** What is remembered of events that others handle. */
  #note(event: LinkEvent): void {
    this.#fault.event(event);
    switch (event.type) {
      case "lcp-up":
        this.#rtt?.up(this.#host.options.config.lcpEchoInterval);
        return;
      case "phase":
        if (event.phase !== "network") return;
        this.hadNetwork = true;
        if (this.#bundled) this.#unproven = undefined;
        return;
      case "ipv4-up":
      case "ipv6-up":
        // The peer has let us in without the proof.
        this.#unproven = undefined;
        return;
    }
  }

  #handle(event: LinkEvent, now: number): void {
    this.#note(event);
    // In a bundle one link's MTU is not the interface's.
    if (event.type === "lcp-up" && this.#bundled) return;
    if (this.#network?.handle(event, now) === true) return;
    const { log, peers, setStatus } = this.#host;
    switch (event.type) {
      case "log":
        log.write(event.level, event.text);
        return;
      case "lcp-down":
        this.#rtt?.down();
        this.#authScripts.down();
        return;
      case "pap-request":
        this.#papAnswer.judge({ ...this.#place, user: event.user, password: event.password }, now);
        return;
      case "peer-authenticated":
        this.#peerAuthenticated(event.name);
        return;
      case "unproven":
        this.#unproven = event.method;
        return;
      case "failure":
        setStatus(FAILURES[event.failure]);
        this.#unproven = undefined;
        this.#explain(peers.whyFailed(event.failure));
        if (event.failure === "callback") this.#end.final = true;
        return;
      case "round-trip":
        // A limit that an option sets is a real speed.
        if (!this.port.isLimited) this.pacer.roundTrip(event.octets, event.milliseconds);
        return;
      case "unanswered":
        this.#watch.unanswered(now);
        return;
      case "terminated":
        this.#terminated(event.waited, event.byPeer);
        this.#finish();
        return;
    }
  }

  #peerAuthenticated(name: string): void {
    const { options, hooks } = this.#host;
    const peer = decoded(name);
    hooks.env.set("PEERNAME", peer);
    this.#host.observer?.authenticated(peer);
    applyPeerLine(this.#host, this.link, this.linkConfig, this.#packets);
    const { config } = options;
    const logname = hooks.env.get("PPPLOGNAME") ?? "";
    const args = [this.#packets.name, peer, logname, config.device ?? "", String(this.#tty.speed)];
    this.#authScripts.up(withIpparam(config, args));
  }

  /** The loop has let go of the line already. */
  #hungUp(now: number): void {
    this.#end.hangup = true;
    this.#lost(now);
  }

  /** The peer has hung up. The line may still be there. */
  #lost(now: number): void {
    this.#host.log.write("notice", "Modem hangup");
    this.#host.setStatus(Exit.HANGUP);
    this.#host.packetLog.note(this.#host.lineNumber, now, "Modem hangup");
    this.#fault.hungUp();
    this.link.hangup(now);
    this.#takeEvents(now);
    this.#terminated();
    this.#finish();
  }

  #terminated(waited = false, byPeer = false): void {
    const { log, peers, options, lcpClosed } = this.#host;
    if (this.#unproven !== undefined) this.#explain(peers.whyUnproven(this.#unproven));
    log.write("notice", "Connection terminated.");
    const { uncleanness } = this.link;
    if (uncleanness !== undefined && !this.#end.hangup) {
      log.write("warn", "Receive serial link is not 8-bit clean:");
      log.write("warn", `Problem: ${uncleanness}`);
    }
    // When its own timers end the link, pppd finds the line closed and says so. Scripts rely on the exit code.
    // With demand, pppd has let go of the line by then, so that the code of what ended the link stays.
    const isHangup = waited && !options.config.demand;
    if (isHangup) log.write("notice", "Modem hangup");
    lcpClosed(byPeer, isHangup);
  }

  #explain(why: string | undefined): void {
    if (why !== undefined) this.#host.log.write("warn", why);
  }

  /** The link has ended. */
  #finish(): void {
    this.over = true;
    this.#end.speed = this.#climb?.earlierSpeed;
    this.#beginning?.ends(this.#clock.now());
    const { packetLog, lineNumber } = this.#host;
    const fault = this.#fault.of(frameCounts(this.link).good);
    if (fault !== undefined) packetLog.died(lineNumber, this.#clock.now(), fault);
    this.abandon();
    this.#resolve(this.#end);
  }

  /** Releases all that the link has. A second call does nothing. */
  abandon(): void {
    this.#loop?.remove(this.port);
    this.#record?.close();
    this.#rtt?.down();
    this.#host.peers.leave();
  }
}
