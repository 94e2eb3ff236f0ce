// When a router advertises itself (RFC 4861 §6.2), with chance fixed.

import { expect, test } from "bun:test";
import { Advertiser } from "../../../src/run/share/advertiser.ts";

const HOST = Uint8Array.of(0xfe, 0x80, ...new Uint8Array(13), 2);
const NONE = new Uint8Array(16);

class Router {
  now = 1000;
  chance = 0.5;
  readonly sent: string[] = [];
  readonly advertiser = new Advertiser(
    () => this.chance,
    (to) => this.sent.push(`${this.now} ${to === undefined ? "all" : "one"}`),
  );

  /** Lets time pass. Returns what was sent. */
  pass(ms: number): string[] {
    const end = this.now + ms;
    for (let at; (at = this.advertiser.nextTimeout()) <= end;) {
      this.now = Math.max(this.now, at);
      this.advertiser.handleTimeout(this.now);
    }
    this.now = end;
    return this.sent.splice(0);
  }
}

test("the first ones soon, the others seldom, and none after the end", () => {
  const router = new Router();
  router.advertiser.begin(router.now);
  expect(router.pass(20_000)).toEqual(["1000 all", "5000 all", "21000 all"]);
  router.chance = 0;
  // The last interval was drawn when the one before it ended.
  expect(router.pass(600_000)).toEqual(["421000 all", "621000 all"]);
  router.chance = 0.999;
  expect(router.pass(1_000_000)).toEqual(["821000 all", "1420600 all"]);
  router.advertiser.end();
  router.advertiser.asked(HOST, router.now);
  expect([router.advertiser.nextTimeout(), router.pass(10_000_000)]).toEqual([Infinity, []]);
});

test("a host that asks gets an answer of its own within half a second", () => {
  const router = new Router();
  router.advertiser.begin(router.now);
  router.pass(100);
  router.advertiser.asked(HOST, router.now);
  router.advertiser.asked(HOST, router.now);
  expect(router.pass(1000)).toEqual(["1350 one"]);
});

test("a host without an address is answered to all, three seconds after the last time", () => {
  const router = new Router();
  router.advertiser.begin(router.now);
  router.pass(500);
  router.advertiser.asked(NONE, router.now);
  expect(router.pass(3000)).toEqual(["4000 all"]);
  router.pass(10_000);
  router.advertiser.asked(NONE, router.now);
  expect(router.pass(1000)).toEqual(["14750 all"]);
});

test("a change is told at once, but three seconds after the last time", () => {
  const router = new Router();
  router.advertiser.changed(router.now);
  expect(router.pass(10_000)).toEqual([]);
  router.advertiser.begin(router.now);
  router.pass(20_000);
  router.advertiser.changed(router.now);
  router.advertiser.changed(router.now);
  expect(router.pass(10_000)).toEqual([`${31_000 + 3000} all`]);
  router.advertiser.changed(router.now);
  expect(router.pass(10_000)).toEqual(["41000 all"]);
});

test("nobody is answered before the link is up", () => {
  const router = new Router();
  router.advertiser.asked(HOST, router.now);
  router.advertiser.asked(NONE, router.now);
  expect(router.pass(10_000)).toEqual([]);
});
