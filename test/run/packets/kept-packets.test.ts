// Packets that wait for a link, and their new address when the link gets another one.

import { expect, test } from "bun:test";
import { put16, put32, u16 } from "../../../src/bytes/be.ts";
import { KeptPackets, MOST_KEPT } from "../../../src/run/packets/kept-packets.ts";
import { IpProto, ipv4HeaderChecksum, ipv4Source, parseIpv4 } from "../../../src/wire/ip.ts";
import { Rng } from "../../kit/rng.ts";

const OLD = parseIpv4("10.64.64.64")!;
const OUR = parseIpv4("192.168.255.254")!;
const PEER = parseIpv4("10.0.0.1")!;
const CHECKSUM_AT: Readonly<Record<number, number>> = { [IpProto.TCP]: 16, [IpProto.UDP]: 6 };

/**
 * The sum of RFC 1071 over the octets of a TCP or UDP checksum, or over the header. ffff when the checksum is right.
 */
function sum(packet: Uint8Array, proto: number): number {
  const words = [u16(packet, 12), u16(packet, 14), u16(packet, 16), u16(packet, 18), proto, packet.length - 20];
  for (let at = 20; at < packet.length; at += 2) words.push((packet[at]! << 8) | (packet[at + 1] ?? 0));
  return words.reduce((total, word) => ((total + word) & 0xffff) + ((total + word) >>> 16), 0);
}

function ipv4(source: number, proto: number, payload: Uint8Array, fragment = 0): Uint8Array {
  const packet = new Uint8Array(20 + payload.length);
  packet[0] = 0x45;
  put16(packet, 2, packet.length);
  put16(packet, 6, fragment);
  packet[9] = proto;
  put32(packet, put32(packet, 12, source), PEER);
  put16(packet, 10, ipv4HeaderChecksum(packet, 0, 20));
  packet.set(payload, 20);
  const at = CHECKSUM_AT[proto];
  if (at === undefined || fragment !== 0) return packet;
  put16(packet, 20 + at, 0);
  put16(packet, 20 + at, ~sum(packet, proto) & 0xffff || 0xffff);
  return packet;
}

function kept(...packets: Uint8Array[]): KeptPackets {
  const it = new KeptPackets();
  for (const packet of packets) expect(it.add(packet, 0, packet.length)).toBe(true);
  return it;
}

function takeAll(it: KeptPackets): Uint8Array[] {
  Object.assign(it.ready, { ipv4: true, ipv6: true });
  const packets: Uint8Array[] = [];
  for (let packet; (packet = it.take()) !== undefined;) packets.push(packet);
  return packets;
}

test("a packet with another source has the checksums that belong to it, whatever is in it", () => {
  const rng = new Rng(1624);
  for (let round = 0; round < 200; round++) {
    const proto = round % 2 === 0 ? IpProto.TCP : IpProto.UDP;
    const packet = ipv4(
      OLD,
      proto,
      Uint8Array.from({ length: 20 + rng.below(40) }, () => rng.below(256)),
    );
    const it = kept(packet);
    it.changeSource(OLD, OUR);
    const [changed] = takeAll(it) as [Uint8Array];
    expect(ipv4Source(changed, 0)).toBe(OUR);
    expect(u16(changed, 10)).toBe(ipv4HeaderChecksum(changed, 0, 20));
    expect(sum(changed, proto)).toBe(0xffff);
    // Changed back, it is the same, bit for bit.
    const back = kept(changed);
    back.changeSource(OUR, OLD);
    expect(takeAll(back)).toEqual([packet]);
  }
});

test("packets from other sources, datagrams without a checksum and data of fragments stay as they are", () => {
  const data = Uint8Array.from({ length: 24 }, (_, at) => at + 1);
  const others = ipv4(parseIpv4("192.168.7.7")!, IpProto.UDP, data);
  const unsummed = ipv4(OLD, IpProto.UDP, data);
  put16(unsummed, 26, 0);
  const fragment = ipv4(OLD, IpProto.TCP, data, 185);
  const it = kept(others, unsummed, fragment);
  it.changeSource(OLD, OUR);
  const [first, second, third] = takeAll(it) as [Uint8Array, Uint8Array, Uint8Array];
  expect(first).toEqual(others);
  expect([ipv4Source(second, 0), u16(second, 26)]).toEqual([OUR, 0]);
  expect(ipv4Source(third, 0)).toBe(OUR);
  expect(third.subarray(20)).toEqual(fragment.subarray(20));
});

test("no packet makes it throw, however short or damaged", () => {
  const whole = ipv4(OLD, IpProto.TCP, new Uint8Array(20));
  for (let length = 0; length <= whole.length; length++)
    for (const first of [0x45, 0x4f, 0x40, 0x60, 0x00]) {
      const it = new KeptPackets();
      const packet = whole.slice(0, length);
      if (length > 0) packet[0] = first;
      expect(it.add(packet, 0, length)).toBe(length > 0 && first !== 0);
      it.changeSource(OLD, OUR);
      it.texts();
    }
});

test("packets of each protocol are sent in order once it is ready, and no more are kept than there is room for", () => {
  const numbered = (version: number, number: number): Uint8Array => Uint8Array.of(version << 4, number);
  const it = new KeptPackets();
  const packets = Array.from({ length: MOST_KEPT + 2 }, (_, at) => numbered(at % 3 === 0 ? 6 : 4, at));
  expect(packets.map((packet) => it.add(packet, 0, 2)).filter(Boolean).length).toBe(MOST_KEPT);
  expect([it.hasReady, it.take()]).toEqual([false, undefined]);
  const of = (version: number): Uint8Array[] =>
    packets.slice(0, MOST_KEPT).filter(([first]) => first! >>> 4 === version);
  it.ready.ipv4 = true;
  const first: Uint8Array[] = [];
  for (let packet; (packet = it.take()) !== undefined;) first.push(packet);
  expect(first).toEqual(of(4));
  expect(takeAll(it)).toEqual(of(6));
});

test("pppd's words for syslog", () => {
  const ports = (length: number): Uint8Array => {
    const payload = new Uint8Array(length);
    put16(payload, put16(payload, 0, 1024), 53);
    return payload;
  };
  const it = kept(
    ipv4(OUR, IpProto.ICMP, new Uint8Array(8)),
    ipv4(OUR, IpProto.TCP, ports(20)),
    ipv4(OUR, IpProto.UDP, ports(8)),
    Uint8Array.of(0x60, 0),
  );
  expect(it.texts()).toEqual([
    "Open ICMP 192.168.255.254 -> 10.0.0.1",
    "Open TCP 192.168.255.254:1024 -> 10.0.0.1:53",
    "Open UDP 192.168.255.254:1024 -> 10.0.0.1:53",
  ]);
});
