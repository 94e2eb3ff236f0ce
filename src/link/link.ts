// One PPP link, synchronous and complete: octets, packets and events (RFC 1661 §3).
//
// It reads no clock and opens nothing: `now` comes from the owner, in milliseconds, and never runs backwards. Nothing
// that a peer sends makes receive() throw.

import type { Ring } from "../bytes/ring.ts";
import type { Level, Lower } from "../control/dialect.ts";
import { DEFAULT_MRU } from "../control/options/lcp/max-receive-unit.ts";
import type { Deframer } from "../frame/deframer.ts";
import { type Agreed, agreedOf } from "./agreed.ts";
import { Admission, type AdmissionHost } from "./admission.ts";
import type { Bundle } from "./bundle.ts";
import { type Member, termsOf } from "./bundle-member.ts";
import { ControlPackets } from "./control-packets.ts";
import { LOST } from "./datapath.ts";
import type { LinkEvent, Phase } from "./events.ts";
import { Framing } from "./framing.ts";
import type { Uncleanness } from "./heard.ts";
import type { LinkConfig, LinkHost } from "./link-host.ts";
import { LinkControl } from "./link-control.ts";
import { GivenPhase } from "./given-phase.ts";
import { Networks } from "./networks.ts";
import { PacketFinder } from "./packet-finder.ts";
import { Pieces } from "./pieces.ts";
import { isAuthenticationTimer, isNetworkTimer, type Timer, Timers } from "./timers.ts";
import { Trace } from "./trace.ts";

/** What the parts of a link share. */
type Parts = Pick<AdmissionHost, "lower" | "emit" | "log" | "random32">;

export class Link implements Member {
  readonly trace: Trace;
  readonly deframer: Deframer;
  readonly #config: LinkConfig;
  readonly #host: LinkHost;
  readonly #framing: Framing;
  readonly #timers = new Timers();
  readonly #control: LinkControl;
  readonly #admission: Admission;
  readonly #packets: ControlPackets;
  readonly #finder: PacketFinder;
  /** The link's own network phase, or that of its bundle. */
  readonly networks: Networks;
  readonly #bundle: Bundle | undefined;
  /** For a link that is in no bundle. */
  readonly #pieces: Pieces;
  #events: LinkEvent[] = [];
  #phase: Phase = "dead";
  #now = 0;
  #expired = false;
  /** For a line that is not PPP's. */
  readonly given = new GivenPhase(
    () => this.networks,
    (event) => (event.type === "phase" ? this.#setPhase(event.phase) : this.#emit(event)),
  );

  constructor(config: LinkConfig, host: LinkHost) {
    this.#config = config;
    this.#host = host;
    this.#bundle = host.bundle;
    this.trace = new Trace(config.hidePassword, config.debug, (text) =>
      this.#emit({ type: "log", level: "debug", text }),
    );
    this.#framing = new Framing(host.output, host.frame, config.escape, config.receiveAll, host.tap);
    this.deframer = this.#framing.deframer;
    const lower = (timer: Timer): Lower => ({
      send: (protocol, write) => this.#packets.send(protocol, write, this.#now),
      log: (level, text) => this.#log(level, text),
      wakeAt: (at) => this.#timers.set(timer, at),
      roundTrip: (milliseconds) => this.#emit({ type: "round-trip", milliseconds, octets: this.#framing.lineOctets }),
    });
    const parts: Parts = {
      lower,
      emit: (event) => this.#emit(event),
      log: (level, text) => this.#log(level, text),
      random32: host.random32,
    };
    this.#control = this.#ownControl(parts);
    this.#admission = this.#ownAdmission(parts);
    this.networks = host.bundle?.networks ?? this.#ownNetworks(parts);
    this.#packets = new ControlPackets({
      framing: this.#framing,
      trace: this.trace,
      control: this.#control,
      admission: this.#admission,
      networks: this.networks,
      phase: () => this.#phase,
      log: parts.log,
    });
    this.#finder = new PacketFinder({
      framing: this.#framing,
      networks: this.networks,
      control: this.#control,
      bundle: this.#bundle,
      member: this,
      receiveControl: (protocol, packet, start, end, now) => this.#packets.receive(protocol, packet, start, end, now),
      log: parts.log,
    });
    this.#pieces = new Pieces({
      networks: this.networks,
      rate: (now) => this.load(now).rate,
      send: (...packet) => this.send(...packet),
      sendPacket: (...packet) => this.sendPacket(...packet),
    });
  }

  #ownControl(parts: Parts): LinkControl {
    return new LinkControl(this.#config.lcp, this.#config.echo, {
      ...parts,
      framing: this.#framing,
      timers: this.#timers,
      hosted: this.#host,
      isUp: () => this.networks.up,
      mtu: () => this.#mtu,
      speaks: (protocol) => this.#admission.speaks(protocol) || this.networks.speaks(protocol),
      protocolRejected: (protocol, now) => this.#protocolRejected(protocol, now),
      up: (now) => this.#admission.start(this.#control.options.got, this.#control.options.peer, now),
      down: (now) => this.#lcpDown(now),
      finished: () => this.#lcpFinished(),
    });
  }

  #ownAdmission(parts: Parts): Admission {
    const { authRequired, accept } = this.#config.lcp;
    return new Admission(
      { ...this.#config, authRequired, canEap: accept.includes("eap") },
      {
        ...parts,
        admitsStrangers: this.#host.admitsStrangers,
        mtu: () => this.#mtu,
        setPhase: (phase) => this.#setPhase(phase),
        fail: (failure, reason, now) => this.#control.fail(failure, reason, now),
        admitted: (now) => this.#startNetworks(now),
      },
    );
  }

  #ownNetworks(parts: Parts): Networks {
    const { peerMayUse, madeUpPeerAddress, plain, networkTap } = this.#host;
    const host = {
      ...parts,
      wakeAt: (timer: Timer, at: number) => this.#timers.set(timer, at),
      closeLink: (reason: string, now: number) => void (this.given.close() || this.#control.close(reason, now)),
      peerMayUse,
      madeUpPeerAddress,
      ended: (protocol: number) => this.#pieces.abandon(protocol),
      tap: networkTap,
    };
    return new Networks(this.#config.networks, host, plain);
  }

  get framesSent(): number {
    return this.#framing.framer.stats.frames;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** What would be sent is dropped, because the line has another use for the moment. */
  get isMuted(): boolean {
    return this.#framing.isMuted;
  }

  set isMuted(isMuted: boolean) {
    this.#framing.isMuted = isMuted;
  }

  /**
   * The line is there: starts the negotiation, or waits for the peer (silent). Before that, it only listens for
   * `listenMs`, in case the peer begins: after a connect script one side is always a little later.
   */
  open(now: number, listenMs = 0): void {
    this.#now = now;
    this.deframer.reset();
    this.#setPhase("establish");
    this.#framing.reset();
    this.#control.open(now, listenMs);
  }

  /** The peer has logged in before PPP under this name, so that LCP demands no proof of it. */
  vouch(name: string): void {
    Object.assign(this.#config.lcp, { demand: [] });
    this.#admission.vouch(name);
  }

  /** Ends the link in good order. `reason` is sent to the peer. */
  close(reason: string, now: number): void {
    this.#now = now;
    if (!this.given.close()) this.#control.end(reason, now);
  }

  /** Negotiates LCP again, and then all above it. False: LCP is not open, or the line changes its speed. */
  renegotiate(now: number): boolean {
    this.#now = now;
    return this.#control.renegotiate(now);
  }

  /**
   * Asks for the event "caught-up" when the peer has handled everything sent so far, or after a second. Between the
   * time its kernel takes packets and the time its pppd enables the protocol, a peer drops packets.
   */
  awaitPeer(now: number): void {
    this.#now = now;
    if (!this.given.awaitPeer()) this.#control.awaitPeer(now);
  }

  /** The line is gone. */
  hangup(now: number): void {
    this.#now = now;
    if (!this.given.hangup()) this.#control.hangup(now);
    this.#timers.stopAll();
    this.#framing.discard();
    this.#setPhase("dead");
  }

  /** Continues an authentication that waited. To be called when its engine (EAP-TLS) is no longer busy. */
  authResume(now: number): void {
    this.#now = now;
    this.#admission.authentication.resume(now);
  }

  /** The owner's answer to a pap-request. `message` is shown to the peer's user. */
  papVerdict(accepted: boolean, message: string, now: number): void {
    this.#now = now;
    this.#admission.authentication.papVerdict(accepted, message, now);
  }

  /** Why the line cannot carry PPP, as its octets show. */
  get uncleanness(): Uncleanness | undefined {
    return this.#control.heard?.uncleanness;
  }

  /** For whoever looks at the link from outside. */
  get agreed(): Agreed {
    return agreedOf(this.#control);
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
      if (isNetworkTimer(timer)) this.networks.timeout(timer, now);
      else if (isAuthenticationTimer(timer)) this.#admission.authentication.timeout(timer, now);
      else if (timer !== "stall") this.#control.timeout(timer, now);
      this.#expired = false;
    }
  }

  // ── from the line ────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Reads `input` up to the end of the first IP packet, and handles everything else on the way. True: there is a
   * packet, in the frame buffer from packetStart to packetEnd, until the next call. False: all input is consumed.
   */
  receive(input: Ring, now: number): boolean {
    this.#now = now;
    return this.#finder.receive(input, now);
  }

  /** Of the packet that receive() found: the frame buffer or the plain one, from packetStart to packetEnd. */
  get packet(): Uint8Array {
    return this.#finder.packet;
  }

  get packetStart(): number {
    return this.#finder.start;
  }

  get packetEnd(): number {
    return this.#finder.end;
  }

  rejectProtocol(protocol: number, frame: Uint8Array, start: number, end: number): void {
    this.#packets.reject(protocol, frame, start, end);
  }

  // ── to the line ──────────────────────────────────────────────────────────────────────────────────────────────────

  hasRoom(length: number): boolean {
    return this.#framing.hasRoom(length);
  }

  /**
   * Sends the IP packet[start, end), which has HEADROOM free octets before it and FCS_ROOM after it. The caller has
   * checked {@link hasRoom}. False: there is no link for it, and it is lost.
   */
  send(packet: Uint8Array, start: number, end: number, now: number): boolean {
    const { datapath } = this.networks;
    const protocol = this.networks.sendData(packet, start, end, now);
    if (protocol === LOST) return false;
    this.#framing.send(protocol, datapath.packet, datapath.start, datapath.end, now);
    return true;
  }

  /** Takes an IP packet to be sent in pieces by {@link sendPiece}. False: it was sent whole. */
  cut(packet: Uint8Array, start: number, end: number, now: number): boolean {
    return this.#pieces.cut(packet, start, end, now);
  }

  /** Pieces of a packet are still to be sent. */
  get hasPieces(): boolean {
    return this.#pieces.isPending;
  }

  sendPiece(now: number): void {
    this.#pieces.next(now);
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

  // ── LCP ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  get #mtu(): number {
    const { got, peer } = this.#control.options;
    return Math.min(peer.mru ?? DEFAULT_MRU, got.mru ?? DEFAULT_MRU, this.#config.mtu);
  }

  #lcpDown(now: number): void {
    this.#admission.stop();
    this.#pieces.close();
    this.#finder.reassemble(undefined);
    if (this.#bundle === undefined) this.networks.stop(now);
    else this.#bundle.leave(this, now);
    this.#framing.reset();
    this.#emit({ type: "lcp-down" });
    this.#setPhase("establish");
  }

  #lcpFinished(): void {
    this.#setPhase("dead");
    this.#emit({ type: "terminated", waited: this.#expired, byPeer: this.#control.endedByPeer });
  }

  #protocolRejected(protocol: number, now: number): void {
    const { authentication } = this.#admission;
    if (authentication.speaks(protocol)) authentication.protocolRejected(protocol, now);
    else this.networks.protocolRejected(protocol, now);
  }

  #startNetworks(now: number): void {
    this.#setPhase("network");
    this.#control.climb?.start(now);
    const { got, peer } = this.#control.options;
    const { authentication } = this.#admission;
    const terms = termsOf(got, peer, authentication.peerName, authentication.mppeKeys());
    const bundle = this.#bundle;
    if (bundle === undefined) {
      if (terms.multilink) this.#pieces.open(terms);
      this.#finder.reassemble(terms.multilink ? terms : undefined);
      this.networks.start(terms.keys, now, terms.multilink);
      return;
    }
    const trouble = bundle.join(this, terms, now);
    if (trouble === undefined) return;
    this.#log("error", `This link cannot join the bundle: ${trouble}`);
    this.#control.fail("not-in-bundle", "Not in the bundle", now);
  }

  // ── events ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #setPhase(phase: Phase): void {
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#finder.inNetworkPhase = phase === "network";
    this.#emit({ type: "phase", phase });
  }

  #emit(event: LinkEvent): void {
    this.#host.tap?.event(event, this.#now);
    this.#events.push(event);
  }

  #log(level: Level, text: string): void {
    if (level !== "debug" || this.trace.level > 0) this.#emit({ type: "log", level, text });
  }
}
