// The same stack with IPv6: an echo, datagrams and a connection.

import { expect, test } from "bun:test";
import { Failure } from "../../src/stack/socket-side.ts";
import { type Rng, withRng } from "../kit/rng.ts";
import { internetChecksum } from "../kit/segment-text.ts";
import { StackPeer } from "../kit/stack-peer.ts";

const PEER = [0xfe, 0x80, ...Array.from({ length: 13 }, () => 0), 2];
const OUR = [0xfe, 0x80, ...Array.from({ length: 13 }, () => 0), 1];
const SERVER = [0x20, 1, 0xd, 0xb8, ...Array.from({ length: 11 }, () => 0), 0x80];

/** A packet whose payload has its checksum, set to 0, at this place. */
function packetOf(
  to: readonly number[],
  next: number,
  payload: readonly number[],
  checksumAt: number,
  hops = 64,
  from: readonly number[] = PEER,
): Uint8Array {
  const pseudo = [...from, ...to, 0, 0, payload.length >> 8, payload.length & 255, 0, 0, 0, next];
  const sum = internetChecksum([...pseudo, ...payload]);
  const summed = payload.with(checksumAt, sum >> 8).with(checksumAt + 1, sum & 255);
  return Uint8Array.from([
    0x60,
    0,
    0,
    0,
    payload.length >> 8,
    payload.length & 255,
    next,
    hops,
    ...from,
    ...to,
    ...summed,
  ]);
}

/** The payload of a packet to the peer. Throws when the packet is malformed. */
function payloadOf(packet: Uint8Array): number[] {
  const payload = [...packet.subarray(40)];
  if (packet[0] !== 0x60 || packet[4]! * 256 + packet[5]! !== payload.length) throw new Error("the length is wrong");
  expect([...packet.subarray(24, 40)]).toEqual(PEER);
  const pseudo = [...packet.subarray(8, 40), 0, 0, payload.length >> 8, payload.length & 255, 0, 0, 0, packet[6]!];
  expect(internetChecksum([...pseudo, ...payload])).toBe(0);
  return payload;
}

function peerOf(): StackPeer {
  const peer = new StackPeer();
  peer.stack.gateway.setAddress(6, Uint8Array.from(OUR));
  return peer;
}

test("an echo to our address is answered", () => {
  const peer = peerOf();
  peer.sendPacket(packetOf(OUR, 58, [128, 0, 0, 0, 1, 2, 0, 1, 42], 2));
  const [reply] = peer.packets();
  expect(payloadOf(reply!).toSpliced(2, 2)).toEqual([129, 0, 1, 2, 0, 1, 42]);
});

test("our address in the network that we advertise: echoes, refused ports, name queries", () => {
  const [ours, peersOwn] = [1, 9].map((last) => [0xfd, 1, 2, 3, 4, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
  const resolver = Uint8Array.of(192, 0, 2, 53);
  const peer = new StackPeer({ resolvers: [resolver] });
  peer.stack.gateway.setAddress(6, Uint8Array.from(OUR));
  const echo = packetOf(ours!, 58, [128, 0, 0, 0, 1, 2, 0, 1, 42], 2);
  peer.sendPacket(echo);
  // It is an address like any other as long as it is not ours.
  expect(peer.packets()).toEqual([]);
  peer.stack.gateway.setNetworkAddress(Uint8Array.from(ours!));
  peer.sendPacket(echo);
  expect(payloadOf(peer.packets()[0]!).toSpliced(2, 2)).toEqual([129, 0, 1, 2, 0, 1, 42]);
  peer.sendPacket(packetOf(ours!, 17, [0x13, 0x88, 0, 53, 0, 10, 0, 0, 7, 8], 6));
  expect(peer.sockets.last.address).toBe("192.0.2.53");
  // What expires is reported from the address of the same network.
  const datagram = [0x13, 0x88, 0x1b, 0x58, 0, 10, 0, 0, 7, 8];
  peer.sendPacket(packetOf(SERVER, 17, datagram, 6, 1, peersOwn));
  const [expired] = peer.packets();
  expect([[...expired!.subarray(8, 24)], [...expired!.subarray(24, 40)]]).toEqual([ours!, peersOwn!]);
});

test("datagrams, an unreachable port and a hop limit", () => {
  const peer = peerOf();
  const datagram = [0x13, 0x88, 0x1b, 0x58, 0, 10, 0, 0, 7, 8];
  peer.sendPacket(packetOf(SERVER, 17, datagram, 6));
  expect(peer.sockets.last.datagrams.map(({ bytes }) => [...bytes])).toEqual([[7, 8]]);
  peer.sockets.last.answer(Uint8Array.of(1));
  expect(payloadOf(peer.packets()[0]!).toSpliced(6, 2)).toEqual([0x1b, 0x58, 0x13, 0x88, 0, 9, 1]);
  peer.sockets.last.fail(Failure.REFUSED);
  expect(payloadOf(peer.packets()[0]!).slice(0, 2)).toEqual([1, 4]);
  peer.sendPacket(packetOf(SERVER, 17, datagram, 6, 1));
  const [expired] = peer.packets();
  expect([payloadOf(expired!).slice(0, 2), [...expired!.subarray(8, 24)]]).toEqual([[3, 0], OUR]);
});

test("a connection: SYN, data, answer", () => {
  const peer = peerOf();
  const segment = (sequence: number, ack: readonly number[], flags: number, data: readonly number[]): void => {
    const head = [0x9c, 0x40, 0, 80, 0, 0, 0, sequence, ...ack, 0x50, flags, 0x20, 0, 0, 0, 0, 0];
    peer.sendPacket(packetOf(SERVER, 6, [...head, ...data], 16));
  };
  segment(0, [0, 0, 0, 0], 2, []);
  const answer = payloadOf(peer.packets()[0]!);
  expect([answer[13], ...answer.slice(20)]).toEqual([0x12, 2, 4, 1440 >> 8, 1440 & 255]);
  const ack = [answer[4]!, answer[5]!, answer[6]!, answer[7]! + 1];
  segment(1, ack, 0x18, [1, 2, 3]);
  expect([...peer.sockets.last.received()]).toEqual([1, 2, 3]);
  peer.sockets.last.give(Uint8Array.of(4, 5));
  expect(payloadOf(peer.packets()[0]!).slice(20)).toEqual([4, 5]);
});

/** One that is right, with headers before its payload. */
function soundPacket(rng: Rng): Uint8Array {
  const to = rng.pick([OUR, SERVER]);
  const payload = rng.pick([
    () => [128, 0, 0, 0, 1, 2, 0, 1, ...rng.bytes(rng.below(60))],
    () => [0x13, 0x88, 0x1b, 0x58, 0, 10, 0, 0, 7, 8],
    () => [0x9c, 0x40, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 2, 0x20, 0, 0, 0, 0, 0],
    () => [2, 0, 0, 0, 0, 0, 5, 0, ...rng.bytes(60)],
  ])();
  const next = payload[0] === 128 || payload[0] === 2 ? 58 : payload.length === 10 ? 17 : 6;
  return packetOf(to, next, payload, next === 58 ? 2 : next === 17 ? 6 : 16, rng.pick([1, 64]));
}

/** The packet behind `count` more headers of any kind, whose lengths lie now and then. */
function behindHeaders(packet: Uint8Array, count: number, rng: Rng): Uint8Array {
  let next = packet[6]!;
  let rest = [...packet.subarray(40)];
  for (let header = 0; header < count; header++) {
    const kind = rng.pick([0, 43, 44, 60, 60, 59]);
    const size = kind === 44 ? 8 : 8 * (1 + rng.below(3));
    const octets = [next, size / 8 - 1, ...rng.bytes(size - 2)];
    if (kind === 44 && rng.chance(0.7)) octets.splice(2, 2, rng.below(2), 8 * rng.below(3) + rng.below(2));
    if (rng.chance(0.1)) octets[1] = rng.below(256);
    rest = [...octets, ...rest];
    next = kind;
  }
  const size = rng.chance(0.1) ? rng.below(rest.length + 20) : rest.length;
  return Uint8Array.from([...packet.subarray(0, 4), size >> 8, size & 255, next, ...packet.subarray(7, 40), ...rest]);
}

test("packets with any headers and lengths are answered in good form, and leave nothing behind", () =>
  withRng((rng) => {
    const peer = peerOf();
    let answers = 0;
    for (let count = 0; count < 4000; count++) {
      const packet = behindHeaders(soundPacket(rng), rng.pick([0, 0, 1, 2, 9]), rng);
      if (rng.chance(0.2)) packet[rng.below(packet.length)] = rng.below(256);
      peer.sendPacket(rng.chance(0.1) ? packet.subarray(0, rng.below(packet.length)) : packet);
      const replies = peer.packets();
      expect(replies.length).toBeLessThan(8);
      for (const reply of replies) if (reply[6] !== 44 && reply[24] === PEER[0]) answers += payloadSize(reply);
      peer.wait(rng.pick([0, 10, 1000]));
    }
    expect(answers).toBeGreaterThan(1000);
    for (let hour = 0; hour < 12; hour++) {
      peer.wait(3_600_000);
      peer.packets();
    }
    expect([peer.sockets.open.size, peer.stack.keptOctets, peer.stack.keptFragments < 33]).toEqual([0, 0, true]);
  }));

/** Throws when the lengths or the checksum are wrong. */
function payloadSize(packet: Uint8Array): number {
  const payload = [...packet.subarray(40)];
  expect([packet[0], packet[4]! * 256 + packet[5]!]).toEqual([0x60, payload.length]);
  const pseudo = [...packet.subarray(8, 40), 0, 0, payload.length >> 8, payload.length & 255, 0, 0, 0, packet[6]!];
  expect(internetChecksum([...pseudo, ...payload])).toBe(0);
  return payload.length;
}
