// Any packets of CCP are lost: whatever the two ends then believe, data passes in both directions ten seconds later.

import { expect, test } from "bun:test";
import { FATAL } from "../../src/compress/codec.ts";
import type { CcpConfig } from "../../src/control/ccp-dialect.ts";
import { FCS_INIT, fcsOver } from "../../src/frame/fcs.ts";
import { addressEnd, protocolAt, protocolEnd } from "../../src/frame/header.ts";
import type { LinkConfig } from "../../src/link/link-host.ts";
import { Code } from "../../src/wire/control.ts";
import { Protocol } from "../../src/wire/protocols.ts";
import { linkConfig, Pair, Side } from "../kit/pair.ts";
import { Rng, withRng } from "../kit/rng.ts";

const A = 0xc0a80001;
const B = 0xc0a80101;
const BOUND_MS = 10_000;
const STEP_MS = 400;
const sizes = (bits: number) => ({ receive: bits, transmit: bits });

function ccp(changes: Partial<CcpConfig> = {}): CcpConfig {
  return {
    deflate: sizes(15),
    deflateDraft: true,
    bsd: sizes(15),
    predictor1: "accept",
    lzs: "accept",
    mppc: "accept",
    mppe: undefined,
    limits: linkConfig().lcp.limits,
    ...changes,
  };
}

const ONLY_ACCEPTS = ccp({ deflate: { receive: 0, transmit: 15 }, bsd: { receive: 0, transmit: 15 } });
const PREDICTOR = ccp({ deflate: sizes(0), bsd: sizes(0), predictor1: "request" });

function config(our: number, peer: number, wishes: CcpConfig, changes: Partial<LinkConfig> = {}): LinkConfig {
  const { networks, ...rest } = linkConfig(changes);
  return { ...rest, networks: { ...networks, ipcp: { ...networks.ipcp!, our, peer }, ccp: wishes } };
}

/** The frames of a piece of the line, without those of CCP that `loses` selects. */
function without(bytes: Uint8Array, loses: (code: number) => boolean): Uint8Array {
  const kept: number[] = [];
  for (const chunk of Buffer.from(bytes).toString("latin1").split("~")) {
    const octets = Buffer.from(chunk, "latin1");
    const plain = Buffer.from(
      chunk.replace(/}(.)/gs, (_, char: string) => String.fromCharCode(char.charCodeAt(0) ^ 0x20)),
      "latin1",
    );
    const start = addressEnd(plain, 0, plain.length);
    const at = protocolEnd(plain, start, plain.length);
    if (at > 0 && protocolAt(plain, start, at) === Protocol.CCP && loses(plain[at]!)) continue;
    if (octets.length > 0) kept.push(0x7e, ...octets, 0x7e);
  }
  return Uint8Array.from(kept);
}

/** Sends a well compressible packet in each direction every STEP_MS, for this time. */
function talk(link: Pair, milliseconds: number, number: { next: number }): number {
  const end = link.now + milliseconds;
  let sent = 0;
  while (link.now < end) {
    for (const side of [link.a, link.b]) {
      const packet = new Uint8Array(300).fill(0x61);
      packet[0] = 0x45;
      packet[20] = number.next++;
      side.send(packet, link.now);
      sent++;
    }
    link.run(() => false, STEP_MS);
  }
  return sent;
}

type Trouble = "none" | "lost-sync" | "restart" | "close";

/** Runs a session whose CCP packets are lost by `loses` from the beginning, or from a later disturbance on. */
function play(link: Pair, trouble: Trouble, loses: (code: number) => boolean): void {
  const number = { next: 0 };
  let lastLoss = 0;
  const lose = (bytes: Uint8Array): Uint8Array =>
    without(bytes, (code) => {
      const lost = loses(code);
      if (lost) lastLoss = link.now;
      return lost;
    });
  const isUp = () => link.a.link.networks.ipv4Up && link.b.link.networks.ipv4Up;
  if (trouble === "none") link.wire.damage = lose;
  link.open();
  expect(link.run(isUp)).toBe(true);
  talk(link, 1000, number);
  link.wire.damage = lose;
  const { networks } = link.a.link;
  if (trouble === "restart") networks.restartCcp(link.now);
  if (trouble === "lost-sync" && networks.datapath.decompressor !== undefined)
    networks.datapath.decompressor = {
      selfHealing: false,
      decompress: () => FATAL,
      incompressible: () => {},
      reset: () => {},
    };
  do talk(link, 2000, number);
  while (link.now < lastLoss + BOUND_MS);
  for (const { packets } of [link.a, link.b]) packets.length = 0;
  const sent = talk(link, 4000, number);
  link.run(() => false, 100);
  expect(link.a.packets.length + link.b.packets.length).toBe(sent);
}

const PAIRINGS = {
  "both ask for Deflate": [ccp(), ccp()],
  "one asks, one only takes": [ccp(), ONLY_ACCEPTS],
  "both ask for Predictor-1": [PREDICTOR, PREDICTOR],
} as const;

for (const [name, [ours, peers]] of Object.entries(PAIRINGS))
  for (const trouble of ["none", "lost-sync", "restart"] as const)
    test(`any of the next six packets of CCP are lost: ${name}, ${trouble}`, () => {
      for (let subset = 0; subset < 64; subset++) {
        const rng = new Rng(subset);
        const link = new Pair(new Side(config(A, B, ours), rng), new Side(config(0, 0, peers), rng));
        let packet = 0;
        try {
          play(link, trouble, () => ((subset >>> packet++) & 1) === 1);
        } catch (error) {
          throw new Error(`subset ${subset.toString(2)}\n${link.a.lines.join("\n")}\n--\n${link.b.lines.join("\n")}`, {
            cause: error,
          });
        }
      }
    }, 30_000);

test(
  "packets of CCP are lost by chance, or all of a kind",
  () =>
    withRng((rng) => {
      for (let round = 0; round < 40; round++) {
        const [ours, peers] = rng.pick(Object.values(PAIRINGS));
        const trouble = rng.pick(["none", "lost-sync", "restart"] as const);
        const kind = rng.chance(0.5)
          ? rng.pick([Code.ConfReq, Code.ConfAck, Code.TermReq, Code.TermAck, Code.ResetAck])
          : 0;
        const share = rng.pick([0.3, 0.6, 1]);
        const until = rng.below(45_000);
        const link = new Pair(new Side(config(A, B, ours), rng), new Side(config(0, 0, peers), rng));
        play(link, trouble, (code) => link.now < until && (kind === 0 || code === kind) && rng.chance(share));
      }
    }),
  30_000,
);

function up(
  ours: CcpConfig,
  peers: CcpConfig,
  changes: Partial<LinkConfig> = {},
  others: Partial<LinkConfig> = {},
): Pair {
  const rng = new Rng(1);
  const link = new Pair(new Side(config(A, B, ours, changes), rng), new Side(config(0, 0, peers, others), rng));
  link.open();
  expect(link.run(() => link.a.link.networks.ipv4Up && link.b.link.networks.ipv4Up)).toBe(true);
  link.run(() => false, 100);
  return link;
}

/** Loses packets with these codes and counts them. */
function losing(link: Pair, ...codes: number[]): { lost: number } {
  const count = { lost: 0 };
  link.wire.damage = (bytes) => without(bytes, (code) => codes.includes(code) && count.lost++ >= 0);
  return count;
}

test("a peer that goes on compressing is told to stop once a second, and a lost reset is told of the end", () => {
  const link = up(ccp(), ccp());
  const { a } = link;
  const count = losing(link, Code.TermReq);
  a.link.networks.datapath.decompressor!.decompress = () => FATAL;
  talk(link, 10_000, { next: 0 });
  // Two of them are of the usual kind.
  expect(count.lost).toBeGreaterThanOrEqual(7);
  expect(count.lost).toBeLessThanOrEqual(13);
  const request = Uint8Array.of(0x80, 0xfd, Code.ResetReq, 0x77, 0, 4);
  const fcs = ~fcsOver(FCS_INIT, request, 0, request.length);
  const octets = [...request, fcs & 0xff, (fcs >>> 8) & 0xff];
  const escaped = octets.flatMap((octet) =>
    octet < 32 || octet === 0x7d || octet === 0x7e ? [0x7d, octet ^ 0x20] : octet,
  );
  a.take(Uint8Array.of(0x7e, ...escaped, 0x7e), link.now);
  expect(a.lines.at(-1)).toBe("sent [CCP TermAck id=0x77]");
});

test("two sides whose requests for compression are not answered compress nothing", () => {
  const link = up(ccp(), ccp());
  losing(link, Code.ConfAck);
  link.a.link.networks.restartCcp(link.now);
  link.run(() => false, 60_000);
  for (const { lines } of [link.a, link.b]) expect(lines).toContain("CCP: timeout sending Config-Requests");
  for (const { datapath } of [link.a.link.networks, link.b.link.networks]) {
    expect(datapath.compressor).toBeUndefined();
    expect(datapath.decompressor).toBeUndefined();
  }
});

test("a peer that rejects compressed packets is sent no more of them", () => {
  const link = up(ccp(), ccp());
  expect(link.a.link.networks.datapath.compressor).toBeDefined();
  link.b.link.rejectProtocol(Protocol.COMP, new Uint8Array(20), 0, 20);
  link.run(() => false, 100);
  expect(link.a.link.networks.datapath.compressor).toBeUndefined();
});

test("a link that must encrypt and cannot agree on it again ends", () => {
  const encrypted = ccp({ mppe: { bits40: false, bits56: false, bits128: true, stateful: false } });
  const { lcp } = linkConfig();
  const link = up(
    encrypted,
    encrypted,
    { lcp: { ...lcp, authRequired: true, demand: ["mschap-v2"] } },
    { lcp: { ...lcp, accept: ["mschap-v2"] } },
  );
  losing(link, Code.ConfAck);
  link.a.link.networks.restartCcp(link.now);
  expect(link.run(() => link.a.has("terminated") && link.b.has("terminated"), 60_000)).toBe(true);
  const said = [...link.a.lines, ...link.b.lines].filter((line) => line.startsWith("MPPE required"));
  expect(said).toEqual(["MPPE required but peer negotiation failed"]);
});
