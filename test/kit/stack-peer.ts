// A stack with played sockets and a peer whose every segment the test writes.

import { Destinations, ipv4Octets } from "../../src/stack/destinations.ts";
import { Stack, type StackSettings } from "../../src/stack/stack.ts";
import { parseIpv4 } from "../../src/wire/ip.ts";
import { FakeSockets } from "./fake-sockets.ts";
import { internetChecksum, ipv4Packet, packetText, type Route, segmentPacket } from "./segment-text.ts";

export const PEER = "10.0.0.2";
export const OUR = "10.0.0.1";
export const SERVER = "192.0.2.80";
/** The stack's random numbers, and so its initial sequence numbers. */
const ISS = 0xfffffff0;
/** Both ends' numbers wrap soon. */
const PEER_ISS = 0xffffff00;

export class StackPeer {
  readonly sockets = new FakeSockets();
  readonly stack: Stack;
  now = 1000;
  /** The most packets that a script takes at once. */
  turn = 1000;
  route: Route = { from: PEER, to: SERVER, fromPort: 40000, toPort: 80 };
  readonly #room = new Uint8Array(20000);

  constructor(settings: Partial<StackSettings> = {}) {
    this.stack = new Stack({
      side: this.sockets,
      destinations: new Destinations([], []),
      resolvers: [],
      ownAddresses: () => [],
      mostFlows: 100,
      random: () => ISS,
      ...settings,
    });
    this.sockets.told = (socket, readable, writable) => this.stack.ready(socket, readable, writable, this.now);
    this.stack.gateway.setAddress(4, ipv4Octets(parseIpv4(OUR)!));
  }

  /** Sends segments. */
  send(...texts: string[]): void {
    for (const text of texts) this.sendPacket(this.segment(text));
  }

  segment(text: string, dataAt?: (sequence: number) => number): Uint8Array {
    return segmentPacket(text, this.route, PEER_ISS, ISS, dataAt);
  }

  /** A packet of the stack as text. */
  text(packet: Uint8Array): string {
    return packetText(packet, ISS, PEER_ISS);
  }

  sendPacket(packet: Uint8Array): void {
    this.stack.receive(packet, 0, packet.length, this.now);
  }

  /** Sends an ICMP message whose checksum field is 0. */
  sendIcmp(message: readonly number[], to = OUR, ttl = 64): void {
    const sum = internetChecksum(message);
    this.sendPacket(ipv4Packet(PEER, to, 1, [...message.slice(0, 2), sum >>> 8, sum & 255, ...message.slice(4)], ttl));
  }

  /** All packets that the stack has for the peer. */
  packets(most = 1000): Uint8Array[] {
    const packets: Uint8Array[] = [];
    while (packets.length < most) {
      const length = this.stack.take(this.#room, 5, this.now);
      if (length === 0) break;
      packets.push(this.#room.slice(5, 5 + length));
    }
    return packets;
  }

  /** The same as text. */
  takes(most = 1000): string[] {
    return this.packets(most).map((packet) => this.text(packet));
  }

  /** Lets time pass. */
  wait(ms: number): void {
    this.now += ms;
    if (this.stack.nextTimeout() <= this.now) this.stack.handleTimeout(this.now);
  }

  /** Opens a connection. */
  establish(options = "mss 1000"): void {
    this.send(`S 0:0(0) win 8000 <${options}>`);
    this.takes();
    this.send(". 1:1(0) ack 1 win 8000");
    this.takes();
  }
}
