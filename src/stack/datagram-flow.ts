// A flow of datagrams between a port of the peer and an address (RFC 768), or of ICMP echoes. Its socket is connected to the
// address, so the host tells of ICMP errors. It ends when nothing has passed for a while.

import { put16 } from "../bytes/be.ts";
import { IpProto } from "../wire/ip.ts";
import { checksumOf, sumOf } from "../bytes/checksum.ts";
import type { FlowCount } from "./flow-count.ts";
import type { Flow, Source, StackHost } from "./flow.ts";
import { Echo, ICMP_HEADER, putIcmpChecksum } from "./icmp.ts";
import type { Ends, IpPacket } from "./ip-packet.ts";
import { putIp } from "./ip-packet.ts";
import { FAILED, NOT_NOW } from "./socket-side.ts";

export const UDP_HEADER = 8;
/** What an ICMP error quotes of the packet that it is about. */
const QUOTED = 128;
/** Without traffic, a flow ends after so long. */
const IDLE_MS = { dns: 10_000, echo: 30_000, other: 180_000, caller: 180_000 } as const;
/** A caller that the peer has not answered yet is forgotten sooner. */
const UNANSWERED_MS = 30_000;
export type DatagramKind = keyof typeof IDLE_MS;

/** A datagram from a socket. It is sent on before another one comes. */
const datagram = new Uint8Array(65536);

/** Completes a datagram of `size` octets, whose payload is there. */
export function putUdpHeader(datagram: Uint8Array, size: number, ends: Ends, ports: number): void {
  put16(datagram, 0, ports >>> 16);
  put16(datagram, 2, ports);
  put16(datagram, 4, size);
  put16(datagram, 6, 0);
  const checksum = checksumOf(sumOf(datagram, 0, size, ends.sum + IpProto.UDP + size));
  // 0 would mean that there is none.
  put16(datagram, 6, checksum === 0 ? 0xffff : checksum);
}

export class DatagramFlow implements Flow {
  readonly ends: Ends;
  readonly ports: number;
  readonly kind: DatagramKind;
  readonly count: FlowCount;
  socket: number;
  chained: Flow | undefined;
  isQueued = false;
  nextQueued: Source | undefined;
  previousQueued: Source | undefined;
  dueAt = Infinity;
  heapPlace = -1;
  heapTime = 0;
  /** A datagram has come back. */
  isAnswered = false;
  readonly #host: StackHost;
  readonly #last = new Uint8Array(QUOTED);
  #lastLength = 0;

  constructor(host: StackHost, ends: Ends, ports: number, kind: DatagramKind, socket: number, count: FlowCount) {
    this.#host = host;
    this.count = count;
    this.ends = ends;
    this.ports = ports;
    this.kind = kind;
    this.socket = socket;
  }

  /** A datagram of the peer: sends bytes[start, end). */
  receive(packet: IpPacket, start: number, end: number, now: number): void {
    const { bytes } = packet;
    this.#lastLength = Math.min(QUOTED, packet.end - packet.start);
    for (let octet = 0; octet < this.#lastLength; octet++) this.#last[octet] = bytes[packet.start + octet]!;
    this.count.fromPeer += packet.end - packet.start;
    this.#host.setDeadline(this, now + IDLE_MS[this.kind]);
    if (!this.#host.side.send(this.socket, bytes, start, end, Math.max(1, packet.ttl - 1))) this.#tell();
  }

  /** Tells the peer of a failure of the socket, which stays usable. */
  #tell(): void {
    const { side, gateway } = this.#host;
    const reporter = side.reporter(this.socket);
    const failure = side.failure(this.socket);
    if (this.#lastLength > 0) gateway.report(failure, this.ends, this.#last.slice(0, this.#lastLength), reporter);
  }

  ready(readable: boolean): void {
    if (readable) this.#host.wake(this);
  }

  take(into: Uint8Array, at: number, now: number): number {
    const { side, mtu } = this.#host;
    if (this.socket < 0) return 0;
    const header = this.kind === "echo" ? 0 : UDP_HEADER;
    const got = side.receive(this.socket, datagram, header, datagram.length - header - this.ends.headerSize - 1);
    if (got === NOT_NOW) return 0;
    if (got === FAILED) {
      this.#tell();
      // An error is one event of the socket: datagrams may lie behind it.
      this.#host.wake(this);
      return 0;
    }
    if (this.kind === "echo" && got < ICMP_HEADER) {
      this.#host.wake(this);
      return 0;
    }
    this.isAnswered = true;
    this.waitForPeer(now);
    const size = header + got;
    const protocol = this.#putHeader(size);
    this.count.toPeer += this.ends.headerSize + size;
    if (this.ends.headerSize + size > mtu) {
      this.#host.replyWith(this.ends, protocol, datagram, size);
      this.#host.wake(this);
      return 0;
    }
    const payload = putIp(into, at, this.ends, protocol, size);
    into.set(datagram.subarray(0, size), payload);
    return payload + size - at;
  }

  /** A datagram of the host has passed, or may pass. */
  waitForPeer(now: number): void {
    const isUnanswered = this.kind === "caller" && this.#lastLength === 0;
    this.#host.setDeadline(this, now + (isUnanswered ? UNANSWERED_MS : IDLE_MS[this.kind]));
  }

  /** Sends the peer a datagram of the flow that has not come through its socket. */
  deliver(bytes: Uint8Array, start: number, end: number, now: number): void {
    const size = UDP_HEADER + Math.min(end - start, datagram.length - UDP_HEADER - this.ends.headerSize - 1);
    datagram.set(bytes.subarray(start, start + size - UDP_HEADER), UDP_HEADER);
    const protocol = this.#putHeader(size);
    this.waitForPeer(now);
    this.count.toPeer += this.ends.headerSize + size;
    this.#host.replyWith(this.ends, protocol, datagram, size);
  }

  /** Completes the datagram in hand. Returns its protocol. */
  #putHeader(size: number): number {
    const { ends, ports } = this;
    if (this.kind === "echo") {
      const { protocol, reply } = Echo[ends.far.length === 4 ? 4 : 6];
      datagram[0] = reply;
      put16(datagram, 4, ports);
      putIcmpChecksum(datagram, 0, size, ends);
      return protocol;
    }
    putUdpHeader(datagram, size, ends, ports);
    return IpProto.UDP;
  }

  handleTimeout(): void {
    this.end();
  }

  end(): void {
    if (this.socket < 0) return;
    this.#host.closeSocket(this.socket, false);
    this.socket = -1;
    this.#host.forget(this);
  }
}
