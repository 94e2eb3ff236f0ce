// The screen of status --watch, in simulated time: what it shows, what the keys do, and how much it writes.

import { expect, test } from "bun:test";
import { terminalKind } from "../../../src/commands/watch/terminal-kind.ts";
import { MOST_A_SECOND, Watcher } from "../../../src/commands/watch/watcher.ts";
import type { Status } from "../../../src/run/live/published-status.ts";
import { Rng } from "../../kit/rng.ts";
import { SmallTerminal } from "../../kit/small-terminal.ts";
import { FULL_LINE, FULL_STATUS } from "../full-status.ts";

const XTERM = { TERM: "xterm-256color", LANG: "C.UTF-8" };

/** Links whose numbers all change each second. */
function busyLinks(count: number, second: number, rng: Rng): Status[] {
  return Array.from({ length: count }, (_, at) => ({
    ...FULL_STATUS,
    interface: `ppp${at}`,
    pid: 800 + at,
    up: 100 + second,
    counters: {
      received: { ...FULL_STATUS.counters.received, bytes: second * 11_000 + rng.below(3000), packets: second * 17 },
      sent: { ...FULL_STATUS.counters.sent, bytes: second * 900 + rng.below(900), packets: second * 9 },
    },
    queue: { ...FULL_STATUS.queue!, octets: rng.below(20_000), packets: rng.below(20) },
    lines: [
      {
        ...FULL_LINE,
        badFcs: second,
        waiting: rng.below(2000),
        roundTrip: { ...FULL_LINE.roundTrip!, last: rng.below(90), answered: second, seconds: 0 },
      },
    ],
  }));
}

function scene(
  env: Record<string, string>,
  size: { columns: number; rows: number },
  links: (second: number) => Status[],
) {
  let now = 0;
  let timers: { at: number; call: () => void }[] = [];
  const written: { at: number; octets: number }[] = [];
  const terminal = new SmallTerminal(size.columns, size.rows);
  const asked: string[] = [];
  const state = { takes: Infinity, isGone: false, stopped: 0, refusal: "" };
  const watcher = new Watcher(
    {
      size,
      queued: 0,
      write(octets) {
        if (state.isGone) return -1;
        const taken = octets.subarray(0, state.takes);
        terminal.take(Buffer.from(taken).toString());
        written.push({ at: now, octets: taken.length });
        return taken.length;
      },
      links: () => links(Math.floor(now / 1000)),
      now: () => now,
      after(milliseconds, call) {
        const timer = { at: now + milliseconds, call };
        timers.push(timer);
        return () => void (timers = timers.filter((one) => one !== timer));
      },
      commands: {
        async hangUp({ interface: name }) {
          asked.push(`hangup ${name}`);
          return `${name} hangs up`;
        },
        async capture({ interface: name }) {
          if (state.refusal !== "") throw new Error(state.refusal);
          asked.push(`capture ${name}`);
          return { path: `/tmp/${name}.pcapng`, stop: () => void state.stopped++ };
        },
      },
    },
    terminalKind(env, true),
  );
  const run = (milliseconds: number): void => {
    const until = now + milliseconds;
    for (;;) {
      timers.sort((one, other) => one.at - other.at);
      const [next] = timers;
      if (next === undefined || next.at > until) break;
      timers.shift();
      now = Math.max(now, next.at);
      next.call();
    }
    now = until;
  };
  /** The most octets in any second. */
  const most = (): number =>
    Math.max(
      ...written.map(({ at }) =>
        written.filter((one) => one.at >= at && one.at < at + 1000).reduce((sum, { octets }) => sum + octets, 0),
      ),
    );
  watcher.start();
  return { watcher, terminal, run, most, written, asked, state, text: () => terminal.text.join("\n") };
}

test.each([
  [80, 24, 1],
  [80, 24, 40],
  [120, 40, 5],
  [200, 50, 60],
])("at %dx%d with %d busy links, it writes 2 kB in a second at most, and is complete", (columns, rows, count) => {
  const rng = new Rng(columns + count);
  const play = scene(XTERM, { columns, rows }, (second) => busyLinks(count, second, rng));
  play.run(20_000);
  play.watcher.take("\r");
  play.run(20_000);
  expect(play.most()).toBeLessThanOrEqual(MOST_A_SECOND);
  expect(play.terminal.strange).toEqual([]);
  expect(play.terminal.isAlternate).toBe(true);
  expect(play.text()).toContain(`${count} of ${count} up`);
  expect(play.text()).toContain("arrows choose");
  play.watcher.end();
  expect(play.most()).toBeLessThanOrEqual(MOST_A_SECOND + 40);
  expect([play.terminal.isAlternate, play.terminal.cursorIsHidden]).toEqual([false, false]);
});

test("at 80x24 a busy link costs less than a kilobyte a second once the screen is there", () => {
  const rng = new Rng(3);
  const play = scene(XTERM, { columns: 80, rows: 24 }, (second) => busyLinks(1, second, rng));
  play.run(10_000);
  const before = play.written.length;
  play.run(60_000);
  const octets = play.written.slice(before).reduce((sum, one) => sum + one.octets, 0);
  expect(octets / 60).toBeLessThan(1000);
});

test("a link has its facts on the screen", () => {
  const play = scene(XTERM, { columns: 80, rows: 24 }, () => [FULL_STATUS]);
  play.run(4000);
  for (const text of [
    "ppp0      up 1 h 2 min, peer zaphod, linkname lap, pid 812",
    "IPv4      192.168.0.1 to 192.168.1.1, MTU 1500",
    "/dev/ttyS0 at 921600 (climbed from 115200), network",
    "signals   DTR RTS CTS DSR dcd ri",
    "MRU 1500, ACCM 0 in and a0000 out, fields pcomp+accomp",
    "peer proved by chap-md5, we proved by pap",
    "multilink MRRU 1500 in and 1600 out, interleaved",
    "compress  in Deflate (15), out Deflate (15); VJ in",
    "echo      12.3 ms (least 9.5, mean 11.3), 2 lost",
    "errors    3 wrong FCS, 1 too short, 2 aborted",
    "queue     12 (18.0 kB), 3 dropped, 4 marked",
  ])
    expect(play.text()).toContain(text);
  const tall = scene(XTERM, { columns: 120, rows: 40 }, () => [FULL_STATUS]);
  tall.run(4000);
  expect(tall.text()).toContain(
    "to peer   [#####---------------] of 1.2 MB, 11.0 kB/s, 1 min 22 s left  pub/notes.txt",
  );
  expect(tall.text()).toContain("TCP       3 open, 9 closed");
});

test("a second c before the capture has begun begins no other, and a capture that begins after the end is stopped", async () => {
  const play = scene(XTERM, { columns: 80, rows: 24 }, () => [FULL_STATUS]);
  play.run(1000);
  play.watcher.take("cc");
  await Promise.resolve();
  await Promise.resolve();
  expect(play.asked).toEqual(["capture ppp0"]);
  play.watcher.take("c");
  expect(play.state.stopped).toBe(1);
  const ending = scene(XTERM, { columns: 80, rows: 24 }, () => [FULL_STATUS]);
  ending.run(1000);
  ending.watcher.take("c");
  ending.watcher.take("q");
  await ending.watcher.ended;
  await Promise.resolve();
  expect(ending.state.stopped).toBe(1);
});

test("keys choose, open, hang up after a question, and capture until the same key ends it", async () => {
  const links = [FULL_STATUS, { ...FULL_STATUS, interface: "ppp1", pid: 813, peer: "ford" }];
  const play = scene(XTERM, { columns: 80, rows: 24 }, () => links);
  play.run(3000);
  expect(play.text()).toMatch(/^ ppp0 +up 1 h 2 min/m);
  play.watcher.take("h");
  play.run(1000);
  expect(play.terminal.text.at(-1)).toBe(" Hang up ppp0? y/n");
  play.watcher.take("n");
  play.watcher.take("\x1b[B");
  play.watcher.take("h\x1b[?2026;2$yy");
  await Promise.resolve();
  expect(play.asked).toEqual(["hangup ppp1"]);
  play.watcher.take("c");
  await Promise.resolve();
  await Promise.resolve();
  play.run(2000);
  expect(play.terminal.text.at(-1)).toBe(" ppp1 is captured to /tmp/ppp1.pcapng; c ends that");
  play.watcher.take("c");
  expect(play.state.stopped).toBe(1);
  play.state.refusal = "Only root may\x1b[2J do it";
  play.watcher.take("kc");
  await Promise.resolve();
  play.run(2000);
  expect(play.terminal.text.at(-1)).toBe(" Only root may\\x1b[2J do it");
  play.watcher.take("q");
  await play.watcher.ended;
});

test("a link that goes is no longer there, and the next one is chosen", () => {
  let links = ["ppp0", "ppp1", "ppp2"].map((name) => ({ ...FULL_STATUS, interface: name }));
  const play = scene(XTERM, { columns: 120, rows: 40 }, () => links);
  play.watcher.take("j");
  play.run(3000);
  links = links.filter(({ interface: name }) => name !== "ppp1");
  play.run(3000);
  expect(play.text()).not.toContain("ppp1");
  expect(play.text()).toContain(" ppp2      up");
  links = [];
  play.run(3000);
  expect(play.text()).toContain("no link is running");
});

test("what a peer says is shown as characters, in ASCII where the locale has no more", () => {
  const peer = "\x1b]0;owned\x07ünï\u202e";
  const play = scene({ TERM: "vt100", LANG: "C" }, { columns: 80, rows: 24 }, () => [{ ...FULL_STATUS, peer }]);
  play.run(4000);
  expect(play.terminal.strange).toEqual([]);
  expect(play.text()).toContain("peer \\x1b]0;owned\\x07?n?\\xe2\\x80\\xae,");
  expect(play.text()).toMatch(/^[\x20-\x7e\n]*$/);
  expect(play.terminal.isAlternate).toBe(false);
});

test("a terminal that takes little gets the rest later, and one that is gone ends it", async () => {
  const play = scene(XTERM, { columns: 80, rows: 24 }, () => [FULL_STATUS]);
  play.state.takes = 50;
  play.run(60_000);
  expect(play.text()).toContain("arrows choose");
  play.state.isGone = true;
  play.watcher.redraw();
  await play.watcher.ended;
});

test("a fault of ours ends it, so that the terminal is given back", async () => {
  const play = scene(XTERM, { columns: 80, rows: 24 }, (second) => {
    if (second >= 3) throw new Error("a fault");
    return [FULL_STATUS];
  });
  const ended = play.watcher.ended.catch((fault: unknown) => String(fault));
  play.run(5000);
  expect(await ended).toBe("Error: a fault");
});

test("updates are whole where the terminal has said that it can", () => {
  const play = scene(XTERM, { columns: 80, rows: 24 }, () => [FULL_STATUS]);
  play.run(5000);
  const texts: string[] = [];
  const { take } = play.terminal;
  play.terminal.take = (text: string): void => {
    texts.push(text);
    take.call(play.terminal, text);
  };
  play.watcher.take("\x1b[?2026;2$y");
  play.watcher.take("?");
  expect(texts.at(-1)).toStartWith("\x1b[?2026h");
  expect(texts.at(-1)).toEndWith("\x1b[?2026l");
});
