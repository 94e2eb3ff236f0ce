// One PPP link, whole and synchronous: bytes and packets in, bytes and packets and events out (RFC 1661 §3).
//
// It reads no clock and opens nothing: `now` is the owner's, in milliseconds, and never runs backwards. Nothing a peer
// sends makes receive() throw.

import type { Ring } from "../bytes/ring.ts";
import { CbcpClient } from "../control/cbcp-client.ts";
import { Echo, type EchoConfig } from "../control/echo.ts";
import { LqrMonitor } from "../control/lqr-monitor.ts";
import { DEFAULT_MRU } from "../control/options/lcp/max-receive-unit.ts";
import { Lcp, type LcpConfig } from "../control/lcp-dialect.ts";
import type { Level, Lower } from "../control/dialect.ts";
import { Negotiator } from "../control/negotiator.ts";
import { State } from "../control/automaton.ts";
import type { Deframer } from "../frame/deframer.ts";
import { addressEnd, HEADROOM, protocolAt, protocolEnd } from "../frame/header.ts";
import { Code } from "../wire/control.ts";
import { putMagic, putProtocolReject } from "../wire/lcp.ts";
import { Protocol, protocolName } from "../wire/protocols.ts";
import { Authentication, type AuthenticationConfig } from "./authentication.ts";
import type { Bundle, Member } from "./bundle.ts";
import { FIRST_CONTROL, LOST } from "./datapath.ts";
import type { Failure, LinkEvent, Phase } from "./events.ts";
import { CONTROL_ROOM, Framing } from "./framing.ts";
import type { Uncleanness } from "./heard.ts";
import { HeardReport } from "./heard-report.ts";
import { Networks, type NetworksConfig } from "./networks.ts";
import { type Timer, Timers } from "./timers.ts";
import { Trace } from "./trace.ts";

export interface LinkConfig {
  lcp: LcpConfig;
  echo: EchoConfig;
  authentication: AuthenticationConfig;
  networks: NetworksConfig;
  /** Upper limit of what we send in one packet (`mtu`). */
  mtu: number;
  /** Octets never sent as they are (`escape`). */
  escape: readonly number[];
  /** Take control characters that the receive ACCM says to drop (`receive-all`). */
  receiveAll: boolean;
  /** Only to a peer that wants EAP do we prove who we are. */
  needPeerEap: boolean;
  /** The telephone number to be called back at; undefined: nobody is asked to. */
  callback: string | undefined;
  /** How much of the packets the log gets: Trace.level. */
  debug: number;
  hidePassword: boolean;
}

/** What a link is given to work with. */
export interface LinkHost {
  /** Frames for the line go in here. */
  output: Ring;
  /**
   * The buffers frames are put together in, MAX_FRAME octets, and packets decompressed to, PLAIN_SIZE octets: what
   * {@link Link.receive} found is a part of one of them.
   */
  frame: Uint8Array;
  plain: Uint8Array;
  /** A random number of 32 bits. */
  random32: () => number;
  /** May the peer, having proved who it is, use this address? */
  peerMayUse: (address: number) => boolean;
  /** May a peer that refused to prove anything come in all the same? */
  admitsStrangers: () => boolean;
  /** The peer's address when neither side has one. */
  madeUpPeerAddress: () => number;
  /** Is told how long echoes take, in microseconds, and how many had no answer since the last that had (lcp-rtt-file). */
  timed?: ((rttMicros: number, lost: number) => void) | undefined;
  /** The network phase belongs to a bundle, which the link joins when its peer is known. */
  bundle?: Bundle | undefined;
  /** For the bundle: octets a millisecond (0: unknown), and those on their way already. */
  load?: ((now: number) => { rate: number; backlog: number }) | undefined;
}

/** In the order of pppd's phase numbers, where a log line gives one; some of them only pppd has. */
const PHASES = ["dead", "", "", "", "establish", "authenticate", "callback", "network", "", "terminate"];
/** As much as one packet of a proof carries (certificates come in pieces), however long the peer's packets may be. */
const LONGEST_PROOF = 1500;
/** As long as pppd leaves a peer to set up its interface. */
const CATCH_UP_MS = 1000;

export class Link implements Member {
  /** Where the packet is that receive() found: the frame buffer or the plain one, from packetStart to packetEnd. */
  packet: Uint8Array;
  packetStart = 0;
  packetEnd = 0;
  readonly trace: Trace;
  readonly deframer: Deframer;
  readonly #config: LinkConfig;
  readonly #host: LinkHost;
  readonly #framing: Framing;
  readonly #timers = new Timers();
  readonly #lcpOptions: Lcp;
  readonly #lcp: Negotiator;
  readonly #echo: Echo;
  readonly #lqr: LqrMonitor;
  readonly #cbcp: CbcpClient | undefined;
  readonly #authentication: Authentication;
  /** Its own, or those of the bundle. */
  readonly networks: Networks;
  readonly #bundle: Bundle | undefined;
  #events: LinkEvent[] = [];
  #phase: Phase = "dead";
  #now = 0;
  #expired = false;
  /** Bad frames when the last was counted: what was lost since, header compression must know. */
  #badFrames = 0;
  /** The places in the code where handling a frame failed. */
  readonly #faults = new Set<string>();
  /** Until LCP opens for the first time. */
  #heard: HeardReport | undefined;

  constructor(config: LinkConfig, host: LinkHost) {
    this.#config = config;
    this.#host = host;
    this.#bundle = host.bundle;
    this.trace = new Trace(config.hidePassword, config.debug, (text) =>
      this.#emit({ type: "log", level: "debug", text }),
    );
    this.#framing = new Framing(host.output, host.frame, config.escape, config.receiveAll);
    this.deframer = this.#framing.deframer;
    const lower = (timer: Timer): Lower => ({
      send: (protocol, write) => this.#sendControl(protocol, write),
      log: (level, text) => this.#log(level, text),
      wakeAt: (at) => this.#timers.set(timer, at),
      roundTrip: (milliseconds) => this.#emit({ type: "round-trip", milliseconds, octets: this.#framing.lineOctets }),
    });
    this.#lcpOptions = new Lcp(config.lcp, lower("lcp"), {
      lcpUp: (now) => this.#lcpUp(now),
      lcpDown: (now) => this.#lcpDown(now),
      lcpFinished: () => this.#lcpFinished(),
      // pppd leaves the reason to guesswork. A link that was up before is another story.
      lcpGaveUp: () => this.#heard?.over(),
      cannotProve: (method) => this.#emit({ type: "unproven", method }),
      loopedBack: () => this.#loopedBack(),
      protocolRejected: (protocol, now) => this.#protocolRejected(protocol, now),
      speaks: (protocol) =>
        protocol === Protocol.LCP ||
        (protocol === Protocol.LQR && this.#measuresQuality) ||
        (protocol === Protocol.CBCP && this.#cbcp !== undefined) ||
        this.#authentication.speaks(protocol) ||
        this.networks.speaks(protocol),
      echoReply: (now, ours, data) => this.#echoReply(now, ours, data),
      random32: host.random32,
    });
    this.#lcp = new Negotiator(this.#lcpOptions, lower("lcp"), config.lcp.limits, config.lcp.start);
    this.#heard = new HeardReport({
      stats: this.deframer.stats,
      silent: config.lcp.start.silent ?? false,
      magic: () => this.#lcpOptions.got.magic ?? 0,
      wakeAt: (at) => this.#timers.set("heard", at),
      log: (level, text) => this.#log(level, text),
      explained: () => this.#emit({ type: "unanswered" }),
    });
    this.#echo = new Echo(config.echo, {
      sendEcho: (id, data) =>
        this.#sendControl(Protocol.LCP, (buf, at) =>
          putMagic(buf, at, Code.EchoReq, id, this.#lcpOptions.got.magic ?? 0, data),
        ),
      timed: host.timed,
      packetsIn: () => this.deframer.stats.frames,
      peerDead: (unanswered, now) => this.#peerDead(unanswered, now),
      wakeAt: (at) => this.#timers.set("echo", at),
    });
    this.#lqr = new LqrMonitor(lower("lqr"), this.#lineCounters(), () => this.#lcpOptions.got.magic ?? 0);
    if (config.callback !== undefined)
      this.#cbcp = new CbcpClient(config.callback, lower("lqr"), {
        callbackAgreed: (now) => this.#fail("callback", "Call me back, please", now),
        noCallback: (now) => this.#startNetworks(now),
      });
    this.#authentication = new Authentication(config.authentication, {
      lower,
      random32: host.random32,
      packetRoom: () => Math.min(this.#mtu, LONGEST_PROOF),
      emit: (event) => this.#emit(event),
      proved: (now) => this.#proved(now),
      failed: (failure, reason, now) => this.#fail(failure, reason, now),
    });
    this.networks = host.bundle?.networks ?? this.#ownNetworks(lower);
    this.packet = host.frame;
  }

  #ownNetworks(lower: (timer: Timer) => Lower): Networks {
    const { random32, peerMayUse, madeUpPeerAddress, plain } = this.#host;
    const host = {
      lower,
      wakeAt: (timer: Timer, at: number) => this.#timers.set(timer, at),
      emit: (event: LinkEvent) => this.#emit(event),
      log: (level: Level, text: string) => this.#log(level, text),
      closeLink: (reason: string, now: number) => this.#lcp.close(reason, now),
      random32,
      peerMayUse,
      madeUpPeerAddress,
    };
    return new Networks(this.#config.networks, host, plain);
  }

  #lineCounters(): ConstructorParameters<typeof LqrMonitor>[1] {
    const { framer } = this.#framing;
    const { stats } = this.deframer;
    return {
      packetsOut: () => framer.stats.frames,
      octetsOut: () => framer.stats.counted,
      packetsIn: () => stats.frames,
      octetsIn: () => stats.counted,
      errorsIn: () => stats.badFcs + stats.overlong + stats.aborted,
      discardsIn: () => 0,
      frameOctets: (length) => {
        const { fcs, accomp } = this.#lcpOptions.peer;
        return length + 2 + (accomp ? 0 : 2) + (fcs === 32 ? 4 : 2) + 1;
      },
    };
  }

  get #measuresQuality(): boolean {
    return this.#lcpOptions.got.quality !== undefined || this.#lcpOptions.peer.quality !== undefined;
  }

  get framesSent(): number {
    return this.#framing.framer.stats.frames;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /**
   * The line is there: negotiation starts, or waits for the peer (silent). First it is listened to for `listenMs`, in
   * case the peer begins: after a connect script one side is always a little behind.
   */
  open(now: number, listenMs = 0): void {
    this.#now = now;
    this.deframer.reset();
    this.#setPhase("establish");
    this.#framing.reset();
    this.#heard?.open(now, listenMs);
    this.#lcp.open(now);
    if (listenMs > 0) this.#timers.set("listen", now + listenMs);
    else this.#lcp.lowerUp(now);
  }

  /** The peer was heard, or it was listened to for long enough. */
  #listened(now: number): void {
    this.#timers.stop("listen");
    this.#lcp.lowerUp(now);
  }

  /** Ends the link in good order; `reason` is told to the peer. */
  close(reason: string, now: number): void {
    this.#now = now;
    const waiting = this.#lcp.state === State.Stopped || this.#lcp.state === State.Starting;
    this.#timers.stop("listen");
    this.#heard?.over();
    this.#lcp.close(reason, now);
    // Nothing was begun, so nothing has to end: pppd does not wait here either.
    if (waiting) this.#lcpFinished();
  }

  /**
   * Has "caught-up" follow when the peer has dealt with all that was said so far, in a second at the latest: one whose
   * kernel takes packets and whose pppd opens the way for them drops what comes in between.
   */
  awaitPeer(now: number): void {
    this.#now = now;
    this.#timers.set("caughtUp", now + CATCH_UP_MS);
    this.#echo.ask();
  }

  #caughtUp(): void {
    this.#timers.stop("caughtUp");
    this.#emit({ type: "caught-up" });
  }

  /** The line is gone. */
  hangup(now: number): void {
    this.#now = now;
    this.#heard?.hungUp();
    this.#lcp.lowerDown(now);
    this.#timers.stopAll();
    this.#framing.discard();
    this.#setPhase("dead");
  }

  /** What a proof was waiting for is there: to be called once its maker (EAP-TLS) is no longer busy. */
  authResume(now: number): void {
    this.#now = now;
    this.#authentication.resume(now);
  }

  /** The owner's answer to a pap-request; `message` is for the peer's user. */
  papVerdict(accepted: boolean, message: string, now: number): void {
    this.#now = now;
    this.#authentication.papVerdict(accepted, message, now);
  }

  /** True when the two sides have agreed to let the line carry packets of LCP at least. */
  get lcpOpened(): boolean {
    return this.#lcp.opened;
  }

  /** Why the line cannot carry PPP, as far as its octets tell. */
  get uncleanness(): Uncleanness | undefined {
    return this.#heard?.uncleanness;
  }

  takeEvent(): LinkEvent | undefined {
    return this.#events.shift();
  }

  /** The nearest deadline, or Infinity. */
  nextTimeout(): number {
    return this.#timers.next();
  }

  handleTimeout(now: number): void {
    this.#now = now;
    for (let timer; (timer = this.#timers.takeExpired(now)) !== undefined;) {
      this.#expired = true;
      switch (timer) {
        case "listen":
          this.#listened(now);
          break;
        case "lcp":
          this.#lcp.timeout(now);
          break;
        case "lqr":
          this.#lqr.timeout(now);
          break;
        case "ccp":
        case "ccpReset":
        case "ipcp":
        case "ipv6cp":
          this.networks.timeout(timer, now);
          break;
        case "echo":
          this.#echo.timeout(now);
          break;
        case "caughtUp":
          this.#caughtUp();
          break;
        case "heard":
          this.#heard?.timeout();
          break;
        case "papClient":
        case "papServer":
        case "chapClient":
        case "chapServer":
        case "eapClient":
        case "eapServer":
          this.#authentication.timeout(timer, now);
          break;
        case "stall":
          break;
        default:
          timer satisfies never;
      }
      this.#expired = false;
    }
  }

  // ── from the line ────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Reads `input` up to the end of the first IP packet, answering everything else on the way. True: there is one, in
   * the frame buffer from packetStart to packetEnd, until the next call. False: all of the input is consumed.
   */
  receive(input: Ring, now: number): boolean {
    this.#now = now;
    const { deframer } = this;
    // What was held for want of a fragment may have become whole without another.
    if (this.#bundle !== undefined && this.#guarded(this.#takeHeld, now)) return true;
    while (input.length > 0) {
      const at = input.readAt;
      const stopped = deframer.push(input.bytes, at, at + input.readable);
      this.#heard?.octets(input.bytes, at, stopped, now);
      input.consume(stopped - at);
      if (deframer.length > 0 && this.#guarded(this.#receiveFrame, now)) return true;
    }
    return false;
  }

  /**
   * The last guard: an exception while a frame is handled is a fault of ours, and costs that frame and nothing else. Each
   * place in the code is named in the log once.
   */
  #guarded(handle: (now: number) => boolean, now: number): boolean {
    try {
      return handle.call(this, now);
    } catch (error) {
      this.deframer.stats.faults++;
      const place = placeOf(error);
      if (!this.#faults.has(place))
        this.#log("error", `Dropped a received frame because of a fault in this program: ${String(error)} ${place}`);
      this.#faults.add(place);
      return false;
    }
  }

  #takeHeld(now: number): boolean {
    return this.#takeFromBundle(this.#bundle!, now);
  }

  #receiveFrame(now: number): boolean {
    const { frame, length } = this.deframer;
    // Uncompressed header, compressed header or a mixture: what we agreed to is a licence, not a duty.
    const start = addressEnd(frame, 0, length);
    const at = protocolEnd(frame, start, length);
    // The deframer lets no other frame pass.
    if (at < 0) return false;
    const protocol = protocolAt(frame, start, at);
    if (protocol < FIRST_CONTROL && this.#phase === "network") return this.#receiveData(protocol, at, length, now);
    this.#receiveControl(protocol, frame, at, length, now);
    return false;
  }

  #receiveData(protocol: number, start: number, end: number, now: number): boolean {
    const { networks, deframer } = this;
    const { frame } = deframer;
    const bundle = this.#bundle;
    if (bundle !== undefined && protocol === Protocol.MP) {
      bundle.receive(this, frame, start, end);
      return this.#takeFromBundle(bundle, now);
    }
    const bad = this.#framing.badFrames;
    if (bad !== this.#badFrames) networks.datapath.frameLost();
    this.#badFrames = bad;
    if (bundle !== undefined) return bundle.takePacket(this, protocol, frame, start, end, now) && this.#foundBy(bundle);
    if (networks.receiveData(protocol, frame, start, end, now)) {
      const { datapath } = networks;
      this.packet = datapath.packet;
      this.packetStart = datapath.start;
      this.packetEnd = datapath.end;
      return true;
    }
    // Data that came before its network protocol was up, or after, is nobody's; of a protocol nobody here has, news.
    if (networks.carries(protocol) && (networks.protocol < 0 || networks.carries(networks.protocol))) return false;
    const { packet, start: at, end: stop } = networks.datapath;
    this.#receiveControl(networks.protocol < 0 ? protocol : networks.protocol, packet, at, stop, now);
    return false;
  }

  #takeFromBundle(bundle: Bundle, now: number): boolean {
    return bundle.take(this, now) && this.#foundBy(bundle);
  }

  #foundBy(bundle: Bundle): true {
    this.packet = bundle.packet;
    this.packetStart = bundle.start;
    this.packetEnd = bundle.end;
    return true;
  }

  #receiveControl(protocol: number, frame: Uint8Array, start: number, end: number, now: number): void {
    this.trace.packet("rcvd", protocol, frame, start, end, this.networks.up);
    this.#heard?.packet(protocol, start < end ? frame[start] : undefined);
    if (protocol === Protocol.LCP) {
      if (this.#lcp.state === State.Starting) this.#listened(now);
      this.#lcp.receive(frame, start, end, now);
      return;
    }
    if (!this.#lcp.opened) {
      this.#log("debug", "Discarded non-LCP packet when LCP not open");
      return;
    }
    if (protocol === Protocol.LQR && this.#measuresQuality) {
      this.#lqr.receive(frame, start, end, now);
      return;
    }
    if (protocol === Protocol.CBCP && this.#cbcp !== undefined) {
      this.#cbcp.receive(frame, start, end, now);
      return;
    }
    if (this.#authentication.receive(protocol, frame, start, end, now)) return;
    if (this.#phase === "authenticate" && this.networks.speaks(protocol)) this.#authentication.heardNetwork(now);
    if (this.#phase !== "network") {
      this.#log("debug", `discarding proto 0x${protocol.toString(16)} in phase ${PHASES.indexOf(this.#phase)}`);
      return;
    }
    if (!this.networks.receiveControl(protocol, frame, start, end, now))
      this.rejectProtocol(protocol, frame, start, end);
  }

  rejectProtocol(protocol: number, frame: Uint8Array, start: number, end: number): void {
    if (this.trace.level > 0) {
      const name = protocolName(protocol);
      const hex = `0x${protocol.toString(16)}`;
      this.#log("warn", `Unsupported protocol ${name === undefined ? hex : `'${name}' (${hex})`} received`);
    }
    // As much of the packet as the peer is sure to take, behind the protocol in two octets.
    const most = (this.#lcpOptions.peer.mru ?? DEFAULT_MRU) - 6;
    const rejected = new Uint8Array(2 + Math.min(end - start, most, CONTROL_ROOM - 16));
    rejected[0] = protocol >>> 8;
    rejected[1] = protocol;
    rejected.set(frame.subarray(start, start + rejected.length - 2), 2);
    const id = this.#lcp.nextId();
    this.#sendControl(Protocol.LCP, (buf, at) => putProtocolReject(buf, at, id, rejected, 0, rejected.length));
  }

  // ── to the line ──────────────────────────────────────────────────────────────────────────────────────────────────

  hasRoom(length: number): boolean {
    return this.#framing.hasRoom(length);
  }

  /**
   * Sends the IP packet[start, end); there are HEADROOM octets to spare before it and FCS_ROOM behind. The caller made sure
   * of {@link hasRoom}. False: there is no link for it, and it is lost.
   */
  send(packet: Uint8Array, start: number, end: number, now: number): boolean {
    const { networks } = this;
    const protocol = networks.sendData(packet, start, end, now);
    if (protocol === LOST) return false;
    const { datapath } = networks;
    this.#framing.send(protocol, datapath.packet, datapath.start, datapath.end, now);
    return true;
  }

  sendPacket(protocol: number, packet: Uint8Array, start: number, end: number, now: number): void {
    this.#framing.send(protocol, packet, start, end, now);
  }

  get frame(): Uint8Array {
    return this.deframer.frame;
  }

  load(now: number): { rate: number; backlog: number } {
    return this.#host.load?.(now) ?? { rate: 0, backlog: 0 };
  }

  flush(now: number): void {
    this.#framing.flush(now);
  }

  #sendControl(protocol: number, write: (buf: Uint8Array, at: number) => number): void {
    const framing = this.#framing;
    framing.compose(write);
    this.trace.packet("sent", protocol, framing.control, HEADROOM, framing.controlEnd, this.networks.up);
    framing.sendControl(protocol, this.#now);
  }

  // ── LCP ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  #lcpUp(now: number): void {
    const { got, peer } = this.#lcpOptions;
    this.#heard = undefined;
    this.#timers.stop("heard");
    this.#framing.agree(got, peer);
    this.#emit({ type: "lcp-up", mtu: this.#mtu });
    this.#echo.start(now);
    if (this.#measuresQuality) this.#lqr.start(now, peer.quality === undefined ? undefined : peer.quality * 10);
    this.#authenticate(now);
  }

  get #mtu(): number {
    const { got, peer } = this.#lcpOptions;
    return Math.min(peer.mru ?? DEFAULT_MRU, got.mru ?? DEFAULT_MRU, this.#config.mtu);
  }

  #lcpDown(now: number): void {
    this.#echo.stop();
    this.#timers.stop("caughtUp");
    this.#lqr.stop();
    this.#cbcp?.stop();
    this.#authentication.stop();
    if (this.#bundle === undefined) this.networks.stop(now);
    else this.#bundle.leave(this, now);
    this.#framing.reset();
    this.#emit({ type: "lcp-down" });
    this.#setPhase("establish");
  }

  #lcpFinished(): void {
    this.#heard?.over();
    this.#timers.stopAll();
    this.#setPhase("dead");
    this.#emit({ type: "terminated", waited: this.#expired });
  }

  #loopedBack(): void {
    this.#log("notice", "Serial line is looped back.");
    this.#heard?.loopedBack();
    this.#fail("loopback", "Loopback detected", this.#now);
  }

  #echoReply(now: number, ours: boolean, data: Uint8Array): void {
    if (ours) this.#log("warn", "appear to have received our own echo-reply!");
    else {
      this.#echo.answered(now, data);
      if (this.#echo.isAnswer(data)) this.#caughtUp();
    }
  }

  #peerDead(unanswered: number, now: number): void {
    this.#log("info", `No response to ${unanswered} echo-requests`);
    this.#log("notice", "Serial link appears to be disconnected.");
    this.#fail("peer-dead", "Peer not responding", now);
  }

  #protocolRejected(protocol: number, now: number): void {
    if (protocol === Protocol.LCP) this.#lcp.protocolRejected(now);
    else if (this.#authentication.speaks(protocol)) this.#authentication.protocolRejected(protocol, now);
    else this.networks.protocolRejected(protocol, now);
  }

  #fail(failure: Failure, reason: string, now: number): void {
    this.#emit({ type: "failure", failure });
    this.#lcp.close(reason, now);
  }

  // ── the phases after LCP ─────────────────────────────────────────────────────────────────────────────────────────

  #authenticate(now: number): void {
    const { got, peer } = this.#lcpOptions;
    if (this.#config.lcp.authRequired && got.auth === undefined && !this.#host.admitsStrangers()) {
      this.#log("warn", "peer refused to authenticate: terminating link");
      this.#fail("peer-not-authenticated", "peer refused to authenticate", now);
      return;
    }
    if (this.#config.needPeerEap && peer.auth !== "eap") {
      const able = this.#config.lcp.accept.includes("eap");
      const problem = able
        ? "peer doesn't want to authenticate us with eap"
        : "eap required to authenticate us but no suitable secrets";
      this.#log("warn", problem);
      this.#fail(able ? "peer-not-authenticated" : "we-not-authenticated", "couldn't negotiate eap", now);
      return;
    }
    this.#setPhase("authenticate");
    this.#authentication.start(got.auth, peer.auth, now);
  }

  /** Who is who is proved: what remains to be settled is who pays. */
  #proved(now: number): void {
    if (this.#cbcp === undefined || !this.#lcpOptions.got.callback) {
      this.#startNetworks(now);
      return;
    }
    this.#setPhase("callback");
    this.#cbcp.start();
  }

  #startNetworks(now: number): void {
    const bundle = this.#bundle;
    this.#setPhase("network");
    if (bundle === undefined) {
      this.networks.start(this.#authentication.mppeKeys(), now);
      return;
    }
    const { got, peer } = this.#lcpOptions;
    const trouble = bundle.join(
      this,
      {
        peerName: this.#authentication.peerName,
        endpoint: peer.endpoint,
        multilink: got.mrru !== undefined && peer.mrru !== undefined,
        ourMrru: got.mrru ?? DEFAULT_MRU,
        peerMrru: peer.mrru ?? DEFAULT_MRU,
        ourShortSequence: got.shortSequence,
        peerShortSequence: peer.shortSequence,
        peerMru: peer.mru ?? DEFAULT_MRU,
        keys: this.#authentication.mppeKeys(),
      },
      now,
    );
    if (trouble === undefined) return;
    this.#log("error", `This link cannot join the bundle: ${trouble}`);
    this.#fail("not-in-bundle", "Not in the bundle", now);
  }

  // ── what is said ─────────────────────────────────────────────────────────────────────────────────────────────────

  #setPhase(phase: Phase): void {
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#emit({ type: "phase", phase });
  }

  #emit(event: LinkEvent): void {
    this.#events.push(event);
  }

  #log(level: Level, text: string): void {
    if (level !== "debug" || this.trace.level > 0) this.#emit({ type: "log", level, text });
  }
}

/** Where an error was thrown: the first place of ours in its stack, which what is built in has none of. */
function placeOf(error: unknown): string {
  const lines = error instanceof Error ? (error.stack ?? "").split("\n") : [];
  return lines.find((line) => /^\s*at .*:\d+/.test(line))?.trim() ?? "at an unknown place";
}
