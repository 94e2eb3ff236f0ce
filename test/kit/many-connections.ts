// A peer that opens and closes connections in masses, with sockets that are numbers only: what is measured is the stack.

import { put16, put32, u32 } from "../../src/bytes/be.ts";
import { Destinations } from "../../src/stack/destinations.ts";
import { Failure, NOT_NOW, type SocketSide } from "../../src/stack/socket-side.ts";
import { Stack } from "../../src/stack/stack.ts";
import { ipv4HeaderChecksum, TcpFlag } from "../../src/wire/ip.ts";

const PEER = [10, 0, 0, 2];
const HEADERS = 40;

/** Every connection is made at once, takes all, and gives nothing until it is told to end. */
class Numbers implements SocketSide {
  open = 0;
  isEnding = false;
  #last = 0;
  connect(): number {
    this.open++;
    return ++this.#last;
  }
  isConnected(): boolean {
    return true;
  }
  read(): number {
    return this.isEnding ? 0 : NOT_NOW;
  }
  write(_socket: number, _from: Uint8Array, start: number, end: number): number {
    return end - start;
  }
  room(): number {
    return 1 << 20;
  }
  shutdown(): void {}
  close(): void {
    this.open--;
  }
  abort(): void {
    this.open--;
  }
  reporter(): undefined {}
  failure(): Failure {
    return Failure.NONE;
  }
  openDatagrams(): number {
    return ++this.#last;
  }
  openEchoes(): number {
    return ++this.#last;
  }
  send(): boolean {
    return true;
  }
  receive(): number {
    return NOT_NOW;
  }
}

export class ManyConnections {
  readonly sockets = new Numbers();
  readonly stack: Stack;
  now = 0;
  readonly #packet = new Uint8Array(HEADERS + 1);
  readonly #room = new Uint8Array(2048);
  #last = 0;

  constructor(most: number) {
    let random = 1;
    this.stack = new Stack({
      side: this.sockets,
      destinations: new Destinations([], []),
      resolvers: [],
      ownAddresses: () => [],
      // Connections may not take all of them.
      mostFlows: 2 * most,
      random: () => (random = (Math.imul(random, 1664525) + 1013904223) >>> 0),
    });
    this.stack.gateway.setAddress(4, Uint8Array.of(10, 0, 0, 1));
  }

  /** Sends a segment of connection `number`. Returns the sequence number of the last answer. */
  #say(number: number, flags: number, sequence: number, ack: number, size = 0): number {
    const packet = this.#packet;
    packet[0] = 0x45;
    put16(packet, 2, HEADERS + size);
    packet[8] = 64;
    packet[9] = 6;
    packet.set(PEER, 12);
    put32(packet, 16, 0xc0000200 + (number >>> 15));
    put16(packet, 10, ipv4HeaderChecksum(packet, 0, 20));
    put16(packet, 20, 1024 + (number & 0x7fff));
    put16(packet, 22, 80);
    put32(packet, 24, sequence);
    put32(packet, 28, ack);
    packet[32] = 0x50;
    packet[33] = flags;
    put16(packet, 34, 65535);
    put16(packet, 36, 0);
    packet[HEADERS] = 0;
    let sum = 6 + 20 + size;
    for (let at = 12; at < HEADERS; at += 2) sum += packet[at]! * 256 + packet[at + 1]!;
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    put16(packet, 36, ~sum & 0xffff);
    this.stack.receive(packet, 0, HEADERS + size, this.now);
    let answered = 0;
    for (let length; (length = this.stack.take(this.#room, 0, this.now)) > 0;)
      if (length >= HEADERS) answered = u32(this.#room, 24);
    return answered;
  }

  /** Opens one connection, and sends an octet on it. Returns its number and what the peer must acknowledge. */
  open(): { readonly number: number; readonly ack: number } {
    const number = this.#last++;
    const ack = (this.#say(number, TcpFlag.SYN, 0, 0) + 1) >>> 0;
    this.#say(number, TcpFlag.ACK | TcpFlag.PSH, 1, ack, 1);
    return { number, ack };
  }

  /** Opens a connection that ends at once: the peer first, or the server first, or by a reset. */
  openAndClose(how: "peer" | "server" | "reset"): void {
    const { number, ack } = this.open();
    if (how === "reset") {
      this.#say(number, TcpFlag.RST, 2, 0);
      return;
    }
    if (how === "peer") this.#say(number, TcpFlag.FIN | TcpFlag.ACK, 2, ack);
    this.sockets.isEnding = true;
    this.stack.ready(number + 1, true, false, this.now);
    this.#say(number, TcpFlag.ACK, how === "peer" ? 3 : 2, ack);
    this.sockets.isEnding = false;
    const isLast = how === "server" ? TcpFlag.FIN : 0;
    this.#say(number, isLast | TcpFlag.ACK, how === "peer" ? 3 : 2, (ack + 1) >>> 0);
  }

  wait(ms: number): void {
    this.now += ms;
    if (this.stack.nextTimeout() <= this.now) this.stack.handleTimeout(this.now);
    while (this.stack.take(this.#room, 0, this.now) > 0);
  }
}
