import { expect, test } from "bun:test";
import type { Networks } from "../../../src/link/networks.ts";
import type { Config } from "../../../src/options/config.ts";
import { Exit } from "../../../src/run/exit.ts";
import type { Log } from "../../../src/run/log.ts";
import { Limits } from "../../../src/run/session/limits.ts";
import type { OptionsInForce } from "../../../src/run/settings/options-in-force.ts";

const NONE = { idle: 0, maxconnect: 0, maxoctets: 0, moTimeout: 1, moDirection: "sum", plugins: [], minconnect: 0 };

function limitsOf(config: object, traffic = {}) {
  const said: string[] = [];
  const networks = { up: true, traffic: { octetsIn: 0, octetsOut: 0, lastAt: 0, ...traffic } };
  const options = { config: { ...NONE, ...config } as unknown as Config } as OptionsInForce;
  const log = { write: (_: string, text: string) => void said.push(text) } as unknown as Log;
  return { limits: new Limits(options, log, networks as unknown as Networks), networks, said };
}

test("there is no deadline without a limit, nor before a network protocol is up", () => {
  expect(limitsOf({}).limits.nextDeadline()).toBe(Infinity);
  const { limits, networks } = limitsOf({ idle: 5, maxconnect: 60, maxoctets: 9 });
  networks.up = false;
  expect(limits.nextDeadline()).toBe(Infinity);
});

test("the idle limit counts from the last packet, and minconn.so postpones it", () => {
  const { limits, networks, said } = limitsOf({ idle: 5 });
  limits.started(1000);
  networks.traffic.lastAt = 3000;
  expect(limits.nextDeadline()).toBe(8000);
  expect(limits.reached(7999)).toBeUndefined();
  expect(limits.reached(8000)).toEqual({ exit: Exit.IDLE, reason: "Link inactive" });
  expect(said).toEqual(["Terminating connection due to lack of activity."]);
  const later = limitsOf({ idle: 5, plugins: ["minconn.so"], minconnect: 20 }).limits;
  later.started(1000);
  expect(later.nextDeadline()).toBe(21000);
});

test("a limit is reached once, however long the link needs to end, and again when it has come up again", () => {
  const { limits, said } = limitsOf({ idle: 5 });
  limits.started(1000);
  expect(limits.reached(8000)?.exit).toBe(Exit.IDLE);
  expect(limits.nextDeadline()).toBe(Infinity);
  limits.started(9000);
  expect(limits.nextDeadline()).toBe(5000);
  expect(said).toHaveLength(1);
});

test("the time of maxconnect runs from the first protocol that came up, and anew after all were down", () => {
  const { limits } = limitsOf({ maxconnect: 60 });
  limits.started(1000);
  expect(limits.nextDeadline()).toBe(61000);
  expect(limits.reached(60999)).toBeUndefined();
  expect(limits.reached(61000)?.exit).toBe(Exit.CONNECT_TIME);
  limits.started(70000);
  expect(limits.reached(70000)).toBeUndefined();
  expect(limits.nextDeadline()).toBe(130000);
});

test.each([
  ["sum", 30],
  ["in", 10],
  ["out", 20],
  ["max", 20],
])("maxoctets counts %s, and is looked at every mo-timeout", (moDirection, octets) => {
  const traffic = { octetsIn: 10, octetsOut: 20 };
  const { limits } = limitsOf({ maxoctets: octets, moTimeout: 3, moDirection }, traffic);
  limits.started(1000);
  expect(limits.nextDeadline()).toBe(4000);
  expect(limits.reached(4000)).toBeUndefined();
  expect(limits.nextDeadline()).toBe(7000);
  const { limits: exceeded, said } = limitsOf({ maxoctets: octets - 1, moTimeout: 3, moDirection }, traffic);
  expect(exceeded.reached(0)?.exit).toBe(Exit.TRAFFIC_LIMIT);
  expect(said).toEqual([`Traffic limit reached. Limit: ${octets - 1} Used: ${octets}`]);
});
