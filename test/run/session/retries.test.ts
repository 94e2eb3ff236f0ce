import { expect, test } from "bun:test";
import type { Config } from "../../../src/options/config.ts";
import { Exit } from "../../../src/run/exit.ts";
import { Retries } from "../../../src/run/session/retries.ts";
import type { OptionsInForce } from "../../../src/run/settings/options-in-force.ts";

const GIVEN = { persist: true, maxfail: 10, holdoff: 30, device: "/dev/ttyS0" };

function retriesOf(config: Partial<Config> = {}): Retries {
  return new Retries({ config: { ...GIVEN, ...config } as Config } as OptionsInForce);
}

test("without persist there is one attempt; with it there are as many as maxfail in a row", () => {
  const once = retriesOf({ persist: false });
  once.begin();
  expect(once.goesOn).toBe(false);
  const three = retriesOf({ maxfail: 3 });
  for (const goesOn of [true, true, false]) {
    three.begin();
    expect(three.goesOn).toBe(goesOn);
  }
  three.succeeded();
  three.begin();
  expect([three.goesOn, three.isFirstFailure]).toEqual([true, true]);
  const endless = retriesOf({ maxfail: 0 });
  for (let times = 0; times < 100; times++) endless.begin();
  expect(endless.goesOn).toBe(true);
});

test("the next attempt waits for holdoff, unless the line hung up or a limit ended the link", () => {
  const retries = retriesOf();
  retries.begin();
  expect(retries.waitMs(Exit.NEGOTIATION, 5000)).toBe(30_000);
  retries.skipHoldoff();
  expect(retries.waitMs(Exit.HANGUP, 5000)).toBe(0);
  retries.begin();
  expect(retries.waitMs(Exit.NEGOTIATION, 5000)).toBe(30_000);
});

test("an attempt that ends at once is repeated once a second at most", () => {
  const port = retriesOf({ holdoff: 0 });
  port.begin();
  expect(port.waitMs(Exit.OPEN, 200)).toBe(800);
  expect(port.waitMs(Exit.NEGOTIATION, 200)).toBe(0);
  const program = retriesOf({ holdoff: 0, device: undefined });
  program.begin();
  expect(program.waitMs(Exit.HANGUP, 200)).toBe(800);
  program.succeeded();
  expect(program.waitMs(Exit.HANGUP, 200)).toBe(0);
});
