// The timers of a link: the nearest deadline, and which timer runs out first.

import { expect, test } from "bun:test";
import { type Timer, Timers } from "../../src/link/timers.ts";
import { withRng } from "../kit/rng.ts";

test("no timer runs at first, nor after stopAll", () => {
  const timers = new Timers();
  expect([timers.next(), timers.takeExpired(1e9)]).toEqual([Infinity, undefined]);
  timers.set("lcp", 5);
  timers.stopAll();
  expect([timers.next(), timers.takeExpired(1e9)]).toEqual([Infinity, undefined]);
  timers.set("echo", 7);
  expect([timers.next(), timers.takeExpired(7), timers.next()]).toEqual([7, "echo", Infinity]);
});

test("a timer runs out at its deadline, once, the nearest first", () => {
  const timers = new Timers();
  timers.set("eapServer", 10);
  timers.set("listen", 20);
  timers.set("ipcp", 15);
  timers.stop("ipcp");
  expect([timers.takeExpired(9), timers.next()]).toEqual([undefined, 10]);
  expect([timers.takeExpired(10), timers.next()]).toEqual(["eapServer", 20]);
  timers.set("listen", 30);
  expect([timers.takeExpired(29), timers.next()]).toEqual([undefined, 30]);
  expect([timers.takeExpired(31), timers.next()]).toEqual(["listen", Infinity]);
});

test("the nearest deadline is that of all deadlines, whatever was set and stopped before", () =>
  withRng((rng) => {
    const timers = new Timers();
    const model = new Map<Timer, number>();
    const names: readonly Timer[] = ["listen", "lcp", "echo", "ipv6cp", "eapServer"];
    let now = 0;
    for (let round = 0; round < 2000; round++) {
      const timer = rng.pick(names);
      const at = rng.chance(0.2) ? Infinity : now + rng.below(10);
      timers.set(timer, at);
      model.set(timer, at);
      if (rng.chance(0.3)) now += rng.below(8);
      for (let gone; (gone = timers.takeExpired(now)) !== undefined;) {
        expect(model.get(gone)).toBe(Math.min(...model.values()));
        model.set(gone, Infinity);
      }
      const nearest = Math.min(...model.values());
      expect([timers.next(), nearest > now]).toEqual([nearest, true]);
    }
  }));
