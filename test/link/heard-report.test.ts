// When a link whose LCP has not opened reports what it received, in the times of a test of a new cable.

import { isLcpOpen } from "../kit/lcp-open.ts";
import { expect, test } from "bun:test";
import { bytesOf } from "../../src/bytes/text.ts";
import { linkConfig, Pair, Side } from "../kit/pair.ts";
import { Rng } from "../kit/rng.ts";
import { pppFormat, received } from "../kit/uart.ts";

const QUIET = "Heard nothing for 3 s; still sending Configure-Requests";
const QUIET_SILENT =
  "Heard nothing for 3 s; the silent option waits for the peer to begin, and two silent ends wait for ever";
const NOISE = /^Heard \d+ octets, but neither PPP nor text: the peer probably uses another speed$/;

function side(silent = false, seed = 3): Side {
  const { lcp } = linkConfig();
  return new Side({ ...linkConfig(), lcp: { ...lcp, start: { silent } }, debug: 0 }, new Rng(seed));
}

/** Lets its timers run until this time. */
function runTo(one: Side, end: number): void {
  for (let at; (at = one.link.nextTimeout()) <= end && at < Infinity; one.collect()) one.link.handleTimeout(at);
  one.collect();
}

const heard = ({ lines }: Side): string[] => lines.filter((line) => line.startsWith("Heard"));

/** Two ends whose ports have these speeds, for a minute. */
function apart(client: { speed: number; silent?: boolean }, server: { speed: number; silent?: boolean }) {
  const ends = [client, server].map((end, nth) => ({ ...end, side: side(end.silent ?? false, nth) }));
  for (const end of ends) end.side.link.open(0);
  for (let now = 0; now <= 60_000;) {
    for (const [from, to] of [ends, ends.toReversed()]) {
      const said = from!.side.drain(now);
      to!.side.take(received(said, pppFormat(from!.speed), pppFormat(to!.speed)).octets, now);
    }
    now = Math.min(...ends.map((end) => end.side.link.nextTimeout()));
    for (const end of ends) runTo(end.side, now);
  }
  return ends.map((end) => heard(end.side));
}

test("the HOWTO's client and server at different speeds: the client names it, and the silent server does, once", () => {
  for (const [slow, fast] of [
    [57600, 115200],
    [9600, 57600],
  ] as const)
    for (const [client, server] of [
      [slow, fast],
      [fast, slow],
    ] as const) {
      const [ofClient, ofServer] = apart({ speed: client }, { speed: server, silent: true });
      expect(ofClient).toEqual([QUIET, expect.stringMatching(/^Heard nothing at all: .*at another speed$/)]);
      expect(ofServer).toEqual([expect.stringMatching(NOISE)]);
    }
});

test("when both ends are active, neither claims to know which one is slow", () => {
  for (const said of apart({ speed: 115200 }, { speed: 38400 }))
    expect(said).toEqual([expect.stringMatching(NOISE), expect.stringMatching(NOISE)]);
});

test("when both ends are silent, each says so at once and at the end", () => {
  for (const said of apart({ speed: 9600, silent: true }, { speed: 9600, silent: true }))
    expect(said).toEqual([QUIET_SILENT]);
  const one = side(true);
  one.link.open(0);
  one.link.close("User request", 1000);
  one.collect();
  expect(heard(one)).toEqual([expect.stringMatching(/at another speed, or both ends are silent$/)]);
});

test("after Ctrl-C, what was heard is said at once, and once", () => {
  const one = side();
  one.link.open(0);
  one.take(bytesOf("\r\nlaplink login: "), 500);
  one.link.close("User request", 1000);
  one.collect();
  const says = 'Heard text and no PPP, "laplink login:": a connect script that logs in is missing';
  expect(heard(one)).toEqual([says]);
  expect(one.has("unanswered")).toBe(true);
  runTo(one, 60_000);
  expect(one.has("terminated")).toBe(true);
  expect(heard(one)).toEqual([says]);
});

test("noise is explained three seconds after it begins, however long it was quiet before", () => {
  const one = side(true);
  one.link.open(0);
  runTo(one, 3000);
  expect(heard(one)).toEqual([QUIET_SILENT]);
  runTo(one, 600_000);
  for (let at = 600_000; at < 700_000; at += 1000) {
    runTo(one, at);
    expect(heard(one)).toHaveLength(at < 603_000 ? 1 : 2);
    one.take(bytesOf("CLIENT"), at);
  }
  expect(heard(one)[1]).toContain("a connect script that answers CLIENTSERVER is missing");
});

test("a line that hangs up says what came before, and nothing about a peer that had no time to answer", () => {
  const one = side();
  one.link.open(0);
  one.link.hangup(100);
  one.collect();
  expect(heard(one)).toEqual([]);
  const other = side();
  other.link.open(0);
  other.take(bytesOf("\r\nNO CARRIER\r\n"), 50);
  other.link.hangup(100);
  other.collect();
  expect(heard(other)).toEqual([expect.stringContaining("a connect script that dials is missing")]);
});

test("a looped line is reported as pppd does it, and not again at the end", () => {
  const one = side();
  one.link.open(0);
  while (!one.lines.includes("Serial line is looped back.")) one.take(one.drain(1), 1);
  runTo(one, 60_000);
  expect(one.has("terminated")).toBe(true);
  expect(heard(one)).toEqual([]);
});

test("a link that comes up says none of this, at once or later", () => {
  const link = new Pair(side(false, 1), side(true, 2));
  link.open();
  expect(link.run(() => isLcpOpen(link.a.link) && isLcpOpen(link.b.link))).toBe(true);
  for (const one of [link.a, link.b]) {
    expect(one.link.nextTimeout()).toBeGreaterThan(link.now);
    link.run(() => false, 10_000);
    one.link.close("User request", link.now);
    link.run(() => false, 60_000);
    expect(heard(one)).toEqual([]);
  }
});

test("to a login prompt, or an echo, only the restart timer repeats requests", () => {
  const { lcp } = linkConfig();
  const requestsTo = (answer: (said: Uint8Array) => Uint8Array): number[] => {
    const limits = { ...lcp.limits, eagerMs: 200 };
    const one = new Side({ ...linkConfig(), lcp: { ...lcp, limits } }, new Rng(3));
    const times: number[] = [];
    one.link.open(0);
    for (let now = 0; now < 10_000; runTo(one, now)) {
      const said = one.drain(now);
      if (said.length > 0) times.push(now);
      if (times.length === 3) one.take(answer(said), now + 1);
      now = one.link.nextTimeout();
    }
    return times;
  };
  const first = [0, 60, 180];
  expect(requestsTo(() => bytesOf("\r\nlaplink login: "))).toEqual([...first, 3000, 6000, 9000]);
  // As a modem that echoes: not every octet comes back, so that there is no frame.
  expect(requestsTo((said) => said.subarray(0, -3))).toEqual([...first, 3000, 6000, 9000]);
  expect(requestsTo(() => new Uint8Array(0)).length).toBeGreaterThan(25);
});
