// UDP and ICMP of the stack.

import { u16 } from "../bytes/be.ts";
import { checksumOf, sumOf } from "./checksum.ts";
import { DatagramFlow, type DatagramKind, UDP_HEADER } from "./datagram-flow.ts";
import { FlowTable, portsOf, type StackHost } from "./flow.ts";
import { Echo, echoId, ICMP_HEADER, putIcmpChecksum, TooBig } from "./icmp.ts";
import { type Ends, type IpPacket, putIp } from "./ip-packet.ts";
import { FAILED, Failure } from "./socket-side.ts";

const DNS_PORT = 53;

export class Datagrams {
  begun = 0;
  overLimit = 0;
  bad = 0;
  readonly #udp: FlowTable<DatagramFlow>;
  readonly #echoes: FlowTable<DatagramFlow>;
  readonly #host: StackHost;
  readonly #most: number;

  constructor(host: StackHost, most: number) {
    this.#host = host;
    this.#most = most;
    this.#udp = new FlowTable(host.random());
    this.#echoes = new FlowTable(host.random());
  }

  get size(): number {
    return this.#udp.size + this.#echoes.size;
  }

  receiveUdp(packet: IpPacket, ends: Ends, now: number): void {
    const { bytes, payload, end } = packet;
    const length = end - payload < UDP_HEADER ? 0 : u16(bytes, payload + 4);
    // Without a checksum, IPv4 only (RFC 768, RFC 8200 §8.1).
    const isUnsummed = packet.family === 4 && length >= UDP_HEADER && u16(bytes, payload + 6) === 0;
    if (length < UDP_HEADER || payload + length > end || (!isUnsummed && checksumOf(packet.sum(length)) !== 0)) {
      this.bad++;
      return;
    }
    const port = u16(bytes, payload + 2);
    const ports = portsOf(port, u16(bytes, payload));
    const flow = this.#udp.find(packet, ports) ?? this.#begin(packet, ends, ports, port === DNS_PORT ? "dns" : "other");
    flow?.receive(packet, payload + UDP_HEADER, payload + length, now);
  }

  /** Returns true when the peer says that a packet is too large. */
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
    return type === TooBig[family].type && bytes[payload + 1] === TooBig[family].code;
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
    const target = gateway.targetOf(ends.far, ports >>> 16);
    if (target === undefined) {
      gateway.report(gateway.isOurs(ends.far) ? Failure.REFUSED : Failure.PROHIBITED, ends, packet.copy());
      return undefined;
    }
    if (this.size >= this.#most) {
      this.overLimit++;
      return undefined;
    }
    const socket = kind === "echo" ? side.openEchoes(target.address) : side.openDatagrams(target.address, target.port);
    if (socket < 0) {
      const failure = side.failure(FAILED);
      // A host that lets nobody send echoes says so: "Packet filtered".
      gateway.report(failure === Failure.UNSUPPORTED ? Failure.PROHIBITED : failure, ends, packet.copy());
      return undefined;
    }
    const flow = new DatagramFlow(this.#host, ends, ports, kind, socket);
    this.begun++;
    (kind === "echo" ? this.#echoes : this.#udp).add(flow);
    this.#host.watch(flow);
    return flow;
  }

  #answerEcho({ bytes, payload, end, family }: IpPacket, ends: Ends): void {
    const answer = bytes.slice(payload, end);
    const { protocol, reply } = Echo[family];
    answer[0] = reply;
    putIcmpChecksum(answer, 0, answer.length, ends);
    if (ends.headerSize + answer.length > this.#host.mtu) {
      this.#host.replyInFragments(ends, protocol, answer, answer.length);
      return;
    }
    const packet = new Uint8Array(ends.headerSize + answer.length);
    packet.set(answer, putIp(packet, 0, ends, protocol, answer.length));
    this.#host.reply(packet, 0, packet.length);
  }
}
