// The first restart times, for the speeds of a line.

import { expect, test } from "bun:test";
import { lcpTimes, networkTimes } from "../../../src/run/settings/restart-times.ts";

const cable = (speed: number) => ({ device: "/dev/ttyS0", modem: false, speed, findSpeed: false });

test("the times grow with the time that a frame takes, and are short on a fast line", () => {
  expect(lcpTimes(cable(115200)).firstMs).toBeCloseTo(70.4, 1);
  expect(lcpTimes(cable(3_000_000)).firstMs).toBeLessThan(61);
  for (const times of [lcpTimes, networkTimes])
    for (const speed of [1200, 2400, 9600, 57600, 115200])
      expect(times(cable(speed)).firstMs).toBeGreaterThan(times(cable(2 * speed)).firstMs);
});

test("requests to a peer that is silent take an eighth of the line at most, and come seven times a second at most", () => {
  for (const speed of [2400, 9600, 38400, 115200, 3_000_000]) {
    const { eagerMs } = lcpTimes(cable(speed));
    expect(eagerMs).toBeGreaterThanOrEqual(Math.max(150, (8 * 600_000) / speed));
  }
  expect(lcpTimes(cable(115200)).eagerMs).toBe(150);
});

test("a peer that may be open gets a second at least", () => {
  expect(networkTimes(cable(115200)).patienceMs).toBe(1000);
  expect(lcpTimes(cable(115200)).patienceMs).toBe(2000);
  expect([115200, 1200].map((speed) => lcpTimes(cable(speed)).hurryMs)).toEqual([300, 2 * 1060]);
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
