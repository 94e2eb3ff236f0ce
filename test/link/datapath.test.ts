// What the data path does with packets that it cannot carry, and what it counts.

import { expect, test } from "bun:test";
import { DeflateCompressor, DeflateDecompressor } from "../../src/compress/deflate.ts";
import { HEADROOM } from "../../src/frame/header.ts";
import { Datapath, LOST, PLAIN_SIZE } from "../../src/link/datapath.ts";
import { Protocol } from "../../src/wire/protocols.ts";
import { linkConfig, Pair, Side } from "../kit/pair.ts";
import { Rng } from "../kit/rng.ts";

const TEXT = new Uint8Array(100).fill(0x61);
const NOISE = new Rng(9).bytes(100);

function datapath(): Datapath {
  return new Datapath(new Uint8Array(PLAIN_SIZE));
}

/** Sends a packet. Returns the protocol that it is sent as, and its octets. */
function sent(path: Datapath, packet: Uint8Array): { readonly protocol: number; readonly octets: Uint8Array } {
  const buf = new Uint8Array(HEADROOM + packet.length);
  buf.set(packet, HEADROOM);
  const protocol = path.encode(Protocol.IP, buf, HEADROOM, buf.length);
  return { protocol, octets: path.packet.slice(path.start, path.end) };
}

test("nothing is counted before the first packet", () => {
  const { received, sent: out } = datapath().counters();
  expect(Object.keys(out)).toHaveLength(13);
  for (const counters of [received, out])
    expect(Object.entries(counters).filter(([, count]) => count !== 0)).toEqual([]);
});

test("a compressor that skips packets on a fast line, one that cannot shrink them, and one that can, are counted", () => {
  const path = datapath();
  path.sender = new DeflateCompressor(15);
  const there = datapath();
  there.receiver = new DeflateDecompressor(15);
  const frames = [TEXT, NOISE].map((packet) => sent(path, packet));
  path.fast = true;
  frames.push(sent(path, TEXT));
  expect(frames.map(({ protocol }) => protocol)).toEqual([Protocol.COMP, Protocol.IP, Protocol.IP]);
  for (const { protocol, octets } of frames) expect(there.decode(protocol, octets, 0, octets.length)).toBe(Protocol.IP);
  const counted = {
    compressedPackets: 1,
    compressedBytes: 4 + frames[0]!.octets.length,
    incompressiblePackets: 2,
    incompressibleBytes: 208,
    uncompressedBytes: 312,
  };
  expect(path.counters().sent).toMatchObject(counted);
  expect(there.counters().received).toMatchObject(counted);
});

test("while only encrypted packets may pass, no plain one does, in either direction", () => {
  const path = datapath();
  path.encrypted = true;
  expect(sent(path, TEXT).protocol).toBe(LOST);
  path.sender = new DeflateCompressor(15);
  expect([sent(path, NOISE).protocol, sent(path, TEXT).protocol]).toEqual([LOST, Protocol.COMP]);
  const decoded = (protocol: number): number => path.decode(protocol, TEXT, 0, TEXT.length);
  expect([Protocol.IP, Protocol.IPV6, Protocol.COMP, 0x3fff].map(decoded)).toEqual([LOST, LOST, LOST, LOST]);
  expect([0x4000, Protocol.IPCP, Protocol.LCP].map(decoded)).toEqual([0x4000, Protocol.IPCP, Protocol.LCP]);
});

test("a compressed packet that holds a compressed or a control packet is lost", () => {
  for (const [protocol, wanted] of [
    [Protocol.IP, Protocol.IP],
    [0x3e01, 0x3e01],
    [0x4001, LOST],
    [Protocol.COMP, LOST],
    [Protocol.IPCP, LOST],
  ] as const) {
    const path = datapath();
    const octets = protocol > 0xff ? [protocol >> 8, protocol & 0xff] : [protocol];
    path.decompressor = {
      selfHealing: true,
      decompress(_packet, _start, _end, out, at) {
        out.set([...octets, 1, 2, 3], at);
        return at + octets.length + 3;
      },
      incompressible() {},
      reset() {},
    };
    expect([protocol, path.decode(Protocol.COMP, TEXT, 0, 50)]).toEqual([protocol, wanted]);
  }
});

test("a link takes no packet that it cannot carry, and says so", () => {
  const rng = new Rng(1);
  const { networks, ...rest } = linkConfig();
  const ipcp = { ...networks.ipcp!, our: 0x0a000001, peer: 0x0a000002 };
  const pair = new Pair(new Side({ ...rest, networks: { ...networks, ipcp } }, rng), new Side(linkConfig(), rng));
  const [ipv4, ipv6, neither] = [0x45, 0x60, 0x55].map((first) => Uint8Array.of(first, ...TEXT));
  expect(pair.a.send(ipv4!, 0)).toBe(false);
  expect(pair.a.output.length).toBe(0);
  pair.open();
  expect(pair.run(() => pair.a.link.networks.ipv4Up && pair.b.link.networks.ipv4Up)).toBe(true);
  // IPv6 is not agreed on, and the third is of no known version.
  expect([ipv6!, neither!, ipv4!].map((packet) => pair.a.send(packet, pair.now))).toEqual([false, false, true]);
  pair.run(() => pair.b.packets.length > 0, 100);
  expect(pair.b.packets).toEqual([ipv4!]);
  expect(pair.a.link.networks.traffic.packetsOut).toBe(1);
});
