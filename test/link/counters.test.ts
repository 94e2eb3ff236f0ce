// The counters for pppstats: both ends of a clean line count the same, and compression is counted from the agreement
// on. (test/interop/stats.test.ts compares them with the kernel's counters.)

import { expect, test } from "bun:test";
import type { LinkConfig } from "../../src/link/link-host.ts";
import { linkConfig, Pair, Side } from "../kit/pair.ts";
import { type Rng, withRng } from "../kit/rng.ts";

/** Another octet, which neither begins a frame nor an escape: there would be two bad frames. */
function damaged(octet: number): number {
  const other = octet ^ 4;
  return other === 0x7e || other === 0x7d ? octet ^ 8 : other;
}

const METHODS = ["deflate", "bsd", "predictor1", "lzs", "mppc"] as const;

function config(method: (typeof METHODS)[number], our: number, peer: number): LinkConfig {
  const { networks, ...rest } = linkConfig();
  const sizes = (name: string) => (name === method ? { receive: 12, transmit: 12 } : { receive: 0, transmit: 0 });
  const wish = (name: string) => (name === method ? "request" : "no");
  return {
    ...rest,
    networks: {
      ...networks,
      ipcp: { ...networks.ipcp!, our, peer },
      ccp: {
        deflate: sizes("deflate"),
        deflateDraft: false,
        bsd: sizes("bsd"),
        predictor1: wish("predictor1"),
        lzs: wish("lzs"),
        mppc: wish("mppc"),
        mppe: undefined,
        limits: rest.lcp.limits,
      },
    },
  };
}

function up(method: (typeof METHODS)[number], rng: Rng): Pair {
  const pair = new Pair(new Side(config(method, 0x0a000001, 0x0a000002), rng), new Side(config(method, 0, 0), rng));
  pair.open();
  const agreed = ({ link }: Side): boolean => link.networks.ipv4Up && link.networks.compression.receive !== undefined;
  expect(pair.run(() => agreed(pair.a) && agreed(pair.b))).toBe(true);
  return pair;
}

/** Sends text and noise in one direction and returns the octets. */
function talk(pair: Pair, from: Side, rng: Rng, packets = 30): number {
  let octets = 0;
  for (let count = 0; count < packets; count++) {
    const length = 40 + rng.below(1000);
    const packet = rng.chance(0.5) ? rng.bytes(length) : new Uint8Array(length).fill(0x61);
    packet[0] = 0x45;
    expect(from.send(packet, pair.now)).toBe(true);
    octets += length;
    pair.run(() => false, 20);
  }
  return octets;
}

test("each end has received what the other has sent, whatever the method", () =>
  withRng((rng) => {
    for (const method of METHODS) {
      const pair = up(method, rng);
      const before = pair.a.link.networks.datapath.counters().sent;
      const octets = talk(pair, pair.a, rng);
      talk(pair, pair.b, rng, 5);
      const [a, b] = [pair.a, pair.b].map(({ link }) => link.networks.datapath.counters());
      expect([method, b!.received]).toEqual([method, a!.sent]);
      expect([method, a!.received]).toEqual([method, b!.sent]);
      const { sent } = a!;
      expect([sent.bytes - before.bytes, sent.packets - before.packets]).toEqual([octets, 30]);
      expect(sent.compressedPackets + sent.incompressiblePackets).toBe(30);
      expect(sent.uncompressedBytes).toBe(octets + 4 * 30);
      expect(sent.compressedBytes + sent.incompressibleBytes).toBeLessThan(sent.uncompressedBytes);
    }
  }));

test("a damaged frame counts as no packet, and a new CCP begins to count at 0", () =>
  withRng((rng) => {
    const pair = up("deflate", rng);
    talk(pair, pair.a, rng);
    const { datapath } = pair.b.link.networks;
    const before = datapath.counters().received;
    pair.wire.damage = (bytes) => bytes.map((octet, at) => (at === 9 ? damaged(octet) : octet));
    talk(pair, pair.a, rng, 1);
    delete pair.wire.damage;
    expect(datapath.counters().received).toEqual(before);
    expect(pair.b.link.deframer.stats.badFcs).toBe(1);

    pair.a.link.networks.restartCcp(pair.now);
    expect(pair.run(() => pair.a.link.networks.compression.receive === undefined)).toBe(true);
    expect(pair.run(() => pair.a.link.networks.compression.receive !== undefined)).toBe(true);
    const after = datapath.counters().received;
    expect(after).toMatchObject({ compressedBytes: 0, incompressiblePackets: 0, uncompressedBytes: 0 });
    expect(after.bytes).toBeGreaterThan(before.bytes);
  }));
