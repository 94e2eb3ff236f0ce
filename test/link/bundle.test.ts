// Two cables between two Bundles: one network, fragments over both cables, and a lost cable that makes it only slower.

import { expect, test } from "bun:test";
import { Ring } from "../../src/bytes/ring.ts";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import { Deframer, MAX_FRAME } from "../../src/frame/deframer.ts";
import { addressEnd } from "../../src/frame/header.ts";
import { Bundle } from "../../src/link/bundle.ts";
import { PLAIN_SIZE } from "../../src/link/datapath.ts";
import { PIECE_ROOM } from "../../src/link/pieces.ts";
import type { LinkEvent } from "../../src/link/events.ts";
import type { LinkConfig } from "../../src/link/link-host.ts";
import { Link } from "../../src/link/link.ts";
import { linkConfig } from "../kit/pair.ts";
import { frameOf } from "../kit/raw-peer.ts";
import { Rng } from "../kit/rng.ts";

const LATENCY_MS = [1, 4];

/** One end of all cables. */
class End {
  readonly bundle: Bundle;
  readonly links: Link[] = [];
  readonly rings: { input: Ring; output: Ring }[] = [];
  readonly packets: Uint8Array[] = [];
  readonly events: LinkEvent[] = [];
  /** Octets written to each cable. */
  readonly written: number[] = [];
  readonly #rng: Rng;
  readonly #config: LinkConfig;
  readonly #plain = new Uint8Array(PLAIN_SIZE);

  constructor(config: LinkConfig, rng: Rng) {
    this.#rng = rng;
    this.#config = config;
    this.bundle = new Bundle(
      { networks: config.networks, hidePassword: true, ifname: "ppp0" },
      {
        plain: this.#plain,
        random32: () => rng.u32(),
        peerMayUse: () => true,
        madeUpPeerAddress: () => 0x0a404040,
      },
      0,
    );
  }

  connect(cable: number, now: number): void {
    const input = new Ring(new Uint8Array(65536));
    const output = new Ring(new Uint8Array(65536));
    this.rings[cable] = { input, output };
    this.written[cable] ??= 0;
    this.links[cable] = new Link(this.#config, {
      output,
      frame: new Uint8Array(MAX_FRAME),
      plain: this.#plain,
      random32: () => this.#rng.u32(),
      peerMayUse: () => true,
      admitsStrangers: () => false,
      madeUpPeerAddress: () => 0,
      bundle: this.bundle,
      load: () => ({ rate: 11.52, backlog: output.length }),
    });
    this.links[cable]!.open(now);
  }

  collect(): void {
    for (const source of [...this.links, this.bundle])
      for (let event; (event = source.takeEvent()) !== undefined;) this.events.push(event);
  }

  take(cable: number, bytes: Uint8Array, now: number): void {
    const { input } = this.rings[cable]!;
    for (let at = 0; at < bytes.length;) {
      const length = Math.min(input.writable, bytes.length - at);
      input.bytes.set(bytes.subarray(at, at + length), input.writeAt);
      input.commit(length);
      at += length;
      this.deliver(cable, now);
    }
  }

  deliver(cable: number, now: number): void {
    const link = this.links[cable]!;
    const { input } = this.rings[cable]!;
    while (link.receive(input, now)) this.packets.push(link.packet.slice(link.packetStart, link.packetEnd));
  }

  send(packet: Uint8Array, now: number): boolean {
    const buf = new Uint8Array(PIECE_ROOM + packet.length + 8);
    buf.set(packet, PIECE_ROOM);
    return this.bundle.hasRoom(packet.length) && this.bundle.send(buf, PIECE_ROOM, PIECE_ROOM + packet.length, now);
  }

  drain(cable: number, now: number): Uint8Array {
    const { output } = this.rings[cable]!;
    this.bundle.flush(now);
    this.links[cable]!.flush(now);
    const pieces: number[] = [];
    while (output.length > 0) {
      const length = output.readable;
      pieces.push(...output.bytes.subarray(output.readAt, output.readAt + length));
      output.consume(length);
    }
    this.written[cable]! += pieces.length;
    return Uint8Array.from(pieces);
  }

  get texts(): string[] {
    return this.events.flatMap((event) => (event.type === "log" ? [event.text] : []));
  }
}

class Cables {
  now = 0;
  readonly a: End;
  readonly b: End;
  readonly cut = [false, false];
  /** True when a fragment on this cable is lost. */
  lose: (cable: number) => boolean = () => false;
  #flying: { at: number; to: End; cable: number; bytes: Uint8Array }[] = [];

  constructor(a: End, b: End, cables = 2) {
    this.a = a;
    this.b = b;
    for (let cable = 0; cable < cables; cable++) for (const end of [a, b]) end.connect(cable, 0);
  }

  run(done: () => boolean, milliseconds = 60_000): boolean {
    const end = this.now + milliseconds;
    for (;;) {
      for (const [from, to] of [
        [this.a, this.b],
        [this.b, this.a],
      ] as const)
        for (let cable = 0; cable < from.links.length; cable++) {
          const bytes = from.drain(cable, this.now);
          if (bytes.length === 0 || this.cut[cable] || this.lose(cable)) continue;
          this.#flying.push({ at: this.now + LATENCY_MS[cable]!, to, cable, bytes });
        }
      this.a.collect();
      this.b.collect();
      if (done()) return true;
      const sources = [this.a, this.b].flatMap((one) => [...one.links, one.bundle]);
      const next = Math.min(...sources.map((one) => one.nextTimeout()), ...this.#flying.map(({ at }) => at));
      if (next > end) {
        this.now = end;
        return done();
      }
      this.now = Math.max(this.now, next);
      const arrived = this.#flying.filter(({ at }) => at <= this.now);
      this.#flying = this.#flying.filter(({ at }) => at > this.now);
      for (const { to, cable, bytes } of arrived) to.take(cable, bytes, this.now);
      for (const one of sources) if (one.nextTimeout() <= this.now) one.handleTimeout(this.now);
      for (const one of [this.a, this.b]) for (const cable of one.links.keys()) one.deliver(cable, this.now);
    }
  }
}

const limits = linkConfig().lcp.limits;

function config(our: number, peer: number, changes: { multilink?: boolean; short?: boolean; ccp?: boolean } = {}) {
  const base = linkConfig();
  const { multilink = true, short = false, ccp = false } = changes;
  const sizes = { receive: 15, transmit: 15 };
  return {
    ...base,
    debug: 0,
    echo: { intervalMs: 5000, failure: 3, adaptive: false },
    lcp: {
      ...base.lcp,
      multilink: multilink ? { mrru: 1500, shortSequence: short, endpoint: undefined } : undefined,
    },
    networks: {
      ...base.networks,
      ipcp: { ...base.networks.ipcp!, our, peer, vj: { maxSlot: 15, compressSlot: true } },
      ccp: ccp
        ? {
            deflate: sizes,
            deflateDraft: true,
            bsd: sizes,
            predictor1: "accept" as const,
            lzs: "accept" as const,
            mppc: "accept" as const,
            mppe: undefined,
            limits,
          }
        : undefined,
    },
  };
}

const both = ({ a, b }: Cables): boolean => a.bundle.networks.ipv4Up && b.bundle.networks.ipv4Up;
const joined = (cables: Cables, size: number): boolean =>
  [cables.a, cables.b].every(({ bundle }) => bundle.size === size);

function open(changes: Parameters<typeof config>[2] = {}, seed = 1): Cables {
  const rng = new Rng(seed);
  const cables = new Cables(new End(config(1, 2, changes), rng), new End(config(0, 0, changes), rng));
  expect(cables.run(() => both(cables) && joined(cables, 2))).toBe(true);
  return cables;
}

function packetOf(length: number, rng: Rng): Uint8Array {
  const packet = rng.bytes(length);
  packet[0] = 0x45;
  return packet;
}

test("two cables, one network: packets come out whole and in order, half of the octets on each", () => {
  for (const changes of [{}, { short: true }, { ccp: true }]) {
    const cables = open(changes);
    const rng = new Rng(2);
    cables.run(() => false, 200);
    const before = [...cables.a.written];
    const there = Array.from({ length: 200 }, () => packetOf(200 + rng.below(1300), rng));
    const back = there.map(() => packetOf(40 + rng.below(100), rng));
    for (const [at, packet] of there.entries()) {
      expect(cables.a.send(packet, cables.now)).toBe(true);
      expect(cables.b.send(back[at]!, cables.now)).toBe(true);
      if (at % 4 === 3) cables.run(() => false, 10);
    }
    cables.run(() => false, 1000);
    expect(cables.b.packets).toEqual(there);
    expect(cables.a.packets).toEqual(back);
    const [one = 0, other = 0] = cables.a.written.map((octets, cable) => octets - before[cable]!);
    expect(Math.abs(one - other) / (one + other)).toBeLessThan(0.1);
    expect(cables.a.texts).toContain("New bundle ppp0 created");
    expect(cables.a.texts).toContain("Link attached to ppp0");
  }
});

test("a pulled cable is noticed, the network goes on over the other one, and the cable is used again when plugged in", () => {
  const cables = open();
  const rng = new Rng(3);
  cables.cut[1] = true;
  cables.run(() => joined(cables, 1));
  expect(joined(cables, 1)).toBe(true);
  expect(both(cables)).toBe(true);
  for (const end of [cables.a, cables.b]) end.packets.length = 0;
  const alone = Array.from({ length: 20 }, () => packetOf(800, rng));
  for (const packet of alone) {
    cables.a.send(packet, cables.now);
    cables.run(() => false, 20);
  }
  expect(cables.b.packets).toEqual(alone);
  cables.cut[1] = false;
  for (const end of [cables.a, cables.b]) end.connect(1, cables.now);
  expect(cables.run(() => joined(cables, 2))).toBe(true);
  cables.b.packets.length = 0;
  for (const packet of alone) {
    cables.a.send(packet, cables.now);
    cables.run(() => false, 20);
  }
  expect(cables.b.packets).toEqual(alone);
  expect(cables.a.events.filter(({ type }) => type === "ipv4-up").length).toBe(1);
});

test("a packet in pieces on the only cable, and a second cable joins before the last piece: it arrives, and so does the next", () => {
  const cables = open();
  const rng = new Rng(13);
  cables.cut[1] = true;
  cables.run(() => joined(cables, 1));
  cables.cut[1] = false;
  for (const end of [cables.a, cables.b]) end.connect(1, cables.now);
  const { bundle } = cables.a;
  cables.b.packets.length = 0;
  const long = packetOf(1400, rng);
  const buf = new Uint8Array(PIECE_ROOM + long.length + 8);
  buf.set(long, PIECE_ROOM);
  expect(bundle.cut(buf, PIECE_ROOM, PIECE_ROOM + long.length, cables.now)).toBe(true);
  bundle.sendPiece(cables.now);
  const small = packetOf(60, rng);
  cables.a.send(small, cables.now);
  expect(cables.run(() => joined(cables, 2))).toBe(true);
  expect(bundle.hasPieces).toBe(false);
  // With two cables nothing is sent in pieces.
  expect(bundle.cut(buf, PIECE_ROOM, PIECE_ROOM + long.length, cables.now)).toBe(false);
  cables.run(() => cables.b.packets.length === 3, 5000);
  expect(cables.b.packets).toEqual([small, long, long]);
});

test.each([
  ["both cables", () => true],
  ["the first cable", (cable: number) => cable === 0],
  ["the second cable", (cable: number) => cable === 1],
])("what is lost of the first control packets on %s is said again within seconds", (_, isLossy) => {
  for (const lossyMs of [20, 50, 500]) {
    const rng = new Rng(6);
    const cables = new Cables(new End(config(1, 2, { ccp: true }), rng), new End(config(0, 0, { ccp: true }), rng));
    // From the start, and again from where the bundle begins.
    const begins = () => [cables.a, cables.b].every(({ bundle }) => bundle.size > 0);
    for (const isOver of [() => begins(), () => both(cables) && joined(cables, 2)]) {
      const until = cables.now + lossyMs;
      cables.lose = (cable) => cables.now < until && isLossy(cable);
      expect(cables.run(isOver, 10_000)).toBe(true);
    }
    const packet = packetOf(1000, rng);
    cables.a.send(packet, cables.now);
    cables.run(() => cables.b.packets.length > 0, 1000);
    expect(cables.b.packets).toEqual([packet]);
  }
});

/** The packets on a cable in hex: protocol and the rest. */
function packetsIn(bytes: Uint8Array): string[] {
  const deframer = new Deframer();
  deframer.accm = 0;
  const found: string[] = [];
  for (let at = 0; at < bytes.length;) {
    at = deframer.push(bytes, at, bytes.length);
    const { frame, length } = deframer;
    if (length > 0) found.push(toHex(frame, addressEnd(frame, 0, length), length));
  }
  return found;
}

test("an unknown protocol is rejected by a link of the bundle, in pieces or whole; data of our protocols is not", () => {
  const cables = open();
  const { a, b } = cables;
  cables.run(() => false, 1000);
  // One packet, to learn the next number.
  a.send(packetOf(40, new Rng(7)), cables.now);
  const last = [0, 1].flatMap((cable) => {
    const bytes = a.drain(cable, cables.now);
    b.take(cable, bytes, cables.now);
    return packetsIn(bytes).filter((hex) => hex.startsWith("3d"));
  });
  let number = Math.max(...last.map((hex) => parseInt(hex.slice(4, 10), 16)));
  const fragment = (flags: number, hex: string): Uint8Array => {
    number++;
    return frameOf([0xff, 0x03, 0x00, 0x3d, flags, number >> 16, (number >> 8) & 0xff, number & 0xff, ...fromHex(hex)]);
  };
  const said = (): string[] => [0, 1].flatMap((cable) => packetsIn(b.drain(cable, cables.now)));
  said();
  const rejects = (protocol: string, body: string) => [
    expect.stringMatching(new RegExp(`^c02108..00..${protocol}${body}$`)),
  ];
  b.take(0, fragment(0xc0, "122301020304"), cables.now);
  expect(said()).toEqual(rejects("1223", "01020304"));
  b.take(0, fragment(0x80, "1223"), cables.now);
  b.take(1, fragment(0x40, "0506"), cables.now);
  expect(said()).toEqual(rejects("1223", "0506"));
  b.take(1, frameOf([0xff, 0x03, 0x12, 0x23, 0x07]), cables.now);
  expect(said()).toEqual(rejects("1223", "07"));
  // IPv6 without IPV6CP, as data and as control.
  b.take(0, fragment(0xc0, "576000"), cables.now);
  expect(said()).toEqual(rejects("0057", "6000"));
  b.take(0, fragment(0xc0, "805701010004"), cables.now);
  expect(said()).toEqual(rejects("8057", "01010004"));
  const before = b.packets.length;
  b.take(1, fragment(0xc0, "2145ff"), cables.now);
  expect([said(), b.packets.length]).toEqual([[], before + 1]);
});

test("the bundle does not depend on its first cable", () => {
  const cables = open();
  cables.cut[0] = true;
  expect(cables.run(() => joined(cables, 1))).toBe(true);
  expect(both(cables)).toBe(true);
  cables.cut[1] = true;
  expect(cables.run(() => joined(cables, 0))).toBe(true);
  expect(both(cables)).toBe(false);
});

test("a lost piece loses its own packet and no other", () => {
  for (const ccp of [false, true]) {
    const cables = open({ ccp });
    const rng = new Rng(4);
    const sent = Array.from({ length: 300 }, () => packetOf(100 + rng.below(1300), rng));
    cables.lose = (cable) => cable === 1 && rng.chance(0.05);
    for (const packet of sent) {
      cables.a.send(packet, cables.now);
      cables.run(() => false, 10);
    }
    cables.lose = () => false;
    cables.run(() => false, 3000);
    let at = 0;
    for (const packet of cables.b.packets) {
      while (at < sent.length && !Bun.deepEquals(sent[at], packet)) at++;
      expect(at).toBeLessThan(sent.length);
    }
    expect(cables.b.packets.length).toBeGreaterThan(ccp ? 150 : 240);
    expect(cables.b.packets.length).toBeLessThan(sent.length);
  }
});

test("a peer without multilink gets a single link, and a second one is turned away", () => {
  const rng = new Rng(5);
  const a = new End(config(1, 2), rng);
  const b = new End(config(0, 0, { multilink: false }), rng);
  const cables = new Cables(a, b, 1);
  expect(cables.run(() => both(cables))).toBe(true);
  const packet = packetOf(1000, rng);
  a.send(packet, cables.now);
  cables.run(() => b.packets.length > 0, 1000);
  expect(b.packets).toEqual([packet]);
  for (const end of [a, b]) end.connect(1, cables.now);
  cables.run(() => a.texts.some((text) => text.startsWith("This link cannot join the bundle")));
  expect(a.texts).toContain("This link cannot join the bundle: the peer does no multilink");
  expect(both(cables)).toBe(true);
});
