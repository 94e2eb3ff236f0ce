// Bulk packets in pieces and other packets between them: what a ping takes and what it costs, in simulated time; and that
// both ends agree on all histories, whatever is lost.

import { expect, test } from "bun:test";
import type { CcpConfig } from "../../src/control/ccp-dialect.ts";
import type { LinkConfig } from "../../src/link/link-host.ts";
import { type Load, LoadWithPings, type Measured, interleaving, quantile } from "../kit/load-with-pings.ts";
import { linkConfig } from "../kit/pair.ts";
import { Rng, withRng } from "../kit/rng.ts";

const A = 0x0a000001;
const B = 0x0a000002;
const sizes = (bits: number) => ({ receive: bits, transmit: bits });

function ccp(changes: Partial<CcpConfig>): CcpConfig {
  return {
    deflate: sizes(0),
    deflateDraft: false,
    bsd: sizes(0),
    predictor1: "no",
    lzs: "no",
    mppc: "no",
    mppe: undefined,
    limits: linkConfig().lcp.limits,
    ...changes,
  };
}

const DEFLATE = ccp({ deflate: sizes(15) });
const WORDS = "the line carries what a person types and waits for while a file of many words travels along it".split(
  " ",
);

/** Text that shrinks to a third, like most text. */
function text(rng: Rng): (length: number) => Uint8Array {
  let rest = "";
  return (length) => {
    while (rest.length < length)
      rest += `${rng.pick(WORDS)} ${rng.chance(0.5) ? rng.u32().toString(36) : rng.pick(WORDS)} `;
    const data = Buffer.from(rest.slice(0, length), "latin1");
    rest = rest.slice(length);
    return new Uint8Array(data);
  };
}

const noise =
  (rng: Rng) =>
  (length: number): Uint8Array =>
    rng.bytes(length);

function measure(rng: Rng, load: Partial<Load>, configs = [interleaving(A, B), interleaving(B, A)] as const): Measured {
  const all = { speed: 115_200, milliseconds: 20_000, data: noise(rng), cuts: true, ...load };
  const measured = new LoadWithPings(configs, rng, all).run();
  expect([measured.wrong, measured.unsound]).toEqual([0, 0]);
  return measured;
}

// ── what a ping takes ────────────────────────────────────────────────────────────────────────────────────────────────

test.each([
  ["one way", { bothWays: false }, 36, 48],
  ["both ways", { bothWays: true }, 56, 80],
])("115200, noise, %s: the pings go between the pieces, and the file loses 3 % at most", (_, load, p50, p95) =>
  withRng((rng) => {
    const whole = measure(rng, { ...load, cuts: false });
    const cut = measure(rng, { ...load, cuts: true });
    expect(quantile(whole.pings, 0.95)).toBeGreaterThan(110);
    expect(quantile(cut.pings, 0.5)).toBeLessThan(p50);
    expect(quantile(cut.pings, 0.95)).toBeLessThan(p95);
    expect(cut.goodput / whole.goodput).toBeGreaterThan(0.965);
    // Only what was on its way at the end.
    expect(cut.lost).toBeLessThan(20);
  }),
);

test.each([
  ["no compression", undefined, noise],
  ["compression", DEFLATE, noise],
  ["compression", DEFLATE, text],
])(
  "%s: keys of other connections and of the file's own go between its pieces, and every header is restored",
  (_, method, kind) =>
    withRng((rng) => {
      const configs = [interleaving(A, B, method), interleaving(B, A, method)] as const;
      for (const isBundled of [false, true]) {
        const load = { bothWays: true, keys: true, data: kind(rng), milliseconds: 10_000, isBundled };
        expect(measure(rng, load, configs).lost).toBeLessThan(20);
      }
    }),
);

test("9600, noise: a ping waits for one piece", () =>
  withRng((rng) => {
    const { pings } = measure(rng, { speed: 9600, milliseconds: 60_000 });
    expect(quantile(pings, 0.95)).toBeLessThan(400);
  }));

test("115200, text, compressed on the line: it still shrinks, and the pings go between the pieces", () =>
  withRng((rng) => {
    const configs = [interleaving(A, B, DEFLATE), interleaving(B, A, DEFLATE)] as const;
    const whole = measure(rng, { data: text(rng), cuts: false }, configs);
    const cut = measure(rng, { data: text(rng) }, configs);
    expect(whole.goodput).toBeGreaterThan(1.8 * 11_520);
    expect(cut.goodput / whole.goodput).toBeGreaterThan(0.88);
    expect(quantile(cut.pings, 0.95)).toBeLessThan(50);
  }));

test("a line of unknown speed, and one that is fast: nothing is cut", () =>
  withRng((rng) => {
    const fast = new LoadWithPings([interleaving(A, B), interleaving(B, A)], rng, {
      speed: 3_000_000,
      milliseconds: 3200,
      data: noise(rng),
      cuts: true,
    });
    const { carrier } = fast.pair.a;
    const { cut } = carrier;
    const cuts: boolean[] = [];
    carrier.cut = (...args) => {
      cuts.push(cut.apply(carrier, args));
      return cuts.at(-1)!;
    };
    fast.run();
    expect(cuts.length).toBeGreaterThan(10);
    expect(cuts).not.toContain(true);
  }));

// ── the other kinds of peer ──────────────────────────────────────────────────────────────────────────────────────────

/** The text that shows which CCP is used. */
function isPerLink(load: LoadWithPings): readonly boolean[] {
  return [load.pair.a, load.pair.b].map(({ carrier }) => carrier.networks.datapath.isPerLink);
}

test.each([
  ["noise", 60],
  ["text", 120],
])("a peer with multilink compresses for the bundle, and %s goes with order kept", (kind, p95) =>
  withRng((rng) => {
    const load = new LoadWithPings([interleaving(A, B, DEFLATE), interleaving(B, A, DEFLATE)], rng, {
      speed: 115_200,
      milliseconds: 20_000,
      data: (kind === "noise" ? noise : text)(rng),
      cuts: true,
      bothWays: true,
      keys: true,
      isBundled: true,
    });
    const { wrong, unsound, lost, pings } = load.run();
    expect([wrong, unsound, isPerLink(load)]).toEqual([0, 0, [false, false]]);
    expect(load.pair.a.side.lines).toContain("Deflate (15) compression enabled");
    expect(lost).toBeLessThan(20);
    expect(quantile(pings, 0.95)).toBeLessThan(p95);
    // A history that one end has and the other has not would show as a reset.
    expect(load.pair.a.side.lines.filter((line) => /ResetReq/.test(line))).toEqual([]);
  }),
);

test.each([
  ["stateless", false, false],
  ["stateful", true, false],
  ["of a bundle", false, true],
])("encryption, %s: every piece is encrypted, and with a bundle nothing is cut", (_, stateful, isBundled) =>
  withRng((rng) => {
    const mppe = ccp({ mppe: { bits40: false, bits56: false, bits128: true, stateful } });
    const [one, other] = [interleaving(A, B, mppe), interleaving(B, A, mppe)];
    const server = { ...one, lcp: { ...one.lcp, authRequired: true, demand: ["mschap-v2"] as const } };
    const client = { ...other, lcp: { ...other.lcp, accept: ["mschap-v2"] as const } };
    const load = new LoadWithPings([server, client], rng, {
      speed: 115_200,
      milliseconds: 8000,
      data: noise(rng),
      cuts: true,
      bothWays: true,
      isBundled,
    });
    const plain: Buffer[] = [];
    const line: Uint8Array[] = [];
    const { a } = load.pair;
    a.damage = (octets) => {
      line.push(octets);
      return octets;
    };
    let wasCut = false;
    const { cut } = a.carrier;
    a.carrier.cut = (...args) => {
      plain.push(Buffer.from(args[0].slice(args[1] + 700, args[1] + 708)));
      const isCut = cut.apply(a.carrier, args);
      wasCut ||= isCut;
      return isCut;
    };
    const { wrong, unsound, pings, lost } = load.run();
    expect([wrong, unsound, wasCut, isPerLink(load)]).toEqual([0, 0, !isBundled, [!isBundled, !isBundled]]);
    expect(pings.length).toBeGreaterThan(8);
    expect(lost).toBeLessThan(25);
    expect(a.side.lines.some((line) => /^MPPE 128-bit (stateless|stateful) compression enabled/.test(line))).toBe(true);
    for (const { side } of [a, load.pair.b])
      expect(side.lines.filter((line) => line.startsWith("No encrypted packet can be read"))).toEqual([]);
    // None of the data is on the line as it is.
    const all = Buffer.concat(line);
    expect(plain.length).toBeGreaterThan(10);
    expect(plain.filter((data) => all.includes(data))).toEqual([]);
  }),
);

test("a peer without multilink, and one without compression: the link is up as without the option", () =>
  withRng((rng) => {
    const plain = interleaving(B, A, DEFLATE);
    const peers: LinkConfig[] = [
      { ...plain, lcp: { ...plain.lcp, multilink: undefined } },
      { ...plain, networks: { ...plain.networks, ccp: undefined } },
    ];
    for (const [n, peer] of peers.entries()) {
      const load = new LoadWithPings([interleaving(A, B, DEFLATE), peer], rng, {
        speed: 115_200,
        milliseconds: 5000,
        data: noise(rng),
        cuts: true,
      });
      const { wrong, pings } = load.run();
      expect([wrong, isPerLink(load)]).toEqual([0, [false, false]]);
      expect(pings.length).toBeGreaterThan(5);
      const { lines } = load.pair.a.side;
      expect(lines.includes("Deflate (15) compression enabled")).toBe(n === 0);
      expect(lines.filter((line) => line.startsWith("rcvd [LCP ConfRej")).length).toBe(n === 0 ? 1 : 0);
    }
  }));

// ── losses ───────────────────────────────────────────────────────────────────────────────────────────────────────────

test.each([
  ["no compression", undefined],
  ["Deflate", DEFLATE],
  ["BSD-Compress", ccp({ bsd: sizes(12) })],
  ["LZS", ccp({ lzs: "request" })],
  ["MPPC", ccp({ mppc: "request" })],
  ["Predictor", ccp({ predictor1: "request" })],
])("%s: any frame is lost or damaged, and no packet is delivered wrong", (_, method) =>
  withRng((rng) => {
    for (const isBundled of [false, true])
      for (const kind of [noise, text]) {
        let isClean = true;
        const damage = (octets: Uint8Array): Uint8Array | undefined => {
          if (isClean || rng.chance(0.9)) return octets;
          if (rng.chance(0.5)) return undefined;
          const damaged = octets.slice();
          damaged[rng.below(damaged.length)]! ^= 1 << rng.below(8);
          return damaged;
        };
        const configs = [interleaving(A, B, method), interleaving(B, A, method)] as const;
        const load = new LoadWithPings(configs, rng, {
          speed: 115_200,
          milliseconds: 10_000,
          data: kind(rng),
          cuts: true,
          bothWays: true,
          keys: true,
          isBundled,
          damage,
        });
        load.pair.at(2500, () => (isClean = false));
        load.pair.at(6500, () => (isClean = true));
        const { wrong, tail } = load.run();
        expect([isBundled, wrong]).toEqual([isBundled, 0]);
        // Both directions carry the file again in the clean second at the end.
        expect(Math.min(...tail)).toBeGreaterThan(5);
      }
  }),
);
