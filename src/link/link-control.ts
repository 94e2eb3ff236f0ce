// The link control of a link: LCP, the echoes and quality reports while LCP is up, and the record of what was heard
// before (RFC 1661 §3.4, §5.7–§5.8; RFC 1989).

import { TrialNoise } from "./trial-noise.ts";
import { State } from "../control/automaton.ts";
import type { Level, Lower } from "../control/dialect.ts";
import { Echo, type EchoConfig } from "../control/echo.ts";
import type { EchoTimes } from "../control/echo-times.ts";
import { Lcp, type LcpConfig, type LcpOwner } from "../control/lcp-dialect.ts";
import { type LineCounters, LqrMonitor } from "../control/lqr-monitor.ts";
import { Negotiator } from "../control/negotiator.ts";
import { DEFAULT_MRU } from "../control/options/lcp/max-receive-unit.ts";
import { climbMagic, isClimbPacket, parseClimb, putClimb } from "../wire/climb-packet.ts";
import { Code, type Control, HEADER_LENGTH } from "../wire/control.ts";
import { putMagic, putProtocolReject } from "../wire/lcp.ts";
import { Protocol } from "../wire/protocols.ts";
import { Climb } from "./climb.ts";
import type { ClimbHost } from "./climb-state.ts";
import type { Failure, LinkEvent } from "./events.ts";
import { CONTROL_ROOM, type Framing } from "./framing.ts";
import { HeardReport } from "./heard-report.ts";
import type { LineSpeed } from "./line-speed.ts";
import type { LinkHost } from "./link-host.ts";
import type { Timer, Timers } from "./timers.ts";

export interface LinkControlHost {
  readonly framing: Framing;
  readonly timers: Timers;
  lower(timer: Timer): Lower;
  emit(event: LinkEvent): void;
  log(level: Level, text: string): void;
  random32(): number;
  readonly hosted: Pick<LinkHost, "timed" | "isShared" | "line">;
  /** A network protocol is up. */
  isUp(): boolean;
  /** The longest packet that may be sent, as LCP agreed. */
  mtu(): number;
  /** True for a protocol of the later phases. */
  speaks(protocol: number): boolean;
  /** The peer rejected a protocol of the later phases. */
  protocolRejected(protocol: number, now: number): void;
  /** LCP is up: the later phases may begin. */
  up(now: number): void;
  /** LCP is no longer up: the later phases end. */
  down(now: number): void;
  finished(): void;
}

/** The timers of link control. */
export type LinkControlTimer = "listen" | "lcp" | "lqr" | "echo" | "caughtUp" | "climb" | "closing" | "heard";

/** Like pppd, we give a peer this time to set up its interface. */
const CATCH_UP_MS = 1000;
/** A link that is to end waits no longer than this for the two ends to have the same speed, and looks so often. */
const SPEED_MS = 1000;
const SPEED_LOOK_MS = 10;

export class LinkControl {
  /** The options of both sides. */
  readonly options: Lcp;
  /** What was heard before LCP opened for the first time. */
  heard: HeardReport | undefined;
  /** Undefined: the speed of the line stays. */
  readonly climb: Climb | undefined;
  readonly #host: LinkControlHost;
  readonly #lcp: Negotiator;
  readonly #lower: Lower;
  readonly #echo: Echo;
  readonly #lqr: LqrMonitor;
  #now = 0;
  /** The link is to end: for this reason, and then at the latest. */
  #closing: { readonly reason: string; readonly by: number } | undefined;

  constructor(config: LcpConfig, echo: EchoConfig, host: LinkControlHost) {
    this.#host = host;
    const { stats } = host.framing.deframer;
    this.#lower = { ...host.lower("lcp"), isTextHeard: () => this.heard?.isText ?? false };
    this.options = new Lcp(config, this.#lower, this.#lcpOwner());
    this.#lcp = new Negotiator(this.options, this.#lower, config.limits, config.start);
    this.heard = new HeardReport({
      stats,
      silent: config.start.silent ?? false,
      isShared: () => host.hosted.isShared?.() ?? false,
      magic: () => this.#magic,
      wakeAt: (at) => host.timers.set("heard", at),
      log: (level, text) => host.log(level, text),
      explained: () => host.emit({ type: "unanswered" }),
    });
    this.#echo = new Echo(echo, {
      sendEcho: (id, data) =>
        this.#lower.send(Protocol.LCP, (buf, at) => putMagic(buf, at, Code.EchoReq, id, this.#magic, data)),
      timed: host.hosted.timed,
      packetsIn: () => stats.frames,
      peerDead: (unanswered, now) => this.#peerDead(unanswered, now),
      wakeAt: (at) => host.timers.set("echo", at),
    });
    this.#lqr = new LqrMonitor(host.lower("lqr"), this.#lineCounters(), () => this.#magic);
    const { line } = host.hosted;
    if (line !== undefined) this.climb = new Climb(this.#climbHost(line));
  }

  #climbHost(line: LineSpeed): ClimbHost {
    const { framing, timers } = this.#host;
    return {
      line,
      send: (packet, pattern) => {
        const content = { magic: this.#magic, packet, pattern };
        framing.isPassing = true;
        this.#lower.send(Protocol.LCP, (buf, at) => putClimb(buf, at, this.#lcp.nextId(), content));
      },
      hold: (on) => (framing.isHeld = on),
      counts: () => ({ good: framing.deframer.stats.frames, bad: framing.badFrames }),
      noise: new TrialNoise(framing.deframer.stats),
      mru: () => this.options.peer.mru ?? DEFAULT_MRU,
      isUp: () => this.#host.isUp(),
      random32: () => this.#host.random32(),
      wakeAt: (at) => timers.set("climb", at),
      log: (level, text) => this.#host.log(level, text),
    };
  }

  #lcpOwner(): LcpOwner {
    const host = this.#host;
    return {
      lcpUp: (now) => this.#up(now),
      lcpDown: (now) => this.#down(now),
      lcpFinished: () => this.#finished(),
      // pppd does not say why its requests were not answered.
      lcpGaveUp: () => this.heard?.over(),
      cannotProve: (method) => host.emit({ type: "unproven", method }),
      loopedBack: () => this.#loopedBack(),
      protocolRejected: (protocol, now) => {
        if (protocol === Protocol.LCP) this.#lcp.protocolRejected(now);
        else host.protocolRejected(protocol, now);
      },
      speaks: (protocol) =>
        protocol === Protocol.LCP || (protocol === Protocol.LQR && this.#measuresQuality) || host.speaks(protocol),
      vendorPacket: (packet, control, now) => this.#vendorPacket(packet, control, now),
      vendorRejected: () => this.climb?.rejected() ?? false,
      echoReply: (...reply) => this.#echoReply(...reply),
      random32: () => host.random32(),
    };
  }

  #lineCounters(): LineCounters {
    const { framer, deframer } = this.#host.framing;
    const { stats } = deframer;
    return {
      packetsOut: () => framer.stats.frames,
      octetsOut: () => framer.stats.counted,
      packetsIn: () => stats.frames,
      octetsIn: () => stats.counted,
      errorsIn: () => stats.badFcs + stats.overlong + stats.aborted,
      discardsIn: () => 0,
      frameOctets: (length) => {
        const { fcs, accomp } = this.options.peer;
        return length + 2 + (accomp ? 0 : 2) + (fcs === 32 ? 4 : 2) + 1;
      },
    };
  }

  get opened(): boolean {
    return this.#lcp.opened;
  }

  get endedByPeer(): boolean {
    return this.#lcp.endedByPeer;
  }

  get echoTimes(): EchoTimes {
    return this.#echo.times;
  }

  get #magic(): number {
    return this.options.got.magic ?? 0;
  }

  get #measuresQuality(): boolean {
    return this.options.got.quality !== undefined || this.options.peer.quality !== undefined;
  }

  // ── beginning and end ────────────────────────────────────────────────────────────────────────────────────────────

  /** The line is there. For `listenMs` we only listen. */
  open(now: number, listenMs: number): void {
    this.#now = now;
    this.heard?.open(now, listenMs);
    this.#lcp.open(now);
    if (listenMs > 0) this.#host.timers.set("listen", now + listenMs);
    else this.#lcp.lowerUp(now);
  }

  /** The peer was heard, or the time for listening is over. */
  #listened(now: number): void {
    this.#host.timers.stop("listen");
    this.#lcp.lowerUp(now);
  }

  /** Ends the link in good order. `reason` is sent to the peer. */
  end(reason: string, now: number): void {
    this.#now = now;
    const waiting = this.#lcp.state === State.Stopped || this.#lcp.state === State.Starting;
    this.#host.timers.stop("listen");
    this.heard?.over();
    this.close(reason, now);
    // LCP has not started, so nothing has to end. Like pppd, we do not wait here.
    if (waiting) this.#finished();
  }

  /** A layer above ends the link. While a speed is tried, the other end would not hear of it. */
  close(reason: string, now: number): void {
    this.#closing ??= { reason, by: now + SPEED_MS };
    this.#closeInTime(now);
  }

  #closeInTime(now: number): void {
    if (this.#closing === undefined) return;
    const { reason, by } = this.#closing;
    if (this.climb?.isBetweenSpeeds === true && now < by) {
      this.#host.timers.set("closing", now + SPEED_LOOK_MS);
      return;
    }
    this.#closing = undefined;
    this.#host.timers.stop("closing");
    this.#lcp.close(reason, now);
  }

  /** Sends a Configure-Request from the open state. False: LCP is not open, is to be closed, or the line changes its speed. */
  renegotiate(now: number): boolean {
    this.#now = now;
    if (this.#closing !== undefined || this.climb?.isBetweenSpeeds === true) return false;
    return this.#lcp.renegotiate(now);
  }

  fail(failure: Failure, reason: string, now: number): void {
    this.#host.emit({ type: "failure", failure });
    this.#lcp.close(reason, now);
  }

  /** The line is gone. */
  hangup(now: number): void {
    this.#now = now;
    this.heard?.hungUp();
    this.#lcp.lowerDown(now);
  }

  #up(now: number): void {
    const { options } = this;
    const { framing, timers } = this.#host;
    const { quality } = options.peer;
    this.heard = undefined;
    timers.stop("heard");
    framing.agree(options.got, options.peer);
    this.#host.emit({ type: "lcp-up", mtu: this.#host.mtu() });
    this.#echo.start(now);
    if (this.#measuresQuality) this.#lqr.start(now, quality === undefined ? undefined : quality * 10);
    this.#host.up(now);
  }

  #down(now: number): void {
    this.#echo.stop();
    this.#host.timers.stop("caughtUp");
    this.#lqr.stop();
    this.climb?.stop(now);
    this.#closing = undefined;
    this.#host.down(now);
  }

  #finished(): void {
    this.heard?.over();
    this.#host.timers.stopAll();
    this.#host.finished();
  }

  timeout(timer: LinkControlTimer, now: number): void {
    this.#now = now;
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
      case "echo":
        this.#echo.timeout(now);
        break;
      case "caughtUp":
        this.#caughtUp();
        break;
      case "climb":
        this.climb?.timeout(now);
        break;
      case "closing":
        this.#closeInTime(now);
        break;
      case "heard":
        this.heard?.timeout();
        break;
      default:
        timer satisfies never;
    }
  }

  // ── packets ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Takes a packet of LCP. */
  receive(packet: Uint8Array, start: number, end: number, now: number): void {
    this.#now = now;
    if (this.#lcp.state === State.Starting) this.#listened(now);
    this.#lcp.receive(packet, start, end, now);
  }

  #vendorPacket(packet: Uint8Array, control: Control, now: number): boolean {
    const { climb } = this;
    if (climb === undefined || !isClimbPacket(packet, control.dataStart - HEADER_LENGTH, control.dataEnd)) return false;
    // Our own packets come back from a looped line.
    if (this.#magic !== 0 && climbMagic(packet, control) === this.#magic) return true;
    return climb.receive(parseClimb(packet, control), now);
  }

  /** Takes a quality report. False: none were agreed on. */
  receiveReport(packet: Uint8Array, start: number, end: number, now: number): boolean {
    if (!this.#measuresQuality) return false;
    this.#lqr.receive(packet, start, end, now);
    return true;
  }

  /** Sends a Protocol-Reject with as much of packet[start, end) as the peer takes for certain. */
  rejectProtocol(protocol: number, packet: Uint8Array, start: number, end: number): void {
    const most = (this.options.peer.mru ?? DEFAULT_MRU) - 6;
    const rejected = new Uint8Array(2 + Math.min(end - start, most, CONTROL_ROOM - 16));
    rejected[0] = protocol >>> 8;
    rejected[1] = protocol;
    rejected.set(packet.subarray(start, start + rejected.length - 2), 2);
    const id = this.#lcp.nextId();
    this.#lower.send(Protocol.LCP, (buf, at) => putProtocolReject(buf, at, id, rejected, 0, rejected.length));
  }

  #loopedBack(): void {
    this.#host.log("notice", "Serial line is looped back.");
    this.heard?.loopedBack();
    this.fail("loopback", "Loopback detected", this.#now);
  }

  /** Sends an extra echo. The event "caught-up" follows when it is answered, or after a second. */
  awaitPeer(now: number): void {
    this.#host.timers.set("caughtUp", now + CATCH_UP_MS);
    this.#echo.ask(now);
  }

  #caughtUp(): void {
    this.#host.timers.stop("caughtUp");
    this.#host.emit({ type: "caught-up" });
  }

  #echoReply(now: number, ours: boolean, data: Uint8Array, id: number): void {
    if (ours) {
      this.#host.log("warn", "appear to have received our own echo-reply!");
      return;
    }
    this.#echo.answered(now, data, id);
    if (this.#echo.isAnswer(data)) this.#caughtUp();
  }

  #peerDead(unanswered: number, now: number): void {
    this.#host.log("info", `No response to ${unanswered} echo-requests`);
    this.#host.log("notice", "Serial link appears to be disconnected.");
    this.fail("peer-dead", "Peer not responding", now);
  }
}
