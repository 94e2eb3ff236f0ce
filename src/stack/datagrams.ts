// UDP and ICMP of the stack.

import { DNS_PORT } from "../wire/dns.ts";
import { u16 } from "../bytes/be.ts";
import { IpProto } from "../wire/ip.ts";
import { checksumOf, sumOf } from "../bytes/checksum.ts";
import { DatagramFlow, type DatagramKind, putUdpHeader, UDP_HEADER } from "./datagram-flow.ts";
import { FlowCount } from "./flow-count.ts";
import { FlowTable, portsOf, type StackHost } from "./flow.ts";
import { Echo, echoId, failureOf, ICMP_HEADER, isIcmpError, putIcmpChecksum } from "./icmp.ts";
import type { Ends, IpPacket } from "./ip-packet.ts";
import { FAILED, Failure } from "./socket-side.ts";

/** The most flows of each kind. */
export interface FlowLimits {
  readonly udp: number;
  readonly echoes: number;
}

export class Datagrams {
  bad = 0;
  readonly udpCount = new FlowCount();
  readonly echoCount = new FlowCount();
  readonly #udp: FlowTable<DatagramFlow>;
  readonly #echoes: FlowTable<DatagramFlow>;
  readonly #host: StackHost;
  readonly #most: FlowLimits;

  constructor(host: StackHost, most: FlowLimits) {
    this.#host = host;
    this.#most = most;
    this.#udp = new FlowTable(host.random());
    this.#echoes = new FlowTable(host.random());
  }

  get size(): number {
    return this.#udp.size + this.#echoes.size;
  }

  /** A UDP packet of a flow that exists and that may go on, or a damaged one. False: {@link begin} is to look at it. */
  receive(packet: IpPacket, now: number): boolean {
    const { bytes, payload, end } = packet;
    const length = end - payload < UDP_HEADER ? 0 : u16(bytes, payload + 4);
    // Without a checksum, IPv4 only (RFC 768, RFC 8200 §8.1).
    const isUnsummed = packet.family === 4 && length >= UDP_HEADER && u16(bytes, payload + 6) === 0;
    if (length < UDP_HEADER || payload + length > end || (!isUnsummed && checksumOf(packet.sum(length)) !== 0)) {
      this.bad++;
      return true;
    }
    const flow = packet.ttl > 1 ? this.#udp.find(packet, udpPorts(packet)) : undefined;
    flow?.receive(packet, payload + UDP_HEADER, payload + length, now);
    return flow !== undefined;
  }

  /** The UDP packet for which {@link receive} has returned false. */
  begin(packet: IpPacket, ends: Ends, now: number): void {
    const { bytes, payload } = packet;
    const ports = udpPorts(packet);
    const end = payload + u16(bytes, payload + 4);
    const { gateway, own } = this.#host;
    if (gateway.isOurs(ends.far) && own?.receive(ends, ports, bytes, payload + UDP_HEADER, end, now)) return;
    const kind = ports >>> 16 === DNS_PORT ? "dns" : "other";
    const flow = this.#udp.find(packet, ports) ?? this.#begin(packet, ends, ports, kind);
    flow?.receive(packet, payload + UDP_HEADER, end, now);
  }

  /** Sends a datagram of our own to ends.peer. */
  send(ends: Ends, ports: number, payload: Uint8Array): void {
    const datagram = new Uint8Array(UDP_HEADER + payload.length);
    datagram.set(payload, UDP_HEADER);
    putUdpHeader(datagram, datagram.length, ends, ports);
    this.#host.replyWith(ends, IpProto.UDP, datagram, datagram.length);
  }

  /** Returns true for an error about a packet of ours. */
  receiveIcmp(packet: IpPacket, ends: Ends, now: number): boolean {
    const { bytes, payload, end, family } = packet;
    const { request } = Echo[family];
    const sum = family === 4 ? sumOf(bytes, payload, end, 0) : packet.sum(end - payload);
    if (end - payload < ICMP_HEADER || checksumOf(sum) !== 0) {
      this.bad++;
      return false;
    }
    const type = bytes[payload]!;
    if (type === request && this.#host.gateway.isOurs(ends.far)) this.#answerEcho(packet, ends);
    else if (type === request) {
      const id = echoId(bytes, payload);
      const flow = this.#echoes.find(packet, id) ?? this.#begin(packet, ends, id, "echo");
      flow?.receive(packet, payload, end, now);
    }
    const isError = isIcmpError(family, type);
    if (isError) this.#reported(packet, now);
    return isError;
  }

  /** An error that quotes a datagram of our own. */
  #reported({ bytes, payload, end, family, addressSize }: IpPacket, now: number): void {
    const { gateway, own } = this.#host;
    const at = payload + ICMP_HEADER;
    const header = family === 4 ? 20 : 40;
    const failure = failureOf(family, bytes[payload]!, bytes[payload + 1]!);
    if (own === undefined || failure === undefined || failure === Failure.TOO_BIG) return;
    if (at + header + UDP_HEADER > end || bytes[at + (family === 4 ? 9 : 6)] !== IpProto.UDP) return;
    const peerAt = at + header - addressSize;
    if (!gateway.isOurs(bytes.subarray(peerAt - addressSize, peerAt))) return;
    const ports = portsOf(u16(bytes, at + header), u16(bytes, at + header + 2));
    own.failed(bytes.slice(peerAt, peerAt + addressSize), ports, now);
  }

  forget(flow: DatagramFlow): void {
    if (flow.kind === "echo") this.#echoes.remove(flow);
    else this.#udp.remove(flow);
    if (flow.kind === "dns" && !flow.isAnswered) this.#host.gateway.resolverFailed(flow.ends.far);
  }

  close(): void {
    for (const flow of [...this.#udp, ...this.#echoes]) flow.end();
  }

  #begin(packet: IpPacket, ends: Ends, ports: number, kind: DatagramKind): DatagramFlow | undefined {
    const { gateway, side } = this.#host;
    const count = kind === "echo" ? this.echoCount : this.udpCount;
    const service = kind === "echo" ? undefined : gateway.serviceAt("udp", ends.far, ports >>> 16);
    const target = service ?? gateway.targetOf(ends.far, ports >>> 16, count);
    if (target === undefined) {
      gateway.report(gateway.isOurs(ends.far) ? Failure.REFUSED : Failure.PROHIBITED, ends, packet.copy());
      return undefined;
    }
    if (!this.#makeRoom(kind)) return undefined;
    const socket = kind === "echo" ? side.openEchoes(target.address) : side.openDatagrams(target.address, target.port);
    if (socket < 0) {
      const failure = side.failure(FAILED);
      // A host that lets nobody send echoes says so: "Packet filtered".
      gateway.report(failure === Failure.UNSUPPORTED ? Failure.PROHIBITED : failure, ends, packet.copy());
      return undefined;
    }
    return this.#add(new DatagramFlow(this.#host, ends, ports, kind, socket, count));
  }

  #add(flow: DatagramFlow): DatagramFlow {
    flow.count.opened++;
    (flow.kind === "echo" ? this.#echoes : this.#udp).add(flow);
    this.#host.watch(flow);
    return flow;
  }

  #hasRoom(kind: DatagramKind): boolean {
    const hasRoom = kind === "echo" ? this.#echoes.size < this.#most.echoes : this.#udp.size < this.#most.udp;
    return hasRoom && !this.#host.isFull();
  }

  /** A flow that the peer begins takes the place of the one that is least missed, or a flood would stop its name queries. */
  #makeRoom(kind: DatagramKind): boolean {
    if (this.#hasRoom(kind)) return true;
    const isEcho = kind === "echo";
    (isEcho ? this.echoCount : this.udpCount).limited++;
    leastMissed(isEcho ? this.#echoes : this.#udp)?.end();
    return this.#hasRoom(kind);
  }

  /** A caller of the host has a socket, from which datagrams go to a port of the peer. False: there is no room for it. */
  open(socket: number, ends: Ends, wantedPort: number, peerPort: number, now: number): boolean {
    const farPort = this.#udp.freePort(ends, peerPort, this.#host.random(), wantedPort);
    if (!this.#hasRoom("caller")) this.udpCount.limited++;
    if (!this.#hasRoom("caller") || farPort === undefined) return false;
    const ports = portsOf(farPort, peerPort);
    this.#add(new DatagramFlow(this.#host, ends, ports, "caller", socket, this.udpCount)).waitForPeer(now);
    return true;
  }

  #answerEcho({ bytes, payload, end, family }: IpPacket, ends: Ends): void {
    const answer = bytes.slice(payload, end);
    const { protocol, reply } = Echo[family];
    answer[0] = reply;
    putIcmpChecksum(answer, 0, answer.length, ends);
    this.#host.replyWith(ends, protocol, answer, answer.length);
  }
}

/** The oldest flow without any answer, else the one that has been idle longest. A caller of the host keeps its place. */
function leastMissed(flows: Iterable<DatagramFlow>): DatagramFlow | undefined {
  let found: DatagramFlow | undefined;
  for (const flow of flows) {
    if (flow.kind === "caller") continue;
    if (!flow.isAnswered) return flow;
    if (found === undefined || flow.dueAt < found.dueAt) found = flow;
  }
  return found;
}

function udpPorts({ bytes, payload }: IpPacket): number {
  return portsOf(u16(bytes, payload + 2), u16(bytes, payload));
}
