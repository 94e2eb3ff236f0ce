// The first restart times, for the speeds of a line.

import { expect, test } from "bun:test";
import { lcpTimes, networkTimes } from "../../../src/run/settings/restart-times.ts";
import { linkConfig, Side } from "../../kit/pair.ts";
import { Rng } from "../../kit/rng.ts";

const cable = (speed: number) => ({ device: "/dev/ttyS0", modem: false, speed, findSpeed: false });

test("the times grow with the time that a frame takes, and are short on a fast line", () => {
  expect(lcpTimes(cable(115200)).firstMs).toBeCloseTo(73.9, 1);
  expect(lcpTimes(cable(3_000_000)).firstMs).toBeLessThan(61);
  for (const times of [lcpTimes, networkTimes])
    for (const speed of [1200, 2400, 9600, 57600, 115200])
      expect(times(cable(speed)).firstMs).toBeGreaterThan(times(cable(2 * speed)).firstMs);
});

test("the first time is that of a request with everything that one cable has, and of its answer", () => {
  const { lcp, ...rest } = linkConfig();
  const multilink = { mrru: 1500, shortSequence: true, endpoint: "own" } as const;
  const side = new Side({ ...rest, lcp: { ...lcp, authRequired: true, demand: ["chap-md5"], multilink } }, new Rng(1));
  side.link.open(0);
  const { length } = side.drain(0);
  expect(length).toBeGreaterThan(70);
  expect(lcpTimes(cable(1200)).firstMs).toBeGreaterThan((2 * length * 10_000) / 1200);
});

test("requests to a peer that is silent take an eighth of the line at most, and come seven times a second at most", () => {
  for (const speed of [2400, 9600, 38400, 115200, 3_000_000]) {
    const { eagerMs } = lcpTimes(cable(speed));
    expect(eagerMs).toBeGreaterThanOrEqual(Math.max(150, (8 * 800_000) / speed));
  }
  expect(lcpTimes(cable(115200)).eagerMs).toBe(150);
});

test("a peer that may be open gets a second at least", () => {
  expect(networkTimes(cable(115200)).patienceMs).toBe(1000);
  expect(lcpTimes(cable(115200)).patienceMs).toBe(2000);
  expect([115200, 1200].map((speed) => lcpTimes(cable(speed)).hurryMs)).toEqual([
    300,
    2 * lcpTimes(cable(1200)).firstMs,
  ]);
  expect(lcpTimes(cable(1200)).firstMs).toBeCloseTo(1393.3, 1);
  expect(networkTimes(cable(1200)).patienceMs).toBe(networkTimes(cable(1200)).firstMs);
});

test("a modem, a network or a program under the line may take its time", () => {
  for (const line of [
    { ...cable(115200), modem: true },
    { ...cable(115200), device: undefined },
  ]) {
    for (const times of [lcpTimes, networkTimes])
      expect(times(line)).toEqual({ firstMs: 1500, patienceMs: 1500, unheardMs: 200 });
  }
});

test("a speed that is not known yet counts as 9600", () => {
  for (const times of [lcpTimes, networkTimes]) {
    expect(times(cable(0))).toEqual(times(cable(9600)));
    expect(times({ ...cable(115200), findSpeed: true })).toEqual(times(cable(9600)));
  }
});
