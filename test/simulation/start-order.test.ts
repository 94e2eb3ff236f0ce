// Two ends that start at different times: how long it takes until the link is up after the later one is ready.

import { expect, test } from "bun:test";
import { Laplink } from "./laplink.ts";

const OPTIONS = ["/dev/ttyUSB0", "noauth", "nodetach", "debug", "local"];
const LONGEST_MS = 3000;

function begin(words: readonly string[], firstWords: readonly string[]) {
  const link = new Laplink({ seed: 1, isFull: false });
  const start = (side: 0 | 1) =>
    link.computers[side].start([
      ...OPTIONS,
      ...words,
      ...(side === 0 ? ["10.0.0.1:10.0.0.2", ...firstWords] : ["ipcp-accept-local", "noipdefault"]),
    ]);
  return { link, time: link.time, start };
}

/** Starts the second computer `offsetMs` after the first, or before it. */
function meet(offsetMs: number, words: readonly string[], firstWords: readonly string[] = []) {
  const { link, time, start } = begin(words, firstWords);
  const first = offsetMs < 0 ? 1 : 0;
  const one = start(first);
  time.run(Math.abs(offsetMs));
  const other = start(first === 0 ? 1 : 0);
  const began = time.now;
  expect(time.runUntil(() => link.isUp, 30_000)).toBe(true);
  const requests = [one, other].map(({ lines }) => lines.filter((line) => /^sent \[\w+ ConfReq/.test(line)));
  return { tookMs: time.now - began, requests };
}

/** The time that is enough for 95 % of all offsets. */
function enough(words: readonly string[], firstWords: readonly string[]): number {
  const all: number[] = [];
  for (let offset = -LONGEST_MS; offset <= LONGEST_MS; offset += 130) all.push(meet(offset, words, firstWords).tookMs);
  return all.toSorted((one, other) => one - other)[Math.floor(0.95 * all.length)]!;
}

test("at 115200 the link is up within 0.3 s of the later start for 95 % of all offsets, silent or not", () => {
  expect(enough(["115200"], [])).toBeLessThan(300);
  expect(enough(["115200", "lcp-restart", "30"], ["silent"])).toBeLessThan(300);
}, 30_000);

test.each([2400, 9600, 115200])("at %d no request is repeated to a peer that answers", (speed) => {
  for (const { requests } of [meet(100, [String(speed)], ["silent"]), meet(0, [String(speed)])])
    for (const all of requests) expect(new Set(all).size).toBe(all.length);
});

test("a peer that was reset is back within 0.1 s of its first octet", () => {
  const { link, time, start } = begin(["115200"], []);
  start(0);
  const before = start(1);
  expect(time.runUntil(() => link.isUp, 10_000)).toBe(true);
  time.run(5000);
  before.kill();
  time.run(700);
  const after = start(1);
  const isUp = (): boolean => after.lines.some((line) => line.startsWith("remote IP address"));
  expect(time.runUntil(() => after.lines.some((line) => line.startsWith("sent [LCP")), 10_000)).toBe(true);
  const began = time.now;
  expect(time.runUntil(isUp, 10_000)).toBe(true);
  expect(time.now - began).toBeLessThan(100);
});
