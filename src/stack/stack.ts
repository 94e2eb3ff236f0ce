// A TCP/IP stack whose other side is ordinary sockets: what the peer of a link sends to any address goes through a socket of
// the host, and what comes back becomes packets. It has no clock, no randomness and no I/O: packets and the time come in by
// `receive`, packets go out by `take` when the line wants one, and the sockets are a SocketSide.

import { IpProto } from "../wire/ip.ts";
import { Connections } from "./connections.ts";
import { DatagramFlow } from "./datagram-flow.ts";
import { Datagrams } from "./datagrams.ts";
import { Deadlines } from "./deadlines.ts";
import { isGroup, isImpossibleSource } from "./destinations.ts";
import { type Flow, type OwnDatagrams, portsOf, type Source, type StackHost } from "./flow.ts";
import type { FlowCounts } from "./flow-count.ts";
import { Gateway, type GatewaySettings } from "./gateway.ts";
import { Echo, isIcmpError } from "./icmp.ts";
import { Ends, IpPacket } from "./ip-packet.ts";
import { Reassembly } from "./reassembly.ts";
import { ReplyQueue } from "./reply-queue.ts";
import { RingPool } from "./sequence.ts";
import { Failure, type SocketSide } from "./socket-side.ts";
import { TcpFlow } from "./tcp-flow.ts";

/** Octets for all rings of all connections. */
const RING_BUDGET = 67_108_864;
/** The line may be filled so far ahead. */
const AHEAD_MS = 300;
const LEAST_MTU = 128;
/** Other work has its turn after so many sources that had no packet. */
const MOST_IN_VAIN = 4096;
/** The share of all flows that a kind may have. */
const SHARE = { tcp: 3 / 4, udp: 3 / 4, echoes: 1 / 8 } as const;

export interface StackSettings extends GatewaySettings {
  readonly side: SocketSide;
  /** The most flows of all kinds together. No kind may take all of them. */
  readonly mostFlows: number;
  /** A random number of 32 bits. */
  readonly random: () => number;
  /** The peer carries packets on to other networks, so that connections have a congestion window. */
  readonly leadsOn?: boolean;
  /** Takes datagrams for our own address, if this program has ports there. */
  readonly own?: OwnDatagrams;
}

/**
 * The ends of a flow that the host opens, or of a datagram that it sends. `far` is where it seems to come from, from the port
 * `farPort` if that is free.
 */
export interface Forwarded {
  readonly far: Uint8Array;
  readonly farPort: number;
  readonly peer: Uint8Array;
  readonly peerPort: number;
}

export class Stack {
  readonly gateway: Gateway;
  readonly connections: Connections;
  readonly datagrams: Datagrams;
  readonly counts: FlowCounts;
  /** Packets that are damaged or make no sense. */
  #bad = 0;
  readonly #replies = new ReplyQueue();
  readonly #bySocket = new Map<number, Flow>();
  readonly #deadlines = new Deadlines<Flow>();
  readonly #pool = new RingPool(RING_BUDGET);
  readonly #reassembly = new Reassembly();
  readonly #packet = new IpPacket();
  /** The flows, and other sources, that may have a packet. */
  #firstQueued: Source | undefined;
  #lastQueued: Source | undefined;
  /** Octets a millisecond; Infinity: not known. */
  #pace = Infinity;

  constructor(settings: StackSettings) {
    this.gateway = new Gateway(settings, this.#replies);
    const host = this.#hostOf(settings);
    const most = (share: number): number => Math.ceil(settings.mostFlows * share);
    this.connections = new Connections(host, most(SHARE.tcp));
    this.datagrams = new Datagrams(host, { udp: most(SHARE.udp), echoes: most(SHARE.echoes) });
    const { udpCount: udp, echoCount: echoes } = this.datagrams;
    this.counts = { tcp: this.connections.count, udp, echoes };
  }

  #hostOf({ side, random, own, mostFlows, leadsOn = false }: StackSettings): StackHost {
    const { gateway } = this;
    const readAhead = (): number => Math.ceil(this.#pace * AHEAD_MS);
    return {
      side,
      random,
      own,
      isFull: () => this.connections.table.size + this.datagrams.size >= mostFlows,
      gateway,
      pool: this.#pool,
      line: {
        get readAhead() {
          return readAhead();
        },
        leadsOn,
        msFor: (octets) => octets / this.#pace,
      },
      get mtu() {
        return gateway.mtu;
      },
      wake: (flow) => this.wake(flow),
      watch: (flow) => void this.#bySocket.set(flow.socket, flow),
      setDeadline: (flow, at) => this.#deadlines.set(flow, at),
      reply: (packet, start, end) => this.#replies.add(packet, start, end),
      replyWith: (ends, protocol, payload, size) =>
        this.#replies.addPayload(ends, protocol, payload, size, gateway.mtu),
      closeSocket: (socket, abort) => {
        this.#bySocket.delete(socket);
        if (abort) side.abort(socket);
        else side.close(socket);
      },
      forget: (flow) => this.#forget(flow),
    };
  }

  /** The link's MTU. */
  setMtu(mtu: number): void {
    this.gateway.mtu = Math.max(mtu, LEAST_MTU);
    this.#replies.dropLonger(this.gateway.mtu);
    for (const flow of this.connections.table) flow.fitMtu();
  }

  /** The line's speed in bits a second; 0: not known. */
  setRate(rate: number): void {
    this.#pace = rate > 0 ? rate / 10_000 : Infinity;
  }

  get bad(): number {
    return this.#bad + this.connections.bad + this.datagrams.bad;
  }

  /** Octets in the buffers of connections. */
  get keptOctets(): number {
    return this.#pool.used;
  }

  /** Datagrams of which fragments are missing. */
  get keptFragments(): number {
    return this.#reassembly.size;
  }

  // ── packets ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** {@link take} may have a packet. */
  get hasPackets(): boolean {
    return !this.#replies.isEmpty || this.#firstQueued !== undefined;
  }

  /** Writes the next packet for the peer to into[at…], which has room for the MTU. Returns its length. 0: there is none. */
  take(into: Uint8Array, at: number, now: number): number {
    for (let inVain = 0; inVain < MOST_IN_VAIN; inVain++) {
      const length = this.#replies.take(into, at);
      if (length > 0) return length;
      const flow = this.#firstQueued;
      if (flow === undefined) return 0;
      this.withdraw(flow);
      const taken = flow.take(into, at, now);
      if (taken === 0) continue;
      if (flow instanceof TcpFlow) this.connections.count.toPeer += taken;
      // It may have more, and waits behind the others. A flow that has ended has no deadline and no socket.
      if (flow.socket >= 0 || flow.heapPlace >= 0) this.wake(flow);
      return taken;
    }
    return 0;
  }

  /** A packet from the peer. */
  receive(bytes: Uint8Array, start: number, end: number, now: number): void {
    const packet = this.#packet;
    if (!packet.parse(bytes, start, end)) {
      this.#bad++;
      return;
    }
    if (packet.isFragment) {
      const whole = this.#reassembly.take(packet, now);
      if (whole === undefined || !packet.parse(whole, 0, whole.length)) return;
    }
    const isTcp = packet.protocol === IpProto.TCP;
    const isUdp = packet.protocol === IpProto.UDP;
    if (isTcp ? this.connections.receive(packet, now) : isUdp && this.datagrams.receive(packet, now)) return;
    const ends = new Ends(packet.destination(), packet.source());
    if (isImpossibleSource(ends.peer) || this.gateway.isOurs(ends.peer) || isGroup(ends.far)) {
      this.#bad++;
      return;
    }
    const isIcmp = packet.protocol === Echo[packet.family].protocol;
    if (packet.ttl <= 1 && !this.gateway.isOurs(ends.far)) {
      // An error never answers an error (RFC 1122 §3.2.2, RFC 4443 §2.4).
      if (!isIcmp || !isIcmpError(packet.family, bytes[packet.payload]!))
        this.gateway.report(Failure.EXPIRED, ends, packet.copy());
    } else if (isTcp) this.connections.begin(packet, ends, now);
    else if (isUdp) this.datagrams.begin(packet, ends, now);
    else if (!isIcmp) this.gateway.report(Failure.UNSUPPORTED, ends, packet.copy());
    else if (this.datagrams.receiveIcmp(packet, ends, now)) this.connections.reported(packet);
  }

  // ── sockets and time ─────────────────────────────────────────────────────────────────────────────────────────────

  /** A socket may be read, or written, or has failed (both). */
  ready(socket: number, readable: boolean, writable: boolean, now: number): void {
    this.#bySocket.get(socket)?.ready(readable, writable, now);
  }

  /** The host has accepted a connection for a port of the peer. False: there is no room for it. */
  openTo(socket: number, { far, farPort, peer, peerPort }: Forwarded, now: number): boolean {
    return this.connections.open(socket, new Ends(far, peer), farPort, peerPort, now);
  }

  /** A port of `far` for {@link openTo}. Undefined: all that were tried are taken. */
  freePort(far: Uint8Array, peer: Uint8Array, peerPort: number): number | undefined {
    return this.connections.freePort(new Ends(far, peer), peerPort);
  }

  /** The host has a socket for a caller, whose datagrams go to a port of the peer. False: there is no room for it. */
  openDatagramsTo(socket: number, { far, farPort, peer, peerPort }: Forwarded, now: number): boolean {
    return this.datagrams.open(socket, new Ends(far, peer), farPort, peerPort, now);
  }

  /** A datagram of a caller has not come through the socket of {@link openDatagramsTo}. */
  deliver(socket: number, bytes: Uint8Array, start: number, end: number, now: number): void {
    const flow = this.#bySocket.get(socket);
    if (flow instanceof DatagramFlow) flow.deliver(bytes, start, end, now);
  }

  /** Sends a datagram from a port of our own. */
  send({ far, farPort, peer, peerPort }: Forwarded, payload: Uint8Array): void {
    this.datagrams.send(new Ends(far, peer), portsOf(farPort, peerPort), payload);
  }

  /** Sends a whole packet. */
  sendPacket(packet: Uint8Array): void {
    this.#replies.add(packet, 0, packet.length);
  }

  /** Ends the flow of a socket. */
  drop(socket: number): void {
    this.#bySocket.get(socket)?.end();
  }

  nextTimeout(): number {
    return this.#deadlines.next();
  }

  handleTimeout(now: number): void {
    for (let flow; (flow = this.#deadlines.take(now)) !== undefined;) flow.handleTimeout(now);
  }

  /** Ends all flows. Their peers get a reset, if it is still taken. */
  close(): void {
    for (const flow of [...this.connections.table]) flow.abandon();
    this.datagrams.close();
  }

  /** The source may have a packet. It waits behind the others. */
  wake(source: Source): void {
    if (source.isQueued) return;
    source.isQueued = true;
    if (this.#lastQueued === undefined) this.#firstQueued = source;
    else this.#lastQueued.nextQueued = source;
    source.previousQueued = this.#lastQueued;
    this.#lastQueued = source;
  }

  /** The source is not asked for a packet any more. */
  withdraw(source: Source): void {
    if (!source.isQueued) return;
    source.isQueued = false;
    const { previousQueued: previous, nextQueued: next } = source;
    if (previous === undefined) this.#firstQueued = next;
    else previous.nextQueued = next;
    if (next === undefined) this.#lastQueued = previous;
    else next.previousQueued = previous;
    source.previousQueued = source.nextQueued = undefined;
  }

  #forget(flow: Flow): void {
    this.withdraw(flow);
    this.#deadlines.remove(flow);
    if (flow instanceof TcpFlow) {
      this.connections.count.closed++;
      this.connections.table.remove(flow);
    } else if (flow instanceof DatagramFlow) {
      flow.count.closed++;
      this.datagrams.forget(flow);
    }
  }
}
