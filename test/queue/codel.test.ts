import { expect, test } from "bun:test";
import { CoDel, coDelTimes } from "../../src/queue/codel.ts";

test("the target is longer than the time of a full packet", () => {
  const packetMs = 1500 / 11.52;
  expect(coDelTimes(11.52, 1500).targetMs).toBeCloseTo(2 * packetMs);
  expect(coDelTimes(11.52, 1500).intervalMs).toBeGreaterThan(3 * packetMs);
  expect(coDelTimes(0, 1500)).toEqual({ targetMs: 5, intervalMs: 105 });
});

test("drops come after an interval of long waits, then more and more often", () => {
  const codel = new CoDel();
  const times = { targetMs: 5, intervalMs: 100 };
  const drops: number[] = [];
  for (let now = 0; now < 1000; now++) if (codel.drops(20, false, now, times)) drops.push(now);
  expect(drops[0]).toBe(100);
  expect(drops[1]! - drops[0]!).toBe(100);
  const gaps = drops.slice(1).map((at, n) => at - drops[n]!);
  expect(gaps.toSorted((a, b) => b - a)).toEqual(gaps);
  expect(gaps.at(-1)).toBeLessThan(50);
});

test("one short wait, and the last packet of a queue, end it", () => {
  const codel = new CoDel();
  const times = { targetMs: 5, intervalMs: 100 };
  for (let now = 0; now < 1000; now++) {
    const isShort = now % 90 === 0;
    expect(codel.drops(isShort ? 1 : 20, now % 97 === 0, now, times)).toBe(false);
  }
});
