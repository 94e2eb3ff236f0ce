// One PPP link, whole and synchronous: bytes and packets in, bytes and packets and events out (RFC 1661 §3).
//
// It reads no clock and opens nothing: `now` is the owner's, in milliseconds, and never runs backwards. Nothing a peer
// sends makes it throw.

import type { Ring } from "../bytes/ring.ts";
import { PapClient, type PapConfig, PapServer } from "../auth/pap.ts";
import { Echo, type EchoConfig } from "../control/echo.ts";
import { Ipcp, type IpcpConfig, type IpcpResult } from "../control/ipcp.ts";
import { type AuthMethod, DEFAULT_MRU, Lcp, type LcpConfig } from "../control/lcp.ts";
import { type Level, type Lower, Negotiator } from "../control/negotiator.ts";
import { State } from "../control/automaton.ts";
import { ACCM_ALL } from "../frame/accm.ts";
import { Deframer } from "../frame/deframer.ts";
import { Framer, worstFrame } from "../frame/framer.ts";
import { ADDRESS, CONTROL, HEADROOM, putHeader } from "../frame/header.ts";
import { describePacket } from "../wire/describe.ts";
import { Code } from "../wire/control.ts";
import { ipv4Text } from "../wire/ip.ts";
import { putMagic, putProtocolReject } from "../wire/lcp.ts";
import { parsePap } from "../wire/pap.ts";
import { Protocol, protocolName } from "../wire/protocols.ts";
import type { Failure, LinkEvent, Phase } from "./events.ts";
import { type Timer, Timers } from "./timers.ts";

export interface LinkConfig {
  lcp: LcpConfig;
  echo: EchoConfig;
  pap: PapConfig;
  /** Undefined: no IPv4 on this link (noip). */
  ipcp: IpcpConfig | undefined;
  /** Upper limit of what we send in one packet (`mtu`). */
  mtu: number;
  /** Octets never sent as they are (`escape`). */
  escape: readonly number[];
  /** Take control characters that the receive ACCM says to drop (`receive-all`). */
  receiveAll: boolean;
  /** Who we say we are, and our password: asked for when the peer wants it. */
  user: string;
  password: () => string;
  /** 0: no packets in the log; 1: control packets, without echoes once a network protocol is up; 2: all. */
  debug: number;
  hidePassword: boolean;
}

/** What a link is given to work with. */
export interface LinkHost {
  /** Frames for the line go in here. */
  output: Ring;
  /** The buffer frames are put together in, MAX_FRAME octets: what {@link Link.receive} found is a part of it. */
  frame: Uint8Array;
  /** A random number of 32 bits. */
  random32: () => number;
  /** May the peer, having proved who it is, use this address? */
  peerMayUse: (address: number) => boolean;
  /** May a peer that refused to prove anything come in all the same? */
  admitsStrangers: () => boolean;
  /** The peer's address when neither side has one. */
  madeUpPeerAddress: () => number;
}

/** In the order of pppd's phase numbers, where a log line gives one; some of them only pppd has. */
const PHASES = ["dead", "", "", "", "establish", "authenticate", "", "network", "", "terminate"];
/** Where pppd cuts a line of the log. */
const LONGEST_LINE = 1023;
/** Control packets kept while the line takes nothing. More is a flood, and the peer asks again anyway. */
const MOST_WAITING = 32;
/** The largest control packet we make: a Configure-Request with every option, or a Reject of a long packet. */
const CONTROL_ROOM = 2048;

export class Link {
  /** True while packets go out and come in. */
  ipv4Up = false;
  /** IP packets and their octets, since the last ipv4-up; when the last of them passed. */
  readonly traffic = { packetsIn: 0, packetsOut: 0, octetsIn: 0, octetsOut: 0, lastAt: 0 };
  /** Where in the frame buffer the packet is that receive() found. */
  packetStart = 0;
  packetEnd = 0;
  debug: number;
  readonly deframer: Deframer;
  readonly #config: LinkConfig;
  readonly #host: LinkHost;
  readonly #framer: Framer;
  readonly #timers = new Timers();
  readonly #lcpOptions: Lcp;
  readonly #lcp: Negotiator;
  readonly #echo: Echo;
  readonly #papClient: PapClient;
  readonly #papServer: PapServer;
  readonly #ipcpOptions: Ipcp | undefined;
  readonly #ipcp: Negotiator | undefined;
  readonly #control = new Uint8Array(HEADROOM + CONTROL_ROOM);
  readonly #waiting: { packet: Uint8Array; plain: boolean }[] = [];
  #events: LinkEvent[] = [];
  #phase: Phase = "dead";
  #pcomp = false;
  #accomp = false;
  #now = 0;
  /** Octets on the line of the packet sent last. */
  #lineOctets = 0;
  /** Proofs still owed: by the peer to us, by us to the peer. */
  #proofs = new Set<"peer" | "us">();
  #openNetworks = 0;
  #expired = false;

  constructor(config: LinkConfig, host: LinkHost) {
    this.#config = config;
    this.#host = host;
    this.debug = config.debug;
    this.deframer = new Deframer(host.frame);
    this.#framer = new Framer(host.output, config.escape);
    const lower = (timer: Timer): Lower => ({
      send: (protocol, write) => this.#sendControl(protocol, write),
      log: (level, text) => this.#log(level, text),
      wakeAt: (at) => this.#timers.set(timer, at),
      roundTrip: (milliseconds) => this.#emit({ type: "round-trip", milliseconds, octets: this.#lineOctets }),
    });
    this.#lcpOptions = new Lcp(config.lcp, lower("lcp"), {
      lcpUp: (now) => this.#lcpUp(now),
      lcpDown: (now) => this.#lcpDown(now),
      lcpFinished: () => this.#lcpFinished(),
      loopedBack: () => this.#loopedBack(),
      protocolRejected: (protocol, now) => this.#protocolRejected(protocol, now),
      speaks: (protocol) =>
        protocol === Protocol.LCP || protocol === Protocol.PAP || (protocol === Protocol.IPCP && !!this.#ipcp),
      echoReply: (_now, ours) => this.#echoReply(ours),
      random32: host.random32,
    });
    this.#lcp = new Negotiator(this.#lcpOptions, lower("lcp"), config.lcp.limits, config.lcp.start);
    this.#echo = new Echo(config.echo, {
      sendEcho: (id) =>
        this.#sendControl(Protocol.LCP, (buf, at) =>
          putMagic(buf, at, Code.EchoReq, id, this.#lcpOptions.got.magic ?? 0),
        ),
      packetsIn: () => this.deframer.stats.frames,
      peerDead: (unanswered, now) => this.#peerDead(unanswered, now),
      wakeAt: (at) => this.#timers.set("echo", at),
    });
    this.#papClient = new PapClient(config.pap, lower("papClient"), (accepted, now) => this.#provedUs(accepted, now));
    this.#papServer = new PapServer(config.pap, lower("papServer"), {
      papRequest: (user, password) => this.#emit({ type: "pap-request", user, password }),
      papDone: (user, accepted, now) => this.#provedPeer(user, accepted, now),
    });
    if (config.ipcp === undefined) return;
    this.#ipcpOptions = new Ipcp(config.ipcp, lower("ipcp"), {
      ipcpUp: (result) => this.#ipcpUp(result),
      ipcpDown: () => this.#ipcpDown(),
      ipcpFinished: (now) => this.#networkFinished(now),
      closeIpcp: (reason, now) => this.#ipcp!.close(reason, now),
      madeUpPeerAddress: host.madeUpPeerAddress,
    });
    this.#ipcp = new Negotiator(this.#ipcpOptions, lower("ipcp"), config.ipcp.limits);
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
    this.#resetFraming();
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
    this.#lcp.close(reason, now);
    // Nothing was begun, so nothing has to end: pppd does not wait here either.
    if (waiting) this.#lcpFinished();
  }

  /** The line is gone. */
  hangup(now: number): void {
    this.#now = now;
    this.#lcp.lowerDown(now);
    this.#timers.stopAll();
    this.#waiting.length = 0;
    this.#setPhase("dead");
  }

  /** Closes IPCP alone, as when its addresses cannot be used. */
  closeIpcp(reason: string, now: number): void {
    this.#now = now;
    this.#ipcp?.close(reason, now);
  }

  /** The owner's answer to a pap-request; `message` is for the peer's user. */
  papVerdict(accepted: boolean, message: string, now: number): void {
    this.#now = now;
    this.#papServer.verdict(accepted, message, now);
  }

  /** The secrets file has an address for this peer. */
  suggestPeerAddress(address: number): void {
    if (this.#ipcpOptions !== undefined) this.#ipcpOptions.wantPeer = address;
  }

  get wantedPeerAddress(): number {
    return this.#ipcpOptions?.wantPeer ?? 0;
  }

  /** True when the two sides have agreed to let the line carry packets of LCP at least. */
  get lcpOpened(): boolean {
    return this.#lcp.opened;
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
        case "ipcp":
          this.#ipcp?.timeout(now);
          break;
        case "echo":
          this.#echo.timeout(now);
          break;
        case "papClient":
          this.#papClient.timeout(now);
          break;
        case "papServer":
          this.#papServer.timeout(now);
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
    while (input.length > 0) {
      const at = input.readAt;
      const stopped = deframer.push(input.bytes, at, at + input.readable);
      input.consume(stopped - at);
      if (deframer.length > 0 && this.#receiveFrame(now)) return true;
    }
    return false;
  }

  #receiveFrame(now: number): boolean {
    const { frame, length } = this.deframer;
    // Uncompressed header, compressed header or a mixture: what we agreed to is a licence, not a duty.
    let at = length >= 2 && frame[0] === ADDRESS && frame[1] === CONTROL ? 2 : 0;
    let protocol = frame[at++]!;
    if ((protocol & 1) === 0) {
      if (at >= length) return false;
      protocol = (protocol << 8) | frame[at++]!;
    }
    if (protocol === Protocol.IP && this.ipv4Up) {
      const { traffic } = this;
      traffic.packetsIn++;
      traffic.octetsIn += length - at;
      traffic.lastAt = now;
      this.packetStart = at;
      this.packetEnd = length;
      return true;
    }
    this.#receiveControl(protocol, frame, at, length, now);
    return false;
  }

  #receiveControl(protocol: number, frame: Uint8Array, start: number, end: number, now: number): void {
    if (this.#traces(protocol, frame[start])) this.#log("debug", `rcvd ${this.#describe(protocol, frame, start, end)}`);
    if (protocol === Protocol.LCP) {
      if (this.#lcp.state === State.Starting) this.#listened(now);
      this.#lcp.receive(frame, start, end, now);
      return;
    }
    if (!this.#lcp.opened) {
      this.#log("debug", "Discarded non-LCP packet when LCP not open");
      return;
    }
    if (protocol === Protocol.PAP) {
      const packet = parsePap(frame, start, end);
      if (packet === undefined) return;
      this.#papClient.receive(packet, now);
      this.#papServer.receive(packet, now);
      return;
    }
    if (this.#phase !== "network") {
      this.#log("debug", `discarding proto 0x${protocol.toString(16)} in phase ${PHASES.indexOf(this.#phase)}`);
      return;
    }
    // Data that came before its network protocol was up, or after.
    if (protocol === Protocol.IP && this.#ipcp !== undefined) return;
    if (protocol === Protocol.IPCP && this.#ipcp !== undefined) this.#ipcp.receive(frame, start, end, now);
    else this.#rejectProtocol(protocol, frame, start, end);
  }

  #rejectProtocol(protocol: number, frame: Uint8Array, start: number, end: number): void {
    if (this.debug > 0) {
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

  /** True when a packet of `length` octets is sure to fit the output. */
  hasRoom(length: number): boolean {
    return this.#waiting.length === 0 && this.#host.output.free >= worstFrame(length + HEADROOM);
  }

  /**
   * Sends the IP packet[start, end); there are HEADROOM octets to spare before it and two behind. The caller made sure
   * of {@link hasRoom}. False: there is no link for it, and it is lost.
   */
  send(packet: Uint8Array, start: number, end: number, now: number): boolean {
    // TUN devices hand over IPv6 as well; nobody here agreed to carry it.
    if (!this.ipv4Up || packet[start]! >>> 4 !== 4) return false;
    const { traffic } = this;
    traffic.packetsOut++;
    traffic.octetsOut += end - start;
    traffic.lastAt = now;
    const at = putHeader(packet, start, Protocol.IP, this.#pcomp, this.#accomp);
    this.#framer.write(packet, at, end, false, now);
    return true;
  }

  /** Sends control packets that found no room earlier. */
  flush(now: number): void {
    while (this.#waiting.length > 0) {
      const { packet, plain } = this.#waiting[0]!;
      if (!this.#framer.hasRoom(packet.length)) return;
      this.#framer.write(packet, 0, packet.length - 2, plain, now);
      this.#waiting.shift();
    }
  }

  #sendControl(protocol: number, write: (buf: Uint8Array, at: number) => number): void {
    const buf = this.#control;
    const end = write(buf, HEADROOM);
    if (this.#traces(protocol, buf[HEADROOM]))
      this.#log("debug", `sent ${this.#describe(protocol, buf, HEADROOM, end)}`);
    // LCP goes out so that a peer which lost everything agreed on can read it (RFC 1661 §6; RFC 1662 §7.1).
    const plain = protocol === Protocol.LCP;
    const at = putHeader(buf, HEADROOM, protocol, this.#pcomp && !plain, this.#accomp && !plain);
    if (this.#waiting.length === 0 && this.#framer.hasRoom(end - at)) {
      const before = this.#framer.stats.octets;
      this.#framer.write(buf, at, end, plain, this.#now);
      this.#lineOctets = this.#framer.stats.octets - before;
    } else if (this.#waiting.length < MOST_WAITING) {
      this.#waiting.push({ packet: buf.slice(at, end + 2), plain });
    }
  }

  // ── LCP ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  #lcpUp(now: number): void {
    const { got, peer } = this.#lcpOptions;
    const { mtu, receiveAll } = this.#config;
    this.#framer.accm = peer.asyncmap ?? ACCM_ALL;
    this.deframer.accm = receiveAll ? 0 : (got.asyncmap ?? ACCM_ALL);
    this.#pcomp = peer.pcomp;
    this.#accomp = peer.accomp;
    const peerMru = peer.mru ?? DEFAULT_MRU;
    this.#emit({ type: "lcp-up", mtu: Math.min(peerMru, got.mru ?? DEFAULT_MRU, mtu) });
    this.#echo.start(now);
    this.#authenticate(now);
  }

  #lcpDown(now: number): void {
    this.#echo.stop();
    this.#papClient.stop();
    this.#papServer.stop();
    this.#proofs.clear();
    this.#ipcp?.lowerDown(now);
    this.#openNetworks = 0;
    this.#resetFraming();
    this.#emit({ type: "lcp-down" });
    this.#setPhase("establish");
  }

  #lcpFinished(): void {
    this.#timers.stopAll();
    this.#setPhase("dead");
    this.#emit({ type: "terminated", waited: this.#expired });
  }

  /** Before LCP agreed on something, and after (RFC 1662 §7.1). */
  #resetFraming(): void {
    this.#framer.accm = ACCM_ALL;
    this.deframer.accm = this.#config.receiveAll ? 0 : ACCM_ALL;
    this.#pcomp = this.#accomp = false;
  }

  #loopedBack(): void {
    this.#log("notice", "Serial line is looped back.");
    this.#fail("loopback", "Loopback detected", this.#now);
  }

  #echoReply(ours: boolean): void {
    if (ours) this.#log("warn", "appear to have received our own echo-reply!");
    else this.#echo.answered();
  }

  #peerDead(unanswered: number, now: number): void {
    this.#log("info", `No response to ${unanswered} echo-requests`);
    this.#log("notice", "Serial link appears to be disconnected.");
    this.#fail("peer-dead", "Peer not responding", now);
  }

  #protocolRejected(protocol: number, now: number): void {
    if (protocol === Protocol.LCP) this.#lcp.protocolRejected(now);
    else if (protocol === Protocol.IPCP && this.#ipcp !== undefined) this.#ipcp.protocolRejected(now);
    else if (protocol === Protocol.PAP) this.#papRejected(now);
  }

  /** The peer agreed to PAP and now knows nothing of it. */
  #papRejected(now: number): void {
    if (this.#proofs.has("us")) {
      this.#log("error", "PAP authentication failed due to protocol-reject");
      this.#papClient.stop();
      this.#provedUs(false, now);
    }
    if (this.#proofs.has("peer")) {
      this.#log("error", "PAP authentication of peer failed due to protocol-reject");
      this.#papServer.stop();
      this.#provedPeer(undefined, false, now);
    }
  }

  #fail(failure: Failure, reason: string, now: number): void {
    this.#emit({ type: "failure", failure });
    this.#lcp.close(reason, now);
  }

  // ── authentication ───────────────────────────────────────────────────────────────────────────────────────────────

  #authenticate(now: number): void {
    const { got, peer } = this.#lcpOptions;
    const { lcp, user, password } = this.#config;
    if (lcp.demand.length > 0 && got.auth === undefined && !this.#host.admitsStrangers()) {
      this.#log("warn", "peer refused to authenticate: terminating link");
      this.#fail("peer-not-authenticated", "peer refused to authenticate", now);
      return;
    }
    this.#setPhase("authenticate");
    if (got.auth !== undefined) this.#proofs.add("peer");
    if (peer.auth !== undefined) this.#proofs.add("us");
    if (got.auth === "pap") this.#papServer.start(now);
    if (peer.auth === "pap") this.#papClient.start(user, password(), now);
    if (this.#proofs.size === 0) this.#startNetworks(now);
  }

  #provedUs(accepted: boolean, now: number): void {
    this.#proofs.delete("us");
    if (!accepted) this.#fail("we-not-authenticated", "Failed to authenticate ourselves to peer", now);
    else if (this.#proofs.size === 0) this.#startNetworks(now);
  }

  #provedPeer(user: string | undefined, accepted: boolean, now: number): void {
    this.#proofs.delete("peer");
    if (!accepted) {
      this.#fail("peer-not-authenticated", "Authentication failed", now);
      return;
    }
    const method: AuthMethod = this.#lcpOptions.got.auth ?? "pap";
    this.#emit({ type: "peer-authenticated", name: user ?? "", method });
    if (this.#proofs.size === 0) this.#startNetworks(now);
  }

  // ── network protocols ────────────────────────────────────────────────────────────────────────────────────────────

  #startNetworks(now: number): void {
    this.#setPhase("network");
    if (this.#ipcp === undefined) {
      this.#emit({ type: "failure", failure: "no-network-protocol" });
      this.#lcp.close("No network protocols running", now);
      return;
    }
    this.#openNetworks = 1;
    this.#ipcp.open(now);
    this.#ipcp.lowerUp(now);
  }

  #networkFinished(now: number): void {
    if (this.#openNetworks === 0) return;
    this.#openNetworks--;
    if (this.#openNetworks === 0) this.#lcp.close("No network protocols running", now);
  }

  #ipcpUp(result: IpcpResult): string | undefined {
    const { our, peer, dns, wins } = result;
    if (peer !== 0 && !this.#host.peerMayUse(peer)) {
      this.#log("error", `Peer is not authorized to use remote address ${ipv4Text(peer)}`);
      return "Unauthorized remote IP address";
    }
    Object.assign(this.traffic, { packetsIn: 0, packetsOut: 0, octetsIn: 0, octetsOut: 0, lastAt: this.#now });
    this.ipv4Up = true;
    this.#emit({ type: "ipv4-up", our, peer, dns, wins });
    return undefined;
  }

  /** Follows every IPCP that was Opened, also one whose addresses would not do: pppd counts up after those too. */
  #ipcpDown(): void {
    this.ipv4Up = false;
    this.#emit({ type: "ipv4-down" });
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
    if (level !== "debug" || this.debug > 0) this.#emit({ type: "log", level, text });
  }

  /** Echoes would drown everything else once the link is up. */
  #traces(protocol: number, code: number | undefined): boolean {
    if (this.debug === 0) return false;
    if (this.debug > 1 || !this.ipv4Up || protocol !== Protocol.LCP) return true;
    return code !== Code.EchoReq && code !== Code.EchoRep;
  }

  #describe(protocol: number, packet: Uint8Array, start: number, end: number): string {
    const whole = new Uint8Array(2 + end - start);
    whole[0] = protocol >>> 8;
    whole[1] = protocol;
    whole.set(packet.subarray(start, end), 2);
    const text = describePacket(whole, 0, whole.length, { hidePassword: this.#config.hidePassword });
    return text.slice(0, LONGEST_LINE - "rcvd ".length);
  }
}
