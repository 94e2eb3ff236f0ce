import { expect, test } from "bun:test";
import { RateLimit } from "../../../src/run/loop/rate-limit.ts";

test("a limited line takes no more than its rate, whatever it is offered, and a tenth of a second's octets at once", () => {
  for (const rate of [3, 1000, 115_200]) {
    const limit = new RateLimit(rate);
    const burst = Math.max(100, rate / 10);
    let now = 1000;
    expect(limit.room(now)).toBe(burst);
    let passed = 0;
    for (const end = now + 10_000; now < end; now += Math.max(0.3, limit.wait(now))) {
      const room = limit.room(now);
      limit.pass(room);
      passed += room;
    }
    expect(passed).toBeGreaterThan(rate * 10 * 0.98);
    expect(passed).toBeLessThanOrEqual(rate * 10 + burst + 1);
  }
});

test("a long pause allows no burst afterwards", () => {
  const limit = new RateLimit(1000);
  limit.pass(100);
  expect(limit.room(0)).toBe(0);
  expect(limit.room(50)).toBe(50);
  expect(limit.room(60_000)).toBe(100);
});
