// Frames that are shorter than they claim, and the effect of our own faults in handling one.

import { expect, test } from "bun:test";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import type { AuthMethod } from "../../src/wire/auth-method.ts";
import { NO_ID } from "../../src/control/options/ipv6cp/interface-identifier.ts";
import { FCS_INIT, fcsOver } from "../../src/frame/fcs.ts";
import { Bundle } from "../../src/link/bundle.ts";
import { PLAIN_SIZE } from "../../src/link/datapath.ts";
import type { LinkConfig } from "../../src/link/link-host.ts";
import { Code } from "../../src/wire/control.ts";
import { Protocol } from "../../src/wire/protocols.ts";
import { linkConfig, Pair, Side } from "../kit/pair.ts";
import { Rng } from "../kit/rng.ts";
import { pingPacket } from "../kit/tcp-flow.ts";

const A = 0xc0a80001;
const B = 0xc0a80101;

function config(our: number, peer: number, lcp: Partial<LinkConfig["lcp"]> = {}): LinkConfig {
  const { networks, ...rest } = linkConfig({ debug: 2 });
  const { limits } = rest.lcp;
  const vj = { maxSlot: 15, compressSlot: true };
  const sizes = { receive: 15, transmit: 15 };
  const id = { our: NO_ID, peer: NO_ID, acceptLocal: false, acceptRemote: false, noRemote: false, noSend: false };
  return {
    ...rest,
    lcp: { ...rest.lcp, authRequired: (lcp.demand ?? []).length > 0, qualityPeriod: 500, ...lcp },
    networks: {
      ipcp: { ...networks.ipcp!, our, peer, vj, wantDns: true },
      ipv6cp: { ...id, limits },
      ccp: {
        deflate: sizes,
        deflateDraft: true,
        bsd: sizes,
        predictor1: "accept",
        lzs: "accept",
        mppc: "accept",
        mppe: undefined,
        limits,
      },
    },
  };
}

const bothUp = ({ a, b }: Pair) => a.link.networks.ipv4Up && b.link.networks.ipv4Up;

function framed(frame: Uint8Array): Uint8Array {
  const fcs = ~fcsOver(FCS_INIT, frame, 0, frame.length);
  const octets = [...frame, fcs & 0xff, (fcs >>> 8) & 0xff];
  return Uint8Array.of(
    0x7e,
    ...octets.flatMap((o) => (o === 0x7d || o === 0x7e || o < 32 ? [0x7d, o ^ 0x20] : [o])),
    0x7e,
  );
}

/** A packet of TCP, so that header compression has something to do. */
function tcp(sequence: number): Uint8Array {
  const packet = new Uint8Array(60).fill(0x61);
  packet.set(fromHex("4500003c000140004006000001020304050607080001000200000001000000015018ffff00000000"));
  packet[27] = sequence;
  let sum = 0;
  for (let at = 0; at < 20; at += 2) sum += (packet[at]! << 8) | packet[at + 1]!;
  sum = ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
  packet[10] = sum >>> 8;
  packet[11] = sum;
  return packet;
}

for (const [fcs, line, runts] of [
  [32, "7eff7d2337bef44b7e", 1],
  [0, "7eff7d23fb007e7eff7d237e", 1],
  [16, toHex(framed(Uint8Array.of(0xff, 3)), 0), 1],
] as const)
  test(`frames without a whole protocol field are bad ones, with fcs ${fcs}`, () => {
    const rng = new Rng(1);
    const link = new Pair(new Side(config(A, B, { fcs }), rng), new Side(config(0, 0, { fcs }), rng));
    link.open();
    expect(link.run(() => bothUp(link))).toBe(true);
    const { stats } = link.a.link.deframer;
    const before = { ...stats };
    link.a.take(fromHex(line), link.now);
    expect(stats).toMatchObject({ runts: before.runts + runts, faults: 0 });
    link.run(() => false, 100);
    expect(link.b.send(tcp(1), link.now)).toBe(true);
    link.run(() => link.a.packets.length > 0, 100);
    expect(link.a.packets).toEqual([tcp(1)]);
  });

test("a fault in handling a frame costs that frame, is logged once with its place, and the link goes on", () => {
  const rng = new Rng(2);
  const timed = (): void => {
    throw new RangeError("made for this test");
  };
  const echoing = { ...config(A, B), echo: { intervalMs: 1000, failure: 0, adaptive: false } };
  const link = new Pair(new Side(echoing, rng, { timed }), new Side(config(0, 0), rng));
  link.open();
  expect(link.run(() => bothUp(link))).toBe(true);
  link.run(() => false, 5000);
  expect(link.a.link.deframer.stats.faults).toBeGreaterThan(2);
  const said = link.a.lines.filter((line) => line.includes("fault in this program"));
  expect(said).toHaveLength(1);
  expect(said[0]).toMatch(/RangeError: made for this test at .*hostile\.test\.ts:\d+/);
  link.b.send(tcp(1), link.now);
  link.run(() => link.a.packets.length > 0, 100);
  expect(link.a.packets).toEqual([tcp(1)]);
});

/** Overwrites the octets after each frame in the buffer, which no code may read. */
function poison({ link }: Side, octet: number, found: (frame: Uint8Array) => void = () => {}): void {
  const { deframer } = link;
  const push = deframer.push.bind(deframer);
  deframer.push = (bytes, start, end) => {
    const at = push(bytes, start, end);
    const { frame, length } = deframer;
    if (length > 0) {
      frame.fill(octet, length);
      found(frame.slice(0, length));
    }
    return at;
  };
}

interface Session {
  readonly name: string;
  readonly demand?: readonly AuthMethod[];
  readonly multilink?: true;
  /** Packets go in pieces on a link that is in no bundle. */
  readonly inPieces?: true;
}

/** Two sides of a session that uses many options. */
function session({ demand = [], multilink, inPieces }: Session, rng: Rng): Pair {
  const mp = (multilink ?? inPieces) && { mrru: 1500, shortSequence: false, endpoint: undefined };
  const side = (server: boolean): Side => {
    const auth = server ? { demand } : { accept: demand };
    const one = config(server ? A : 0, server ? B : 0, { ...auth, multilink: mp });
    if (multilink === undefined) return new Side(one, rng, { load: () => ({ rate: 1, backlog: 0 }) });
    const plain = new Uint8Array(PLAIN_SIZE);
    const { networks } = one;
    const host = { plain, random32: () => rng.u32(), peerMayUse: () => true, madeUpPeerAddress: () => B };
    const bundle = new Bundle({ networks, hidePassword: true, ifname: "ppp0" }, host, 2);
    return new Side(one, rng, { bundle, plain });
  };
  return new Pair(side(true), side(false));
}

function passJudgement({ a }: Pair, now: number): void {
  if (a.has("pap-request")) a.link.papVerdict(true, "Login ok", now);
}

/** Frames for the two sides of a session, and Van Jacobson packets once it is up. */
function framesOf(one: Session): Uint8Array[] {
  const frames: Uint8Array[] = [];
  const link = session(one, new Rng(3));
  for (const side of [link.a, link.b]) poison(side, 0, (frame) => void frames.push(frame));
  link.open();
  link.run(() => {
    passJudgement(link, link.now);
    return bothUp(link);
  });
  for (let n = 1; n < 6; n++) {
    for (const side of [link.a, link.b]) {
      side.send(tcp(n), link.now);
      if (one.inPieces === true) expect(side.cut(pingPacket(A, B, n, 900), link.now)).toBe(true);
    }
    link.run(() => false, 50);
  }
  link.a.link.networks.restartCcp(link.now);
  link.a.link.close("User request", link.now + 200);
  link.run(() => link.a.has("terminated"), 10_000);
  return frames;
}

/** All output of both sides while cut frames come to them, and whether handling one failed. */
function transcript(one: Session, corpus: readonly Uint8Array[], octet: number): { said: string; faults: number } {
  const rng = new Rng(4);
  const said: string[] = [];
  let faults = 0;
  for (let round = 0; round < 5; round++) {
    const link = session(one, rng);
    for (const side of [link.a, link.b]) poison(side, octet);
    link.open();
    // Sometimes during the negotiation, sometimes after it.
    link.run(() => bothUp(link), rng.below(40));
    passJudgement(link, link.now);
    link.run(() => bothUp(link), rng.below(40));
    for (let n = 0; n < 60; n++) {
      const frame = rng.pick(corpus);
      const cut = frame.slice(0, rng.below(frame.length + 1));
      // A length field that fits the rest, so that later parsers are reached.
      const at = cut[0] === 0xff ? 4 : 2;
      if (rng.chance(0.5) && cut.length >= at + 4) {
        cut[at + 2] = (cut.length - at) >>> 8;
        cut[at + 3] = cut.length - at;
      }
      const side = rng.pick([link.a, link.b]);
      side.take(framed(cut), link.now);
      said.push(Buffer.from(side.drain(link.now)).toString("hex"));
      link.now += rng.below(50);
      if (side.link.nextTimeout() <= link.now) side.link.handleTimeout(link.now);
    }
    for (const { lines, packets, link: ended } of [link.a, link.b]) {
      said.push(...lines, ...packets.map((packet) => Buffer.from(packet).toString("hex")));
      faults += ended.deframer.stats.faults;
    }
  }
  return { said: said.join("\n"), faults };
}

const SESSIONS: readonly Session[] = [
  { name: "PAP", demand: ["pap"] },
  { name: "CHAP", demand: ["chap-md5"] },
  { name: "MS-CHAPv2", demand: ["mschap-v2"] },
  { name: "EAP", demand: ["eap"] },
  { name: "multilink", multilink: true },
  { name: "packets in pieces", inPieces: true },
];
for (const one of SESSIONS)
  test(`nothing is read behind the end of a frame that was cut: ${one.name}`, () => {
    const corpus = framesOf(one);
    expect(corpus.length).toBeGreaterThan(20);
    const first = transcript(one, corpus, 0);
    expect(first.faults).toBe(0);
    for (const octet of [0xa5, 0xff]) {
      const other = transcript(one, corpus, octet);
      expect(other.faults).toBe(0);
      expect(other.said).toBe(first.said);
    }
  });

test("packets that are longer than an answer may be get an answer that is cut", () => {
  const { LCP, IPCP, IPV6CP, CCP } = Protocol;
  // Options that are rejected unchanged, and some whose Nak is twice as long.
  const options = [
    Uint8Array.of(0xee, 4, 1, 2),
    Uint8Array.of(0x04, 4, 0xc0, 0x27),
    Uint8Array.of(0x03, 4, 0xc2, 0x23),
  ];
  for (const multilink of [undefined, true] as const)
    for (const option of options)
      for (const [protocol, code] of [
        [LCP, Code.EchoReq],
        [CCP, Code.ResetReq],
        [LCP, 200],
        [IPCP, 200],
        [0x1234, 1],
        [LCP, Code.ConfReq],
        [IPCP, Code.ConfReq],
        [IPV6CP, Code.ConfReq],
        [CCP, Code.ConfReq],
      ] as const)
        for (const length of [2050, 16000]) {
          const link = session(multilink ? { name: "", multilink } : { name: "" }, new Rng(1));
          link.open();
          expect(link.run(() => bothUp(link))).toBe(true);
          link.run(() => false, 100);
          const sizes: number[] = [];
          poison(link.b, 0, (frame) => void sizes.push(frame.length));
          const packet = new Uint8Array(4 + length);
          packet.set([0xff, 3, protocol >>> 8, protocol & 0xff, code, 0x55, length >>> 8, length & 0xff]);
          for (let at = 8; at + option.length <= packet.length; at += option.length) packet.set(option, at);
          link.a.take(framed(packet), link.now);
          link.run(() => false, 10);
          expect(link.a.link.deframer.stats).toMatchObject({ faults: 0, runts: 0, badFcs: 0 });
          expect(sizes.length).toBeGreaterThan(0);
          // Address, control, protocol and MP's header precede it.
          expect(Math.max(...sizes)).toBeLessThanOrEqual(1500 + 4 + 6);
        }
});
