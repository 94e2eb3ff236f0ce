// Statuses that another program has made, with other types in any place: nothing that shows them throws.

import { expect, test } from "bun:test";
import { prometheusText } from "../../src/commands/prometheus.ts";
import { status } from "../../src/commands/status.ts";
import { terminalKind } from "../../src/commands/watch/terminal-kind.ts";
import { watchLines } from "../../src/commands/watch/watch-lines.ts";
import { WatchState } from "../../src/commands/watch/watch-state.ts";
import { drawScreen } from "../../src/commands/watch/watch-view.ts";
import { parseStatus } from "../../src/run/live/parsed-status.ts";
import type { Status } from "../../src/run/live/published-status.ts";
import { Rng } from "../kit/rng.ts";
import { FULL_LINE, FULL_STATUS } from "./full-status.ts";

const KIND = terminalKind({ TERM: "xterm-256color", LANG: "C.UTF-8" }, true);
const VALUES = [null, 5, -1, 0.5, 1e308, "", "text", "a\u001b\u0085\ud800", true, [], {}, [null], { our: 5 }, "DELETE"];

/** The same with other values in some places. */
function spoilt(value: unknown, rng: Rng): unknown {
  if (rng.below(12) === 0) return VALUES[rng.below(VALUES.length)];
  if (Array.isArray(value)) return value.map((one) => spoilt(one, rng));
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).map(([name, one]) => [name, spoilt(one, rng)] as const);
  return Object.fromEntries(fields.filter(([, one]) => one !== "DELETE"));
}

/** With what is needed for a status, so that most are shown. */
function madeStatus(rng: Rng): Status | undefined {
  const { interface: name, pid, namespace, counters } = FULL_STATUS;
  const lines = [FULL_LINE, FULL_LINE, FULL_LINE];
  const some = { ...(spoilt({ ...FULL_STATUS, lines: [] }, rng) as object), interface: name, pid, namespace, counters };
  const all = rng.below(4) === 0 ? spoilt({ ...FULL_STATUS, lines }, rng) : { ...some, lines: spoilt(lines, rng) };
  return parseStatus(JSON.stringify(all));
}

async function show(links: readonly Status[]): Promise<void> {
  prometheusText(links);
  for (const words of [[], ["--json"], ["ppp0"]])
    await status(words, {
      links: () => [...links],
      hasLeftChanges: () => false,
      sleep: async () => 1000,
      print: () => {},
    });
  const state = new WatchState();
  for (const second of [0, 1, 2]) state.take(links, second * 1000);
  for (const key of ["enter", "enter"] as const) {
    for (const [columns, rows] of [
      [80, 24],
      [200, 60],
    ] as const)
      drawScreen(state, { columns, rows }, KIND, 3000);
    state.press(key, 3000);
  }
  await watchLines(() => links, { why: "", isSignalled: Promise.resolve(), print: () => {} });
}

test("whatever the types in a status are, text, JSON, metrics and the screen show it", async () => {
  const rng = new Rng(2026);
  let shown = 0;
  for (let round = 0; round < 400; round++) {
    const links = [madeStatus(rng), madeStatus(rng)].filter((link) => link !== undefined);
    shown += links.length;
    await show(links);
  }
  expect(shown).toBeGreaterThan(300);
});

test("a part of another type is missing, and a line without its numbers has them as 0", async () => {
  const made = { ...FULL_STATUS, ipv4: null, peer: 5, up: "long", mtu: "x", compression: { receive: 1 }, sharing: {} };
  const link = parseStatus(JSON.stringify({ ...made, lines: [{ device: "/dev/ttyS0", silent: "no" }, {}, null] }))!;
  const { ipv4, peer, up, mtu, compression, sharing, lines } = link;
  expect({ ipv4, peer, up, mtu, compression, sharing }).toEqual({
    ipv4: undefined,
    peer: undefined,
    up: undefined,
    mtu: 0,
    compression: {},
    sharing: undefined,
  });
  expect(lines).toMatchObject([{ device: "/dev/ttyS0", phase: "dead", speed: 0, framesSent: 0, badFcs: 0 }]);
  expect(lines[0]).not.toHaveProperty("silent");
  await show([link]);
  expect(parseStatus(JSON.stringify(FULL_STATUS))).toEqual(FULL_STATUS);
});
