// nullmodem log: what it prints for given sessions.

import { beforeEach, expect, test } from "bun:test";
import { log } from "../../src/commands/session-log.ts";
import { NO_TRAFFIC } from "../../src/link/counters.ts";
import type { Status } from "../../src/run/live/published-status.ts";
import type { SessionRecord } from "../../src/record/session-record.ts";

const BEGAN = new Date(2026, 10, 30, 21, 5).getTime();
const UP: SessionRecord = {
  began: BEGAN,
  pid: 812,
  device: "/dev/ttyS0",
  seconds: 7500,
  interface: "ppp0",
  linkname: "lap",
  peer: "zaphod",
  our: "192.168.0.1",
  their: "192.168.1.1",
  in: 1_234_567,
  out: 999,
  bad: 3,
};
const ENDED = { ...UP, exit: 16 };
const FAILED: SessionRecord = {
  began: BEGAN,
  pid: 9,
  device: "10.0.0.1:5000",
  seconds: 60,
  exit: 10,
  failures: 7,
  in: 0,
  out: 0,
  bad: 0,
};

let printed = "";
let links: Status[] = [];
beforeEach(() => void (printed = ""));

function hostOf(sessions: readonly SessionRecord[], isUp = false) {
  return {
    sessions: () => [...sessions],
    isUp: () => isUp,
    links: () => links,
    print: (text: string) => void (printed += text),
  };
}

test("a line for each session tells when, who, how much and why it ended", async () => {
  expect(await log([], hostOf([ENDED, FAILED]))).toBe(0);
  expect(printed).toBe(
    [
      "began             link  port           peer    lasted     in      out    end\n",
      "2026-11-30 21:05  ppp0  ttyS0          zaphod  2 h 5 min  1.2 MB  999 B  the other end has ended it\n",
      "2026-11-30 21:05  -     10.0.0.1:5000  -       60 s       0 B     0 B    ",
      "not up, 7 times: the two ends did not agree, or the other end did not answer\n",
    ].join(""),
  );
});

test("a session without an end is up, or was cut short", async () => {
  await log([], hostOf([UP], true));
  expect(printed).toEndWith("still up\n");
  await log([], hostOf([UP]));
  expect(printed).toEndWith("cut short: pppd was killed, or the power failed\n");
});

test("of two sessions of a process on a device without an end, only the later one is up", async () => {
  await log([], hostOf([UP, { ...UP, began: BEGAN + 60_000 }], true));
  expect(printed.match(/still up|cut short/g)).toEqual(["cut short", "still up"]);
});

test("of a link that is up, the present numbers are shown", async () => {
  const counters = { received: { ...NO_TRAFFIC, bytes: 9_000_000 }, sent: { ...NO_TRAFFIC, bytes: 10 } };
  const ipv4 = { our: "10.0.0.1", peer: "10.0.0.2" };
  links = [
    { interface: "ppp0", pid: 812, namespace: "", mtu: 1500, up: 9000, compression: {}, counters, ipv4, lines: [] },
  ];
  await log(["--json"], hostOf([{ ...UP, peer: undefined, their: "fe80::1" }], true));
  expect(JSON.parse(printed)).toMatchObject([{ seconds: 9000, in: 9_000_000, out: 999, their: "10.0.0.2", up: true }]);
  links = [];
});

test("a name is an interface, a linkname, a port or a user", async () => {
  const bundle = { ...ENDED, device: "/dev/ttyS0 /dev/ttyS1" };
  for (const name of ["ppp0", "lap", "ttyS0", "/dev/ttyS0", "zaphod", "ttyS1"])
    expect([name, await log([name], hostOf([bundle]))]).toEqual([name, 0]);
  expect(await log(["ppp1"], hostOf([bundle]))).toBe(1);
});

test("so many of the latest are shown, and wrong words are refused", async () => {
  const many = Array.from({ length: 60 }, (_, at) => ({ ...ENDED, began: BEGAN + at * 60_000 }));
  const countOf = async (...words: string[]): Promise<number> => {
    printed = "";
    await log(words, hostOf(many));
    return printed.trimEnd().split("\n").length;
  };
  expect([await countOf(), await countOf("-n", "3"), await countOf("--number=2"), await countOf("-n0")]).toEqual([
    51, 4, 3, 61,
  ]);
  for (const words of [["-n"], ["-n", "x"], ["--since"], ["--number=-1"]])
    expect(await log(words, hostOf(many))).toBe(2);
});

test("users have the sums of their sessions; attempts that failed are none", async () => {
  await log(
    ["--users"],
    hostOf([ENDED, { ...ENDED, began: BEGAN + 86_400_000 }, FAILED, { ...ENDED, peer: undefined }]),
  );
  expect(printed.split("\n")).toEqual([
    "zaphod     2 sessions  4 h 10 min  2.5 MB in  2.0 kB out  last 2026-12-01 21:05",
    "(no name)  1 session   2 h 5 min   1.2 MB in  999 B out   last 2026-11-30 21:05",
    "",
  ]);
});

test("--json has the facts and the end in words, without the samples", async () => {
  await log(["--json"], hostOf([{ ...ENDED, samples: { every: 1, in: [1], out: [1], bad: [0], rtt: [-1] } }]));
  expect(JSON.parse(printed)).toEqual([{ ...ENDED, up: false, end: "the other end has ended it" }]);
});

test("a name with control characters reaches no terminal", async () => {
  await log([], hostOf([{ ...ENDED, peer: "\x1b[2Jx" }]));
  expect(printed).toContain("\\x1b[2Jx");
  await log(["--json"], hostOf([{ ...ENDED, peer: "\x1b\u{dce9}" }]));
  expect(printed).not.toContain("\x1b");
});
