// The TCP connections of the stack.

import { u16, u32 } from "../bytes/be.ts";
import { IpProto, TcpFlag } from "../wire/ip.ts";
import { FlowCount } from "./flow-count.ts";
import { FlowTable, portsOf, type StackHost } from "./flow.ts";
import { failureOf, ICMP_HEADER } from "./icmp.ts";
import { Ends, type IpPacket } from "./ip-packet.ts";
import { Failure } from "./socket-side.ts";
import { TcpFlow } from "./tcp-flow.ts";
import { Phase } from "./tcp-phase.ts";
import { resetFor, TcpSegment } from "./tcp-segment.ts";
import { TcpWriter } from "./tcp-writer.ts";

/** The octets of a packet's payload that an ICMP error quotes at least. */
const ICMP_QUOTE = 8;

export class Connections {
  bad = 0;
  readonly count = new FlowCount();
  readonly table: FlowTable<TcpFlow>;
  readonly #host: StackHost;
  readonly #most: number;
  readonly #segment = new TcpSegment();

  constructor(host: StackHost, most: number) {
    this.#host = host;
    this.#most = most;
    this.table = new FlowTable(host.random());
  }

  /** A segment of a connection that exists, or a damaged one. False: it belongs to none. */
  receive(packet: IpPacket, now: number): boolean {
    const segment = this.#segment;
    this.count.fromPeer += packet.end - packet.start;
    if (!segment.parse(packet)) {
      this.bad++;
      return true;
    }
    const flow = this.table.find(packet, portsOf(segment.destinationPort, segment.sourcePort));
    if (flow === undefined) return false;
    if (flow.mayBeReplacedBy(segment)) {
      flow.end();
      return false;
    }
    flow.receive(segment, now);
    return true;
  }

  /** The segment that {@link receive} has found no connection for: a SYN begins one (RFC 9293 §3.10.7.1 and §3.10.7.2). */
  begin(packet: IpPacket, ends: Ends, now: number): void {
    const segment = this.#segment;
    const { flags, destinationPort: port } = segment;
    if (flags & TcpFlag.RST) return;
    if (!(flags & TcpFlag.SYN) || flags & (TcpFlag.ACK | TcpFlag.FIN)) {
      this.#refuse(ends);
      return;
    }
    const { gateway } = this.#host;
    const target = gateway.serviceAt("tcp", ends.far, port) ?? gateway.targetOf(ends.far, port, this.count);
    if (target === undefined) {
      if (gateway.isOurs(ends.far)) this.#refuse(ends);
      else gateway.report(Failure.PROHIBITED, ends, packet.copy());
      return;
    }
    if (!this.#hasRoom(true)) return;
    const flow = this.#add(ends, port, segment.sourcePort, now);
    if (flow.accept(segment, packet, target, now)) this.#host.watch(flow);
  }

  /** The host has accepted a connection for a port of the peer. False: there is no room for it. */
  open(socket: number, ends: Ends, wantedPort: number, peerPort: number, now: number): boolean {
    const farPort = this.table.freePort(ends, peerPort, this.#host.random(), wantedPort);
    if (farPort === undefined || !this.#hasRoom(false)) return false;
    const flow = this.#add(ends, farPort, peerPort, now);
    flow.open(socket, now);
    this.#host.watch(flow);
    return true;
  }

  #add(ends: Ends, farPort: number, peerPort: number, now: number): TcpFlow {
    this.count.opened++;
    const flow = new TcpFlow(this.#host, ends, farPort, peerPort, now);
    this.table.add(flow);
    return flow;
  }

  /** The peer, or a router behind it, says that a packet did not arrive. The error quotes it. */
  reported({ bytes, payload, end, family, addressSize }: IpPacket): void {
    const at = payload + ICMP_HEADER;
    const header = family === 4 ? 20 : 40;
    if (at + header + ICMP_QUOTE > end || bytes[at + (family === 4 ? 9 : 6)] !== IpProto.TCP) return;
    const ports = portsOf(u16(bytes, at + header), u16(bytes, at + header + 2));
    const farAt = at + header - 2 * addressSize;
    const flow = this.table.lookUp(bytes, farAt, bytes, farAt + addressSize, addressSize, ports);
    const failure = failureOf(family, bytes[payload]!, bytes[payload + 1]!);
    if (flow === undefined || failure === undefined) return;
    flow.reported(failure, u32(bytes, at + header + 4), u16(bytes, payload + 6));
  }

  /** A port of `ends.far` without a connection to this port of the peer. Undefined: none was found. */
  freePort(ends: Ends, peerPort: number): number | undefined {
    return this.table.freePort(ends, peerPort, this.#host.random());
  }

  #refuse(ends: Ends): void {
    const { destinationPort, sourcePort } = this.#segment;
    const packet = new TcpWriter(ends, destinationPort, sourcePort, 0).bare(resetFor(this.#segment));
    this.#host.reply(packet, 0, packet.length);
  }

  /**
   * There may be another connection. One that only waits for old segments gives up its place. For a connection of the peer, the
   * oldest one does that its host has not answered: or else a scan of addresses where nobody is would stop all others for minutes.
   */
  #hasRoom(isOfPeer: boolean): boolean {
    if (this.table.size < this.#most && !this.#host.isFull()) return true;
    let given: TcpFlow | undefined;
    for (const flow of this.table) {
      if (isOfPeer && flow.phase === Phase.CONNECTING) given ??= flow;
      if (flow.phase !== Phase.TIME_WAIT) continue;
      flow.end();
      return true;
    }
    this.count.limited++;
    given?.end();
    return given !== undefined;
  }
}
