// pass-filter and active-filter between two Links, and the packets that bring up a link on demand.

import { expect, test } from "bun:test";
import { put16, put32 } from "../../src/bytes/be.ts";
import { type BpfInstruction, BpfProgram } from "../../src/filter/bpf.ts";
import { NO_ID } from "../../src/control/options/ipv6cp/interface-identifier.ts";
import { Filters, INBOUND, isActive, OUTBOUND } from "../../src/link/filters.ts";
import type { LinkConfig } from "../../src/link/link-host.ts";
import { IpProto, ipv4HeaderChecksum, TcpFlag } from "../../src/wire/ip.ts";
import { op } from "../filter/assembler.ts";
import { linkConfig, Pair, Side } from "../kit/pair.ts";
import { Rng } from "../kit/rng.ts";

const limits = linkConfig().lcp.limits;
const both = { receive: 15, transmit: 15 };

/** The offset of a field for a load: four octets of header precede the packet. */
const DIRECTION = 0;
const PROTOCOL = 2;
const IP_PROTO = 4 + 9;
const PORT = 4 + 22;

/** Accepts packets with this value there, or all others. */
function where(load: string, at: number, value: number, otherwise = false): readonly BpfInstruction[] {
  const [yes, no] = otherwise ? [0, 65535] : [65535, 0];
  return [op(load, at), op("jeq #k", value, 0, 1), op("ret #k", yes), op("ret #k", no)];
}

function filters(pass?: readonly BpfInstruction[], active?: readonly BpfInstruction[]): Filters {
  return new Filters(pass && new BpfProgram(pass), active && new BpfProgram(active));
}

function config(our: number, peer: number, some: Filters | undefined): LinkConfig {
  const { networks, ...rest } = linkConfig();
  return {
    ...rest,
    networks: {
      ipcp: { ...networks.ipcp!, our, peer, vj: { maxSlot: 15, compressSlot: true } },
      ipv6cp: {
        ...{ our: NO_ID, peer: NO_ID, limits },
        ...{ acceptLocal: false, acceptRemote: false, noRemote: false, noSend: false },
      },
      ccp: {
        ...{ deflate: both, deflateDraft: true, bsd: both, limits, mppe: undefined },
        ...{ predictor1: "accept", lzs: "accept", mppc: "accept" },
      },
      filters: some,
    },
  };
}

/** A link that is up, with VJ, Deflate and IPv6. The first side has the filters. */
function linked(some: Filters | undefined): Pair {
  const rng = new Rng(1);
  const pair = new Pair(new Side(config(0xc0a80001, 0xc0a80101, some), rng), new Side(config(0, 0, undefined), rng));
  pair.open();
  const isUp = ({ link }: Side): boolean => {
    const { ipv4Up, ipv6Up, datapath } = link.networks;
    return ipv4Up && ipv6Up && datapath.vjOut !== undefined && datapath.compressor !== undefined;
  };
  expect(pair.run(() => isUp(pair.a) && isUp(pair.b))).toBe(true);
  return pair;
}

interface Fields {
  readonly proto?: number;
  readonly port?: number;
  readonly flags?: number;
  readonly fragment?: number;
  readonly data?: number;
  readonly sequence?: number;
}

function ipv4({
  proto = IpProto.TCP,
  port = 80,
  flags = TcpFlag.ACK,
  fragment = 0,
  data = 5,
  sequence = 0,
}: Fields): Uint8Array {
  const packet = new Uint8Array(40 + data).fill(0x61);
  packet.fill(0, 0, 40);
  packet[0] = 0x45;
  put16(packet, 2, packet.length);
  put16(packet, 4, sequence);
  put16(packet, 6, fragment);
  packet[8] = 64;
  packet[9] = proto;
  put32(packet, 12, 0xc0a80001);
  put32(packet, 16, 0xc0a80101);
  put16(packet, 10, ipv4HeaderChecksum(packet, 0, 20));
  put16(packet, 20, 1025);
  put16(packet, 22, port);
  put32(packet, 24, sequence);
  packet[32] = 0x50;
  packet[33] = flags;
  return packet;
}

function ipv6({ proto = IpProto.TCP, flags = TcpFlag.ACK, data = 5 }: Fields): Uint8Array {
  const packet = new Uint8Array(60 + data);
  packet[0] = 0x60;
  put16(packet, 4, packet.length - 40);
  packet[6] = proto;
  packet[52] = 0x50;
  packet[53] = flags;
  return packet;
}

function sendAll(pair: Pair, from: Side, packets: readonly Uint8Array[]): void {
  for (const packet of packets) {
    from.send(packet, pair.now);
    pair.run(() => false, 5);
  }
}

test("pass-filter sees whole IP packets both ways, before VJ and the compressor and after them", () => {
  const pair = linked(filters(where("ldh [k]", PORT, 81, true)));
  const streams = [80, 81, 82].map((port) => Array.from({ length: 20 }, (_, at) => ipv4({ port, sequence: at * 5 })));
  const all = streams[0]!.flatMap((_, at) => streams.map((stream) => stream[at]!));
  const passing = all.filter((packet) => packet[23] !== 81);
  sendAll(pair, pair.a, all);
  sendAll(pair, pair.b, all);
  expect(pair.b.packets).toEqual(passing);
  expect(pair.a.packets).toEqual(passing);
  // Packets that were not sent were not counted. Packets that came in were.
  expect(pair.a.link.networks.traffic).toMatchObject({ packetsOut: passing.length, packetsIn: all.length });
});

test("a filter sees direction and protocol", () => {
  const four = ipv4({});
  const six = ipv6({});
  const arriving = (pass: readonly BpfInstruction[]): number[][] => {
    const pair = linked(filters(pass));
    for (const side of [pair.a, pair.b]) sendAll(pair, side, [four, six]);
    return [pair.b, pair.a].map(({ packets }) => packets.map((packet) => packet[0]! >>> 4));
  };
  expect(arriving(where("ldb [k]", DIRECTION, 1))).toEqual([[4, 6], []]);
  expect(arriving(where("ldb [k]", DIRECTION, 0))).toEqual([[], [4, 6]]);
  expect(arriving(where("ldh [k]", PROTOCOL, 0x21))).toEqual([[4], [4]]);
  expect(arriving(where("ldh [k]", PROTOCOL, 0x57))).toEqual([[6], [6]]);
  expect(arriving([op("ret #k", 0)])).toEqual([[], []]);
});

test("active-filter stops no packet, and idle time counts from the last packet that is active and passed", () => {
  const passes = where("ldh [k]", PORT, 81, true);
  const pair = linked(filters(passes, where("ldb [k]", IP_PROTO, IpProto.TCP)));
  const { traffic } = pair.a.link.networks;
  const moved = (from: Side, packet: Uint8Array): boolean => {
    const before = traffic.lastAt;
    pair.run(() => false, 100);
    sendAll(pair, from, [packet]);
    expect(traffic.lastAt === before || traffic.lastAt > before + 99).toBe(true);
    return traffic.lastAt !== before;
  };
  const sides = [pair.a, pair.b];
  expect(sides.map((side) => moved(side, ipv4({})))).toEqual([true, true]);
  expect(sides.map((side) => moved(side, ipv4({ proto: IpProto.UDP })))).toEqual([false, false]);
  expect(sides.map((side) => moved(side, ipv4({ port: 81 })))).toEqual([false, false]);
  expect([pair.a.packets.length, pair.b.packets.length]).toEqual([2, 2]);
});

test("without filters every packet is active, and filters may come later", () => {
  const pair = linked(undefined);
  const { networks } = pair.a.link;
  for (const side of [pair.a, pair.b]) {
    const before = networks.traffic.lastAt;
    pair.run(() => false, 100);
    sendAll(pair, side, [ipv4({})]);
    expect(networks.traffic.lastAt).toBeGreaterThan(before + 99);
  }
  networks.filters = filters([op("ret #k", 0)]);
  sendAll(pair, pair.b, [ipv4({})]);
  expect(pair.a.packets.length).toBe(1);
});

test("a packet is worth dialling for when the filters pass it and it is no later fragment, no bare FIN and not truncated", () => {
  const active = (packet: Uint8Array, some?: Filters): boolean => isActive(some, packet, 0, packet.length);
  const fin = TcpFlag.FIN | TcpFlag.ACK;
  for (const make of [ipv4, ipv6]) {
    expect(active(make({}))).toBe(true);
    expect(active(make({ data: 0 }))).toBe(true);
    expect(active(make({ flags: fin }))).toBe(true);
    expect(active(make({ flags: fin, data: 0 }))).toBe(false);
    expect(active(make({ proto: IpProto.UDP, flags: fin, data: 0 }))).toBe(true);
    const whole = make({ data: 0 });
    for (let length = 0; length < whole.length; length++) expect(active(whole.subarray(0, length))).toBe(false);
  }
  expect(active(ipv4({ fragment: 0x2000 }))).toBe(true);
  expect(active(ipv4({ fragment: 0x2001 }))).toBe(false);
  expect(active(ipv6({ proto: 44 }))).toBe(false);
  expect(active(Uint8Array.of(0x50, ...ipv4({}).subarray(1)))).toBe(false);

  const outbound = where("ldb [k]", DIRECTION, 1);
  const tcp = where("ldb [k]", IP_PROTO, IpProto.TCP);
  const udp = ipv4({ proto: IpProto.UDP });
  for (const some of [filters(tcp, outbound), filters(outbound, tcp)])
    expect([ipv4({}), udp].map((packet) => active(packet, some))).toEqual([true, false]);
  expect(active(ipv4({}), filters(undefined, where("ldb [k]", DIRECTION, 0)))).toBe(false);
  expect(active(ipv6({}), filters(where("ldh [k]", PROTOCOL, 0x57)))).toBe(true);
  expect([INBOUND, OUTBOUND].map((header) => filters(outbound).passes(header, udp, 0, udp.length))).toEqual([
    false,
    true,
  ]);
});
