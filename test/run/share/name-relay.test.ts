// The relay of name queries: which packets are its own, and where they go.

import { expect, test } from "bun:test";
import { parseAddress } from "../../../src/bytes/prefix.ts";
import { fromHex, toHex } from "../../../src/bytes/text.ts";
import type { Sockets } from "../../../src/run/host/sockets.ts";
import { NameRelay } from "../../../src/run/share/name-relay.ts";
import type { Resolvers } from "../../../src/run/share/resolvers.ts";
import { parseIpv4 } from "../../../src/wire/ip.ts";
import { NotedSockets } from "../../kit/noted-sockets.ts";
import { internetChecksum, ipv4Packet } from "../../kit/segment-text.ts";

const [OUR, PEER, OUR6, PEER6] = ["10.0.0.1", "10.0.0.2", parseAddress("fd01::1")!, parseAddress("fd01::2")!];

function relayOf(resolver = "127.0.0.1"): { relay: NameRelay; sockets: NotedSockets } {
  const sockets = new NotedSockets();
  const resolvers = { now: { own: [parseAddress(resolver)!] } } as unknown as Resolvers;
  const relay = new NameRelay(sockets as unknown as Sockets, resolvers, () => 1);
  relay.our4 = parseIpv4(OUR)!;
  relay.our6 = OUR6;
  return { relay, sockets };
}

const udp = (port: number, data: string): number[] => {
  const bytes = fromHex(data);
  return [0x10, 0, port >> 8, port & 255, 0, 8 + bytes.length, 0, 0, ...bytes];
};

function ipv6Udp(to: Uint8Array, port: number, data: string): Uint8Array {
  const payload = udp(port, data);
  const pseudo = [...PEER6, ...to, 0, 0, 0, payload.length, 0, 0, 0, 17];
  const sum = internetChecksum([...pseudo, ...payload]);
  return Uint8Array.from([
    0x60,
    0,
    0,
    0,
    0,
    payload.length,
    17,
    64,
    ...PEER6,
    ...to,
    ...payload.with(6, sum >> 8).with(7, sum & 255),
  ]);
}

const isFor = (relay: NameRelay, packet: Uint8Array): boolean => relay.isFor(packet, 0, packet.length);

test("the relay has what goes to port 53 of our addresses, and nothing else", () => {
  const { relay } = relayOf();
  const query = ipv4Packet(PEER, OUR, 17, udp(53, "0102"));
  const syn = [0x10, 0, 0, 53, ...new Array<number>(16).fill(0)];
  expect(isFor(relay, query)).toBe(true);
  expect(isFor(relay, ipv4Packet(PEER, OUR, 6, syn))).toBe(true);
  expect(isFor(relay, ipv6Udp(OUR6, 53, "0102"))).toBe(true);
  for (const other of [
    ipv4Packet(PEER, OUR, 17, udp(5353, "0102")),
    ipv4Packet(PEER, "10.0.0.3", 17, udp(53, "0102")),
    ipv4Packet(PEER, OUR, 1, udp(53, "0102")),
    // A later fragment has no ports.
    query.with(7, 1),
    ipv6Udp(PEER6, 53, "0102"),
    ipv6Udp(OUR6, 54, "0102"),
  ])
    expect(isFor(relay, other)).toBe(false);
  for (let end = 0; end < 24; end++) expect(relay.isFor(query, 0, end)).toBe(false);
  relay.our4 = 0;
  relay.our6 = undefined;
  expect([isFor(relay, query), isFor(relay, ipv6Udp(OUR6, 53, "0102"))]).toEqual([false, false]);
});

test("a query goes to the server that this machine asks, and the answer comes from our address", () => {
  const into = new Uint8Array(1600);
  for (const [packet, header] of [
    [ipv4Packet(PEER, OUR, 17, udp(53, "c0ffee")), 20],
    [ipv6Udp(OUR6, 53, "c0ffee"), 40],
  ] as const) {
    const { relay, sockets } = relayOf();
    relay.stack.receive(packet, 0, packet.length, 1000);
    expect(sockets.sent).toEqual(["127.0.0.1 53", "c0ffee"]);
    sockets.answer = fromHex("0a0b");
    relay.collect(1001);
    const length = relay.stack.take(into, 0, 1001);
    expect(toHex(into, header, length)).toMatch(/^00351000000a....0a0b$/);
    // It comes from where the query went, and goes where the query came from.
    const [from, to] = header === 20 ? [12, 16] : [8, 24];
    expect(toHex(into, from, header)).toBe(toHex(packet, to, header) + toHex(packet, from, to));
    relay.close();
    expect(sockets.isEnded).toBe(true);
  }
});

test("a query by TCP opens a connection to the server", () => {
  const { relay, sockets } = relayOf("192.0.2.53");
  const syn = [0x10, 0, 0, 53, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0x20, 0, 0, 0, 0, 0];
  const size = [0, 6, 0, syn.length];
  const sum = internetChecksum([...parseAddress(PEER)!, ...parseAddress(OUR)!, ...size, ...syn]);
  const packet = ipv4Packet(PEER, OUR, 6, syn.with(16, sum >> 8).with(17, sum & 255));
  relay.stack.receive(packet, 0, packet.length, 1000);
  expect(sockets.sent).toEqual(["TCP 192.0.2.53 53"]);
});
