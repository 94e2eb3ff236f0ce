// The packets of a TCP connection, as a test of header compression needs them: real headers, right checksums.

import { put16, put32 } from "../../src/bytes/be.ts";
import { internetChecksum } from "./segment-text.ts";

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
    put16(packet, 10, internetChecksum([...packet.subarray(0, 20)]));
    put16(packet, 36, tcpSum(packet));
    return packet;
  }
}

function tcpSum(packet: Uint8Array): number {
  const length = packet.length - 20;
  return internetChecksum([...packet.subarray(12, 20), 0, 6, length >>> 8, length & 255, ...packet.subarray(20)]);
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
  put16(packet, 10, internetChecksum([...packet.subarray(0, 20)]));
  packet[20] = type;
  put32(packet, 24, number);
  for (let at = 28; at < length; at++) packet[at] = at;
  put16(packet, 22, internetChecksum([...packet.subarray(20)]));
  return packet;
}
