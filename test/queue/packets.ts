// Packets for the tests of queues.

import { put16, put32 } from "../../src/bytes/be.ts";
import { ipv4HeaderChecksum } from "../../src/wire/ip.ts";

export const TCP = 6;
export const UDP = 17;

export interface PacketWish {
  readonly length: number;
  readonly port?: number;
  readonly protocol?: number;
  readonly tos?: number;
  /** The IPv4 field of flags and offset. */
  readonly fragment?: number;
  readonly id?: number;
}

/** An IPv4 packet whose length is at least 28 octets. Its data is a number that tells it from others. */
export function packet4(wish: PacketWish, number = 0): Uint8Array {
  const { length, port = 1, protocol = UDP, tos = 0, fragment = 0, id = 0 } = wish;
  const packet = new Uint8Array(length);
  put32(packet, 0, 0x45000000 | (tos << 16) | length);
  put16(packet, 4, id);
  put16(packet, 6, fragment);
  put16(packet, 8, 0x4000 | protocol);
  put32(packet, 12, 0x0a000001);
  put32(packet, 16, 0x0a000002);
  put16(packet, 10, ipv4HeaderChecksum(packet, 0, 20));
  put16(packet, 20, port);
  put16(packet, 22, 9);
  put32(packet, length - 4, number);
  return packet;
}

/** An IPv6 packet of 56 octets and more, with a header of options before its payload if it is wished. */
export function packet6(length: number, port: number, extension?: number): Uint8Array {
  const packet = new Uint8Array(length);
  put32(packet, 0, 0x60000000);
  put16(packet, 4, length - 40);
  packet[6] = extension ?? UDP;
  packet[7] = 64;
  packet[23] = 1;
  packet[39] = 2;
  if (extension !== undefined) packet[40] = UDP;
  put16(packet, extension === undefined ? 40 : 48, port);
  return packet;
}

export function tcp4(flags: number, data: number, port = 1): Uint8Array {
  const packet = packet4({ length: 44 + data, protocol: TCP, port });
  const length = 40 + data;
  put16(packet, 2, length);
  packet[32] = 0x50;
  packet[33] = flags;
  return packet.slice(0, length);
}
