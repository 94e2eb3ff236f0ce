// Measures the TCP/IP stack alone, in memory, at an MTU of 1500: one connection each way with a peer that only counts.
// By itself: bun scripts/bench/stack.ts

import { put16, put32, u16, u32 } from "../../src/bytes/be.ts";
import { Destinations } from "../../src/stack/destinations.ts";
import { NOT_NOW, Failure, type SocketSide } from "../../src/stack/socket-side.ts";
import { Stack } from "../../src/stack/stack.ts";
import { ipv4HeaderChecksum, TcpFlag } from "../../src/wire/ip.ts";
import { table } from "./table.ts";

const RUN_MS = 1500;
const RUNS = 3;
const DATA = 1460;
const PEER = [10, 0, 0, 2];
const SERVER = [192, 0, 2, 80];

/** A host that takes and gives octets without end. */
class Endless implements SocketSide {
  taken = 0;
  connect(): number {
    return 1;
  }
  isConnected(): boolean {
    return true;
  }
  read(_socket: number, into: Uint8Array, at: number, most: number): number {
    into.fill(0x55, at, at + most);
    return most;
  }
  write(_socket: number, _from: Uint8Array, start: number, end: number): number {
    this.taken += end - start;
    return end - start;
  }
  room(): number {
    return 1 << 20;
  }
  shutdown(): void {}
  close(): void {}
  abort(): void {}
  reporter(): undefined {}
  failure(): Failure {
    return Failure.NONE;
  }
  openDatagrams(): number {
    return 2;
  }
  openEchoes(): number {
    return 3;
  }
  send(): boolean {
    return true;
  }
  receive(): number {
    return NOT_NOW;
  }
}

/** Packets of a peer: one buffer, whose numbers are set for each. All data are zeros, which add nothing to the checksum. */
class Peer {
  readonly packet = new Uint8Array(40 + DATA);
  sequence = 1;
  acknowledgment = 0;

  /** Returns the length. */
  segment(flags: number, size: number): number {
    const { packet } = this;
    packet[0] = 0x45;
    put16(packet, 2, 40 + size);
    packet[8] = 64;
    packet[9] = 6;
    packet.set([...PEER, ...SERVER], 12);
    put16(packet, 10, ipv4HeaderChecksum(packet, 0, 20));
    put16(packet, 20, 40000);
    put16(packet, 22, 80);
    put32(packet, 24, this.sequence);
    put32(packet, 28, this.acknowledgment);
    packet[32] = 0x50;
    packet[33] = flags;
    put16(packet, 34, 65535);
    put16(packet, 36, 0);
    let sum = 6 + 20 + size;
    for (let at = 12; at < 40; at += 2) sum += u16(packet, at);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    put16(packet, 36, ~sum & 0xffff);
    this.sequence = (this.sequence + size + (flags & TcpFlag.SYN ? 1 : 0)) >>> 0;
    return 40 + size;
  }
}

const room = new Uint8Array(2048);

function connected(): { stack: Stack; side: Endless; peer: Peer } {
  const side = new Endless();
  const stack = new Stack({
    side,
    destinations: new Destinations([], []),
    resolvers: [],
    ownAddresses: () => [],
    mostFlows: 10,
    random: () => 12345,
  });
  const peer = new Peer();
  stack.receive(peer.packet, 0, peer.segment(TcpFlag.SYN, 0), 0);
  stack.take(room, 0, 0);
  peer.acknowledgment = (u32(room, 24) + 1) >>> 0;
  return { stack, side, peer };
}

/** MB/s from the server to the peer, which acknowledges every second segment. */
function down(): number {
  const { stack, peer } = connected();
  let octets = 0;
  const begin = performance.now();
  let now = begin;
  while (now - begin < RUN_MS) {
    for (let pair = 0; pair < 500; pair++) {
      stack.receive(peer.packet, 0, peer.segment(TcpFlag.ACK, 0), now);
      for (let count = 0; count < 2; count++) {
        const length = stack.take(room, 0, now);
        if (length <= 40) continue;
        octets += length - 40;
        peer.acknowledgment = (u32(room, 24) + length - 40) >>> 0;
      }
    }
    now = performance.now();
  }
  return octets / 1000 / (now - begin);
}

/** MB/s from the peer to the server. One acknowledgment for two segments is taken. */
function up(): number {
  const { stack, side, peer } = connected();
  const begin = performance.now();
  let now = begin;
  while (now - begin < RUN_MS) {
    for (let pair = 0; pair < 500; pair++) {
      for (let count = 0; count < 2; count++) stack.receive(peer.packet, 0, peer.segment(TcpFlag.ACK, DATA), now);
      stack.take(room, 0, now);
    }
    now = performance.now();
  }
  return side.taken / 1000 / (now - begin);
}

const best = (measure: () => number): string => Math.max(...Array.from({ length: RUNS }, measure)).toFixed(0);
console.log(
  table(
    ["stack, MTU 1500", "MB/s"],
    [
      ["server to peer", best(down)],
      ["peer to server", best(up)],
    ],
  ),
);
