// The packets of a TCP connection, as a test of header compression needs them: real headers, right checksums.

import { put16, put32, u16 } from "../../src/bytes/be.ts";

const HEADERS = 40;
const ACK = 0x10;

export class TcpFlow {
  /** The sequence numbers of both sides. */
  sequence: number;
  acknowledged = 1000;
  #id = 1;
  readonly #from: number;
  readonly #to: number;
  readonly #ports: readonly [number, number];

  constructor(from: number, to: number, ports: readonly [number, number], sequence = 1) {
    this.#from = from;
    this.#to = to;
    this.#ports = ports;
    this.sequence = sequence;
  }

  /** The next packet, with this data. */
  next(data: Uint8Array): Uint8Array {
    const packet = new Uint8Array(HEADERS + data.length);
    packet.set(data, HEADERS);
    packet[0] = 0x45;
    put16(packet, 2, packet.length);
    put16(packet, 4, this.#id++ & 0xffff);
    packet[8] = 64;
    packet[9] = 6;
    put32(packet, 12, this.#from);
    put32(packet, 16, this.#to);
    put16(packet, 20, this.#ports[0]);
    put16(packet, 22, this.#ports[1]);
    put32(packet, 24, this.sequence);
    put32(packet, 28, this.acknowledged);
    packet[32] = 0x50;
    packet[33] = ACK;
    put16(packet, 34, 0xffff);
    this.sequence = (this.sequence + data.length) >>> 0;
    put16(packet, 10, checksum(packet, 0, 20));
    put16(packet, 36, tcpSum(packet));
    return packet;
  }
}

function tcpSum(packet: Uint8Array): number {
  // The addresses, the protocol and the length count too.
  return checksum(packet, 12, packet.length, 6 + packet.length - 20);
}

function checksum(packet: Uint8Array, start: number, end: number, sum = 0): number {
  for (let at = start; at + 1 < end; at += 2) sum += u16(packet, at);
  if (((end - start) & 1) !== 0) sum += packet[end - 1]! << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return 0xffff - sum;
}

/** True when the checksum of a TCP packet is right. */
export function isSound(packet: Uint8Array): boolean {
  return packet.length >= HEADERS && tcpSum(packet) === 0;
}

/** An echo request, or the reply to one, of `length` octets with a number to know it by. */
export function pingPacket(from: number, to: number, number: number, length = 84, type = 8): Uint8Array {
  const packet = new Uint8Array(length);
  packet[0] = 0x45;
  put16(packet, 2, length);
  packet[8] = 64;
  packet[9] = 1;
  put32(packet, 12, from);
  put32(packet, 16, to);
  put16(packet, 10, checksum(packet, 0, 20));
  packet[20] = type;
  put32(packet, 24, number);
  for (let at = 28; at < length; at++) packet[at] = at;
  put16(packet, 22, checksum(packet, 20, length));
  return packet;
}
