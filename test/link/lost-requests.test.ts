// The packets of a negotiation are lost one at a time, between two links with the times of a cable.

import { expect, test } from "bun:test";
import { lcpTimes, networkTimes } from "../../src/run/settings/restart-times.ts";
import { linkConfig, Pair, Side } from "../kit/pair.ts";
import { Rng } from "../kit/rng.ts";

const LINE = { device: "/dev/ttyS0", modem: false, speed: 115200, findSpeed: false };
/** Pieces of a negotiation, each with one packet or two. */
const PIECES = 10;

interface Times {
  readonly lcp: object;
  readonly network: object;
}

function side(seed: number, our: number, peer: number, times: Times): Side {
  const { lcp, networks } = linkConfig();
  const ipcp = networks.ipcp!;
  const config = linkConfig({
    lcp: { ...lcp, limits: { ...lcp.limits, ...times.lcp, nudges: 2 } },
    networks: { ...networks, ipcp: { ...ipcp, our, peer, limits: { ...ipcp.limits, ...times.network } } },
  });
  return new Side(config, new Rng(seed));
}

/** How long it takes until both ends are up, when the piece `lost` does not arrive. */
function upAfter(lost: number, times: Times): number {
  const pair = new Pair(side(1, 0x0a000001, 0x0a000002, times), side(2, 0, 0, times), { latency: 5 });
  let nth = 0;
  pair.wire.damage = (bytes) => (nth++ === lost ? undefined : bytes);
  pair.open();
  expect(pair.run(() => pair.a.link.networks.ipv4Up && pair.b.link.networks.ipv4Up)).toBe(true);
  for (const { events } of [pair.a, pair.b]) expect(events.filter(({ type }) => type === "lcp-down")).toEqual([]);
  return pair.now;
}

test("a lost request or answer costs little, and no layer goes down because of what is repeated", () => {
  const times = { lcp: lcpTimes(LINE), network: networkTimes(LINE) };
  const took = Array.from({ length: PIECES }, (_, lost) => upAfter(lost, times));
  // LCP's requests, then an Ack of LCP with the first request of IPCP. After our Ack of IPCP the peer may be open.
  expect(Math.max(...took.slice(0, 2))).toBeLessThan(400);
  expect(Math.max(...took)).toBeLessThan(1500);
  expect(upAfter(Infinity, times)).toBeLessThan(50);
});

test("with the restart timer alone it costs three seconds", () => {
  const late = { firstMs: 3000, patienceMs: 3000 };
  expect(upAfter(4, { lcp: late, network: late })).toBeGreaterThan(2900);
});
