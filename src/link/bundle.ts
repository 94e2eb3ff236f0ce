// Several links to one peer, used as one (RFC 1990). The network phase belongs to the bundle. Its packets are cut and
// sent over all links. When a link is lost, the bundle is slower and goes on.
//
// The first link that comes up settles the peer's name and whether the peer knows multilink. Without multilink, the
// bundle is that one link, and packets are not cut.

import { FCS_ROOM } from "../frame/fcs.ts";
import { protocolAt, protocolEnd } from "../frame/header.ts";
import type { Level, Lower } from "../control/dialect.ts";
import { cutControl } from "../wire/control.ts";
import { Protocol } from "../wire/protocols.ts";
import type { Member, Terms } from "./bundle-member.ts";
import { FIRST_CONTROL, LOST } from "./datapath.ts";
import { endpointText } from "../control/options/lcp/endpoint-discriminator.ts";
import type { LinkEvent } from "./events.ts";
import type { LinkTap, NetworkTap } from "./link-tap.ts";
import { fragmentLength, MpSender } from "./mp-sender.ts";
import { MpReceiver } from "./mp-receiver.ts";
import { Networks } from "./networks.ts";
import type { NetworksConfig } from "./networks-host.ts";
import { PIECE_ROOM, Pieces } from "./pieces.ts";
import { isNetworkTimer, type Timer, Timers } from "./timers.ts";
import { Trace } from "./trace.ts";
import { MAX_FRAME } from "../frame/deframer.ts";

/** A missing fragment delays the packets after it no longer than this. */
const STALL_MS = 500;
/** The most control packets that are kept while no line takes any. */
const MOST_WAITING = 32;
const CONTROL_ROOM = 2048;

export interface BundleConfig {
  readonly networks: NetworksConfig;
  readonly hidePassword: boolean;
  /** The interface's name, for the log. */
  readonly ifname: string;
}

export interface BundleHost {
  /** PLAIN_SIZE octets, shared by all links of the bundle. */
  readonly plain: Uint8Array;
  random32(): number;
  peerMayUse(address: number): boolean;
  madeUpPeerAddress(): number;
  /** Of `tap`, only the events: the links show their frames themselves. */
  readonly tap?: Pick<LinkTap, "event"> | undefined;
  readonly networkTap?: NetworkTap | undefined;
}

interface Joined {
  readonly member: Member;
  /** The number of this link in the receiver. */
  readonly number: number;
  readonly peerMru: number;
  rate: number;
  backlog: number;
  largest: number;
}

export class Bundle {
  readonly networks: Networks;
  readonly trace: Trace;
  /** take() leaves its packet here, in packet[start, end). */
  packet: Uint8Array;
  start = 0;
  end = 0;
  readonly #ifname: string;
  readonly #tap: BundleHost["tap"];
  readonly #timers = new Timers();
  #links: Joined[] = [];
  #identity = "";
  #multilink = false;
  #sender: MpSender | undefined;
  /** While there is one link. */
  readonly #pieces: Pieces;
  #receiver: MpReceiver | undefined;
  #shares = new Int32Array(8);
  #awaited = -1;
  readonly #control = new Uint8Array(PIECE_ROOM + CONTROL_ROOM);
  readonly #piece = new Uint8Array(PIECE_ROOM + MAX_FRAME + FCS_ROOM);
  readonly #waiting: { protocol: number; packet: Uint8Array }[] = [];
  #events: LinkEvent[] = [];
  #now = 0;

  constructor(config: BundleConfig, host: BundleHost, debug: number) {
    this.packet = host.plain;
    this.#ifname = config.ifname;
    this.#tap = host.tap;
    this.trace = new Trace(config.hidePassword, debug, (text) => this.#emit({ type: "log", level: "debug", text }));
    const lower = (timer: Timer): Lower => ({
      send: (protocol, write) => this.#sendControl(protocol, write),
      log: (level, text) => this.#log(level, text),
      wakeAt: (at) => this.#timers.set(timer, at),
      roundTrip: () => {},
    });
    this.networks = new Networks(
      config.networks,
      {
        lower,
        wakeAt: (timer, at) => this.#timers.set(timer, at),
        emit: (event) => this.#emit(event),
        log: (level, text) => this.#log(level, text),
        closeLink: (reason, now) => this.close(reason, now),
        random32: () => host.random32(),
        peerMayUse: (address) => host.peerMayUse(address),
        madeUpPeerAddress: () => host.madeUpPeerAddress(),
        ended: (protocol) => this.#pieces.abandon(protocol),
        tap: host.networkTap,
      },
      host.plain,
    );
    this.#pieces = new Pieces({
      networks: this.networks,
      rate: (now) => (this.#links.length === 1 ? this.#links[0]!.member.load(now).rate : 0),
      send: (packet, start, end, now) => this.send(packet, start, end, now),
      sendPacket: (protocol, packet, start, end, now) =>
        this.#links[0]!.member.sendPacket(protocol, packet, start, end, now),
    });
  }

  /** The number of links. */
  get size(): number {
    return this.#links.length;
  }

  /** pppd's name for the bundle: the peer's name and its endpoint. */
  get name(): string {
    return this.#identity;
  }

  // ── links ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Adds a link whose peer is authenticated. Returns the reason when the link cannot join. */
  join(member: Member, terms: Terms, now: number): string | undefined {
    this.#now = now;
    const identity = `"${terms.peerName}"${terms.endpoint === undefined ? "" : `/${endpointText(terms.endpoint)}`}`;
    if (this.#links.length === 0) {
      this.#identity = identity;
      this.#multilink = terms.multilink;
      this.#sender = terms.multilink ? new MpSender(terms.peerShortSequence) : undefined;
      this.#receiver = terms.multilink ? new MpReceiver(terms.ourShortSequence, terms.ourMrru) : undefined;
      this.#awaited = -1;
    } else if (!this.#multilink || !terms.multilink) return "the peer does no multilink";
    else if (identity !== this.#identity) return `the peer ${identity} is not ${this.#identity}`;
    const number = this.#receiver?.addLink() ?? 0;
    this.#links.push({ member, number, peerMru: terms.peerMru, rate: 0, backlog: 0, largest: 0 });
    if (this.#shares.length < this.#links.length) this.#shares = new Int32Array(2 * this.#links.length);
    if (this.#links.length > 1) {
      // Other packets will have numbers too from now on, and those of the pieces must follow one another.
      while (this.#pieces.isPending) this.#pieces.next(now);
      this.#log("info", `Link attached to ${this.#ifname}`);
      return undefined;
    }
    if (this.#sender !== undefined) this.#pieces.open(terms, this.#sender);
    if (terms.multilink) this.#log("info", `New bundle ${this.#ifname} created`);
    this.#emit({ type: "lcp-up", mtu: terms.multilink ? Math.min(terms.peerMrru, terms.ourMrru) : terms.peerMru });
    this.networks.start(terms.keys, now);
    return undefined;
  }

  /** Removes a link that has ended, for whatever reason. */
  leave(member: Member, now: number): void {
    this.#now = now;
    const at = this.#links.findIndex((joined) => joined.member === member);
    if (at < 0) return;
    const [gone] = this.#links.splice(at, 1);
    if (this.#links.length > 0) {
      this.#log("notice", `Link lost from ${this.#ifname}, ${this.#links.length} left`);
      this.#receiver?.removeLink(gone!.number);
      if (this.#links.length === 1) this.#pieces.setPeerMru(this.#links[0]!.peerMru);
      return;
    }
    this.#timers.stopAll();
    this.#waiting.length = 0;
    this.networks.stop(now);
    this.#pieces.close();
    this.#receiver = this.#sender = undefined;
  }

  has(member: Member): boolean {
    return this.#links.some((joined) => joined.member === member);
  }

  /** Ends all links in good order. */
  close(reason: string, now: number): void {
    this.#now = now;
    for (const { member } of [...this.#links]) member.close(reason, now);
  }

  takeEvent(): LinkEvent | undefined {
    return this.#events.shift();
  }

  nextTimeout(): number {
    return this.#timers.next();
  }

  handleTimeout(now: number): void {
    this.#now = now;
    for (let timer; (timer = this.#timers.takeExpired(now)) !== undefined;) {
      if (timer === "stall") {
        this.#receiver?.giveUp();
        this.#awaited = -1;
      } else if (isNetworkTimer(timer)) this.networks.timeout(timer, now);
    }
  }

  // ── from the lines ───────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Handles the fragment packet[start, end), which begins with its MP header. The caller then takes packets until there
   * are none.
   */
  receive(member: Member, packet: Uint8Array, start: number, end: number): void {
    const joined = this.#links.find((one) => one.member === member);
    if (joined !== undefined) this.#receiver?.receive(joined.number, packet, start, end);
  }

  /**
   * Finds the next packet for the interface, and answers control packets on the way. Answers are sent over `member`.
   */
  take(member: Member, now: number): boolean {
    this.#now = now;
    const receiver = this.#receiver;
    if (receiver === undefined) return false;
    while (receiver.take()) {
      if (receiver.takeLost()) this.networks.datapath.frameLost();
      const { packet, start, end } = receiver;
      const at = protocolEnd(packet, start, end);
      if (at < 0) continue;
      const protocol = protocolAt(packet, start, at);
      if (this.takePacket(member, protocol, packet, at, end, now)) return true;
    }
    if (receiver.takeLost()) this.networks.datapath.frameLost();
    this.#watch(receiver, now);
    return false;
  }

  /** Handles a whole packet, reassembled or not. True: it is in the datapath and for the interface. */
  takePacket(member: Member, protocol: number, packet: Uint8Array, start: number, end: number, now: number): boolean {
    const { networks } = this;
    this.#now = now;
    if (protocol < FIRST_CONTROL && networks.receiveData(protocol, packet, start, end, now)) {
      const { datapath } = networks;
      datapath.keep(member.frame);
      this.start = datapath.start;
      this.end = datapath.end;
      this.packet = datapath.packet;
      return true;
    }
    if (protocol < FIRST_CONTROL && networks.carries(protocol)) return false;
    this.trace.packet("rcvd", protocol, packet, start, end, networks.up);
    if (!networks.receiveControl(protocol, packet, start, end, now))
      member.rejectProtocol(protocol, packet, start, end);
    return false;
  }

  /** Sets the deadline for a missing fragment. */
  #watch(receiver: MpReceiver, now: number): void {
    const { awaited } = receiver;
    if (awaited === this.#awaited) return;
    this.#awaited = awaited;
    this.#timers.set("stall", awaited < 0 ? Infinity : now + STALL_MS);
  }

  // ── to the lines ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** True when a packet of `length` octets fits on the lines for certain, whole or cut. */
  hasRoom(length: number): boolean {
    if (this.#waiting.length > 0 || this.#links.length === 0) return false;
    return this.#links.every(({ member }) => member.hasRoom(length));
  }

  /**
   * Sends the IP packet[start, end), which has PIECE_ROOM free octets before it. False: it cannot be sent and is lost.
   */
  send(packet: Uint8Array, start: number, end: number, now: number): boolean {
    this.#now = now;
    if (this.#links.length === 0) return false;
    const { networks } = this;
    const protocol = networks.sendData(packet, start, end, now);
    if (protocol === LOST) return false;
    const { datapath } = networks;
    this.#sendPacket(protocol, datapath.packet, datapath.start, datapath.end, now);
    return true;
  }

  /**
   * Takes the IP packet[start, end) to be sent in pieces by {@link sendPiece}. False: it was sent at once, because there
   * are several links, or it cannot be cut, or need not.
   */
  cut(packet: Uint8Array, start: number, end: number, now: number): boolean {
    return this.#pieces.cut(packet, start, end, now);
  }

  /** Pieces of a packet are still to be sent. */
  get hasPieces(): boolean {
    return this.#pieces.isPending;
  }

  sendPiece(now: number): void {
    this.#now = now;
    this.#pieces.next(now);
  }

  flush(now: number): void {
    while (this.#waiting.length > 0) {
      const { protocol, packet } = this.#waiting[0]!;
      if (!this.#links.every(({ member }) => member.hasRoom(packet.length))) return;
      this.#sendPacket(protocol, packet, PIECE_ROOM, packet.length - FCS_ROOM, now);
      this.#waiting.shift();
    }
  }

  #sendControl(protocol: number, write: (buf: Uint8Array, at: number) => number): void {
    const buf = this.#control;
    const end = cutControl(buf, PIECE_ROOM, write(buf, PIECE_ROOM));
    this.trace.packet("sent", protocol, buf, PIECE_ROOM, end, this.networks.up);
    if (this.#links.length === 0) return;
    if (this.hasRoom(end)) this.#sendPacket(protocol, buf, PIECE_ROOM, end, this.#now);
    else if (this.#waiting.length < MOST_WAITING)
      this.#waiting.push({ protocol, packet: buf.slice(0, end + FCS_ROOM) });
  }

  #sendPacket(protocol: number, packet: Uint8Array, start: number, end: number, now: number): void {
    const links = this.#links;
    const sender = this.#sender;
    // The numbers of a packet's pieces follow one another, so what goes between them has none.
    if (sender === undefined || this.#pieces.isPending) {
      links[0]!.member.sendPacket(protocol, packet, start, end, now);
      return;
    }
    // The packet's own protocol goes before it, without a leading zero.
    packet[--start] = protocol;
    if (protocol > 0xff) packet[--start] = protocol >>> 8;
    for (const joined of links) {
      const { rate, backlog } = joined.member.load(now);
      joined.rate = rate;
      joined.backlog = backlog;
      joined.largest = joined.peerMru - sender.headerLength;
    }
    const shares = this.#shares;
    sender.split(end - start, links, shares);
    for (let at = start, n = 0; n < links.length; n++)
      for (let left = shares[n]!; left > 0;) {
        const { member, largest } = links[n]!;
        const length = fragmentLength(left, largest);
        left -= length;
        // The piece is copied. Its FCS would otherwise overwrite the next piece.
        const piece = this.#piece;
        piece.set(packet.subarray(at, at + length), PIECE_ROOM);
        const from = sender.putHeader(piece, PIECE_ROOM, at === start, at + length === end);
        member.sendPacket(Protocol.MP, piece, from, PIECE_ROOM + length, now);
        at += length;
      }
  }

  #emit(event: LinkEvent): void {
    this.#tap?.event(event, this.#now);
    this.#events.push(event);
  }

  #log(level: Level, text: string): void {
    if (level !== "debug" || this.trace.level > 0) this.#emit({ type: "log", level, text });
  }
}
