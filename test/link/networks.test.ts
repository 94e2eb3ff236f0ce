// Compression, encryption and IPv6 between two Links: the agreements, and that packets arrive unchanged.

import { expect, test } from "bun:test";
import type { CcpConfig } from "../../src/control/ccp-dialect.ts";
import { NO_ID } from "../../src/control/options/ipv6cp/interface-identifier.ts";
import type { LinkConfig } from "../../src/link/link-host.ts";
import { linkConfig, Pair, Side } from "../kit/pair.ts";
import { Protocol } from "../../src/wire/protocols.ts";
import { Rng, withRng } from "../kit/rng.ts";

const A = 0xc0a80001;
const B = 0xc0a80101;
const limits = linkConfig().lcp.limits;

/** pppd's own wishes. */
const CCP: CcpConfig = {
  deflate: { receive: 15, transmit: 15 },
  deflateDraft: true,
  bsd: { receive: 15, transmit: 15 },
  predictor1: "accept",
  lzs: "accept",
  mppc: "accept",
  mppe: undefined,
  limits,
};
const NOTHING: Partial<CcpConfig> = { deflate: { receive: 0, transmit: 0 }, bsd: { receive: 0, transmit: 0 } };

interface Wishes {
  ccp?: Partial<CcpConfig> | undefined;
  vj?: boolean;
  ipv6?: boolean;
}

function config(our: number, peer: number, { ccp, vj = false, ipv6 = false }: Wishes): LinkConfig {
  const { networks, ...rest } = linkConfig();
  return {
    ...rest,
    networks: {
      ipcp: { ...networks.ipcp!, our, peer, vj: vj ? { maxSlot: 15, compressSlot: true } : undefined },
      ccp: ccp && { ...CCP, ...ccp },
      ipv6cp: ipv6
        ? { our: NO_ID, peer: NO_ID, acceptLocal: false, acceptRemote: false, noRemote: false, noSend: false, limits }
        : undefined,
    },
  };
}

function pair(a: Wishes, b: Wishes, rng = new Rng(1)): Pair {
  return new Pair(new Side(config(A, B, a), rng), new Side(config(0, 0, b), rng));
}

const COMPRESSION = /compression enabled$/;
function said({ a, b }: Pair): string[] {
  return [a, b].map(({ lines }) => lines.find((line) => COMPRESSION.test(line)) ?? "nothing");
}

/** A packet of compressible text, or of noise. */
function packet(rng: Rng, version: 4 | 6): Uint8Array {
  const length = 40 + rng.below(1400);
  const bytes = rng.chance(0.5) ? rng.bytes(length) : Uint8Array.from({ length }, (_, at) => 97 + ((at * 7) % 11));
  bytes[0] = version === 4 ? 0x45 : 0x60;
  return bytes;
}

/** Sends packets in both directions. They must arrive unchanged and in order, and on a clean wire all of them. */
function converse(link: Pair, rng: Rng, count: number, versions: readonly (4 | 6)[], sound = true): void {
  const sent: [Uint8Array[], Uint8Array[]] = [[], []];
  for (let n = 0; n < count; n++) {
    for (const [from, list] of [
      [link.a, sent[0]],
      [link.b, sent[1]],
    ] as const) {
      const one = packet(rng, rng.pick(versions));
      if (from.send(one, link.now)) list.push(one);
    }
    link.run(() => false, 5);
  }
  link.run(() => false, 3000);
  for (const [to, list] of [
    [link.b, sent[0]],
    [link.a, sent[1]],
  ] as const) {
    if (sound) expect(to.packets).toEqual(list);
    let at = 0;
    for (const got of to.packets) {
      while (at < list.length && !Bun.deepEquals(list[at], got)) at++;
      expect(at).toBeLessThan(list.length);
      at++;
    }
    expect(to.packets.length).toBeGreaterThan(0);
  }
}

const up = ({ a, b }: Pair) => a.link.networks.ipv4Up && b.link.networks.ipv4Up;
const compressing = (link: Pair) => up(link) && said(link).every((text) => COMPRESSION.test(text));

test("each method is agreed on, named as pppd names it, and carries packets both ways", async () => {
  const cases: [Partial<CcpConfig>, string][] = [
    [{}, "Deflate (15) compression enabled"],
    [{ deflateDraft: false, deflate: { receive: 9, transmit: 9 } }, "Deflate (9) compression enabled"],
    [
      { deflate: { receive: 0, transmit: 0 }, bsd: { receive: 12, transmit: 12 } },
      "BSD-Compress (12) compression enabled",
    ],
    [{ ...NOTHING, predictor1: "request" }, "Predictor 1 compression enabled"],
    [{ ...NOTHING, lzs: "request" }, "Stac LZS compression enabled"],
    [{ ...NOTHING, mppc: "request" }, "MPPC compression enabled"],
  ];
  for (const [ccp, text] of cases)
    await withRng((rng) => {
      const link = pair({ ccp }, { ccp }, rng);
      link.open();
      expect(link.run(() => compressing(link))).toBe(true);
      expect(said(link)).toEqual([text, text]);
      converse(link, rng, 60, [4]);
    });
});

test("sizes and methods may differ in the two directions, and a side may want none", () => {
  const sizes = pair({ ccp: { deflate: { receive: 12, transmit: 15 } } }, { ccp: {} });
  sizes.open();
  sizes.run(() => compressing(sizes));
  expect(said(sizes)).toEqual(["Deflate (12/15) compression enabled", "Deflate (15/12) compression enabled"]);

  const methods = pair({ ccp: { deflate: { receive: 0, transmit: 15 } } }, { ccp: {} });
  methods.open();
  methods.run(() => compressing(methods));
  expect(said(methods)[0]).toBe("BSD-Compress (15) / Deflate (15) compression enabled");
  converse(methods, new Rng(3), 30, [4]);

  const one = pair({ ccp: { deflate: { receive: 0, transmit: 15 }, bsd: { receive: 0, transmit: 0 } } }, { ccp: {} });
  one.open();
  one.run(() => compressing(one));
  expect(said(one)[0]).toBe("Deflate (15) transmit compression enabled");
  expect(said(one)[1]).toBe("Deflate (15) receive compression enabled");

  const none = pair({ ccp: {} }, {});
  none.open();
  expect(none.run(() => up(none))).toBe(true);
  none.run(() => false, 100);
  expect(said(none)).toEqual(["nothing", "nothing"]);
  converse(none, new Rng(4), 10, [4]);
});

test("a smaller window is Nak'ed, and a method that only one side requests is used in both directions", () => {
  const small = pair({ ccp: { deflate: { receive: 15, transmit: 10 } } }, { ccp: {} });
  small.open();
  small.run(() => compressing(small));
  expect(said(small)[0]).toBe("Deflate (15/10) compression enabled");
  const common = pair({ ccp: {} }, { ccp: { ...NOTHING, mppc: "request" } });
  common.open();
  common.run(() => compressing(common));
  expect(said(common)).toEqual(["MPPC compression enabled", "MPPC compression enabled"]);
});

test("on a line that damages frames every method recovers, and delivers only what was sent", () => {
  const cases: Partial<CcpConfig>[] = [
    {},
    { deflate: { receive: 0, transmit: 0 } },
    { ...NOTHING, predictor1: "request" },
    { ...NOTHING, lzs: "request" },
    { ...NOTHING, mppc: "request" },
  ];
  // Not with any seed: an FCS of 16 bits accepts one broken frame in 65536.
  for (const ccp of cases)
    for (const seed of [1, 2, 3]) {
      const rng = new Rng(seed);
      const link = pair({ ccp }, { ccp }, rng);
      link.open();
      expect(link.run(() => compressing(link))).toBe(true);
      link.wire.damage = (bytes) => {
        if (!rng.chance(0.1)) return bytes;
        const broken = bytes.slice();
        broken[rng.below(broken.length)]! ^= 1 << rng.below(8);
        return broken;
      };
      converse(link, rng, 150, [4], false);
      delete link.wire.damage;
      for (const side of [link.a, link.b]) side.packets.length = 0;
      link.run(() => false, 3000);
      // The next packets reveal a loss, and after them the line works again. Predictor has no numbers. It notices a
      // loss when it needs the lost data.
      converse(link, rng, 20, [4], false);
      for (const side of [link.a, link.b]) side.packets.length = 0;
      converse(link, rng, 30, [4], ccp.predictor1 === undefined);
    }
});

test("IPv6 runs beside IPv4, compressed or not, and each alone", () => {
  for (const ccp of [undefined, {}]) {
    const link = pair({ ccp, ipv6: true }, { ccp, ipv6: true });
    link.open();
    expect(link.run(() => up(link) && link.a.link.networks.ipv6Up && link.b.link.networks.ipv6Up)).toBe(true);
    link.run(() => false, 100);
    const { our, peer } = link.a.find("ipv6-up")!;
    expect(link.b.find("ipv6-up")).toMatchObject({ our: peer, peer: our });
    converse(link, new Rng(5), 40, [4, 6]);
  }
});

test("two Protocol-Rejects of IPv6CP do not end a link whose IPCP is still negotiating", () => {
  const link = pair({ ipv6: true }, {});
  link.open();
  const { networks } = link.a.link;
  expect(link.run(() => link.a.lines.some((line) => line.startsWith("sent [IPV6CP")))).toBe(true);
  expect(networks.ipv4Up).toBe(false);
  // A request that was repeated before the first answer came is rejected as well.
  for (let count = 0; count < 2; count++) networks.protocolRejected(Protocol.IPV6CP, link.now);
  expect(link.run(() => up(link))).toBe(true);
  expect(link.a.lines.join("\n")).not.toContain("No network protocols running");
});

test("a new negotiation of compression (SIGUSR2) damages no packet", () => {
  const link = pair({ ccp: {} }, { ccp: {} });
  link.open();
  link.run(() => compressing(link));
  const rng = new Rng(6);
  for (let round = 0; round < 3; round++) {
    converse(link, rng, 10, [4]);
    for (const side of [link.a, link.b]) side.packets.length = 0;
    link.a.link.networks.restartCcp(link.now);
    link.run(() => false, 200);
  }
  expect(link.a.lines.filter((line) => COMPRESSION.test(line)).length).toBe(4);
  converse(link, rng, 10, [4]);
});
