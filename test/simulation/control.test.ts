// The verbs of `nullmodem ctl` on whole sessions: what each does, and that what it changes ends with the link.

import { expect, test } from "bun:test";
import type { ControlProgram } from "./control-program.ts";
import type { Pppd } from "./computer.ts";
import { Laplink } from "./laplink.ts";
import { Served } from "./served.ts";

const LINE = ["/dev/ttyUSB0", "115200", "local", "noauth", "nodetach", "noccp", "noipv6"];
const ADDRESSES = "192.168.0.1:192.168.1.1";
const PERSIST = ["persist", "maxfail", "0", "holdoff", "600"];
/** The peer, which is there again at once. */
const THERE = [...LINE, "noipdefault", "persist", "maxfail", "0", "holdoff", "0"];

interface Scene {
  readonly link: Laplink;
  readonly pppd: Pppd;
  readonly peer: Pppd;
  readonly ctl: ControlProgram;
}

function until(link: Laplink, isDone: () => boolean, what = "what was waited for"): void {
  if (!link.time.runUntil(isDone, 300_000)) throw new Error(`${what} did not come:\n${link.transcript}`);
}

/** A link that is up, and a program that controls one end. */
function scene(words: readonly string[], peerWords: readonly string[] = THERE, cables = 1): Scene {
  const link = new Laplink({ seed: 7, cables });
  const [a, b] = link.computers;
  b.files.put("/etc/ppp/chap-secrets", "zaphod * x *\n", 0o600);
  const peer = b.start(peerWords);
  const pppd = a.start(words);
  until(link, () => link.isUp, "the link");
  link.time.run(1000);
  return { link, pppd, peer, ctl: pppd.controller() };
}

/** Asks, and returns the answer. */
function ask({ link, ctl }: Pick<Scene, "link" | "ctl">, verb: string, name: string, ...words: string[]): unknown {
  const { length } = ctl.answers;
  ctl.ask(verb, name, ...words);
  until(link, () => ctl.answers.length > length, "the answer");
  return ctl.answers.at(-1);
}

const DONE = { ok: true };
const refused = (error: string): unknown => ({ ok: false, error });

function countOf({ lines }: Pppd, text: string): number {
  return lines.filter((line) => line.startsWith(text)).length;
}

/** The link goes down and comes up again within so many milliseconds. */
function comesAgain({ link, pppd }: Scene, ms = 60_000): void {
  const before = countOf(pppd, "remote IP address");
  const isAgain = (): boolean => countOf(pppd, "remote IP address") > before && link.isUp;
  if (!link.time.runUntil(isAgain, ms)) throw new Error(`the link does not come again:\n${link.transcript}`);
}

/** Packets pass both ways. */
function passes({ link }: Scene): void {
  link.time.run(2000);
  for (const traffic of link.traffic) {
    const before = traffic.received;
    traffic.probe();
    until(link, () => traffic.received > before, "a packet");
    expect(traffic.fault).toBeUndefined();
  }
}

test("hangup ends a pppd without persist as SIGHUP does", () => {
  const it = scene([...LINE, ADDRESSES]);
  expect(ask(it, "hangup", "ppp0")).toEqual(DONE);
  until(it.link, () => it.pppd.exitCode !== undefined);
  expect([it.pppd.exitCode, it.pppd.fault]).toEqual([5, undefined]);
  expect(it.pppd.lines).toContain("Control: hangup (uid 0)");
  expect(it.pppd.lines).toContain("Connection terminated.");
  expect(it.peer.lines).toContain("LCP terminated by peer (User request)");
});

test("hangup with persist leads to the next attempt without holdoff, as SIGHUP does", () => {
  const it = scene([...LINE, ADDRESSES, ...PERSIST, "linkname", "office"]);
  expect(ask(it, "hangup", "office")).toEqual(DONE);
  comesAgain(it);
  expect(countOf(it.pppd, "Connect: ppp0")).toBe(2);
});

test("quit ends pppd although it has persist", () => {
  const it = scene([...LINE, ADDRESSES, ...PERSIST]);
  expect(ask(it, "quit", "ttyUSB0")).toEqual(DONE);
  until(it.link, () => it.pppd.exitCode !== undefined);
  expect([it.pppd.exitCode, it.pppd.fault]).toEqual([5, undefined]);
});

test("redial begins the next link at once, also without persist", () => {
  const it = scene([...LINE, ADDRESSES]);
  for (let time = 0; time < 2; time++) {
    expect(ask(it, "redial", "/dev/ttyUSB0")).toEqual(DONE);
    comesAgain(it, 10_000);
  }
  passes(it);
  expect(it.pppd.isRunning).toBe(true);
});

test("redial ends a holdoff, and the link is known by its device meanwhile", () => {
  const it = scene([...LINE, ADDRESSES, ...PERSIST]);
  it.peer.signal("SIGTERM");
  until(it.link, () => countOf(it.pppd, "Connection terminated.") === 1 && it.peer.exitCode !== undefined);
  it.link.time.run(5000);
  expect(it.ctl.states).toEqual({ "/dev/ttyUSB0": "waiting" });
  expect(ask(it, "renegotiate", "ttyUSB0")).toEqual(refused("The link is not up"));
  expect(ask(it, "datarate", "ttyUSB0", "1000")).toEqual(refused("There is no link"));
  expect(ask(it, "debug", "ttyUSB0", "on")).toEqual(refused("There is no link"));
  it.link.computers[1].start(THERE);
  expect(ask(it, "redial", "ttyUSB0")).toEqual(DONE);
  comesAgain(it, 10_000);
});

test("redial ends a connect script that hangs, and runs it again", () => {
  const link = new Laplink({ seed: 7 });
  const pppd = link.computers[0].start([...LINE, ADDRESSES, "connect", "sleep infinity"]);
  const ctl = pppd.controller();
  link.time.run(5000);
  expect(ctl.states).toEqual({ "/dev/ttyUSB0": "opening" });
  expect(ask({ link, ctl }, "redial", "ttyUSB0")).toEqual(DONE);
  link.time.run(5000);
  expect(countOf(pppd, "Connect script failed")).toBe(1);
  expect(ctl.states).toEqual({ "/dev/ttyUSB0": "opening" });
  expect(ask({ link, ctl }, "hangup", "ttyUSB0")).toEqual(DONE);
  until(link, () => pppd.exitCode !== undefined);
  expect([pppd.exitCode, pppd.fault]).toEqual([8, undefined]);
});

test("with demand, redial needs no traffic, and hangup has nothing to end before that", () => {
  const link = new Laplink({ seed: 7 });
  const [a, b] = link.computers;
  const peer = b.start(THERE);
  const pppd = a.start([...LINE, ADDRESSES, "demand", "connect", "sleep 0.1"]);
  const ctl = pppd.controller();
  link.time.run(5000);
  expect(ctl.states).toEqual({ "/dev/ttyUSB0": "standby" });
  expect(ask({ link, ctl }, "hangup", "ppp0")).toEqual(
    refused("There is no link to hang up: the interface waits for traffic"),
  );
  for (let time = 1; time <= 2; time++) {
    expect(ask({ link, ctl }, "redial", "ppp0")).toEqual(DONE);
    until(link, () => countOf(peer, "remote IP address") === time, "the link");
    expect(countOf(pppd, "Starting link")).toBe(time);
  }
  link.time.run(1000);
  expect(ask({ link, ctl }, "hangup", "ppp0")).toEqual(DONE);
  until(link, () => countOf(pppd, "Connection terminated.") === 2);
});

test.each([
  [[], []],
  [["silent"], []],
  [[], ["passive"]],
  [["interleave"], ["interleave"]],
  [
    ["fcs", "32", "lqr-interval", "1"],
    ["fcs", "32"],
  ],
  [["deflate", "15"], []],
  [
    ["user", "zaphod", "password", "x", "require-mppe-128"],
    ["name", "server", "require-mschap-v2", "require-mppe-128"],
  ],
])("renegotiate brings the link up again with %j and %j, and its interface stays", (words, peerWords) => {
  const isCompressed = words.length > 1;
  const line = (all: readonly string[]): string[] => all.filter((word) => word !== "noccp" || !isCompressed);
  const it = scene([...line(LINE), ADDRESSES, ...words], [...line(THERE), ...peerWords]);
  const { index, name } = it.link.computers[0].network.tuns[0]!;
  for (let time = 0; time < 3; time++) {
    expect(ask(it, "renegotiate", "ppp0")).toEqual(DONE);
    comesAgain(it, 20_000);
    passes(it);
  }
  expect(it.link.computers[0].network.tuns).toMatchObject([{ index, name }]);
  expect(countOf(it.pppd, "Connect: ")).toBe(1);
  expect(countOf(it.peer, "Connect: ")).toBe(1);
});

test("renegotiate of one protocol leaves the others alone", () => {
  const both = (words: readonly string[]): string[] => words.filter((word) => word !== "noccp" && word !== "noipv6");
  const words = [...both(LINE), "debug"];
  const it = scene([...words, ADDRESSES], both(THERE));
  for (const protocol of ["ipcp", "ipv6cp", "ccp"]) {
    const from = it.pppd.lines.length;
    expect(ask(it, "renegotiate", "ppp0", protocol)).toEqual(DONE);
    it.link.time.run(5000);
    passes(it);
    const spoken = it.pppd.lines
      .slice(from)
      .flatMap((line) => /^sent \[(\w+) ConfReq/.exec(line)?.[1]?.toLowerCase() ?? []);
    expect([...new Set(spoken)]).toEqual([protocol]);
  }
});

test("renegotiate is refused for a protocol that is not up", () => {
  const it = scene([...LINE, ADDRESSES]);
  expect(ask(it, "renegotiate", "ppp0", "ipv6cp")).toEqual(refused("IPV6CP is not up"));
  expect(ask(it, "renegotiate", "ppp0", "ccp")).toEqual(refused("CCP is not up"));
});

test("debug on lasts until the link ends", () => {
  const it = scene([...LINE, ADDRESSES, ...PERSIST]);
  expect(ask(it, "debug", "ppp0", "on")).toEqual(DONE);
  ask(it, "renegotiate", "ppp0");
  comesAgain(it);
  const requests = countOf(it.pppd, "sent [LCP ConfReq");
  expect(requests).toBeGreaterThan(0);
  ask(it, "redial", "ppp0");
  comesAgain(it);
  expect(countOf(it.pppd, "sent [LCP TermReq")).toBe(1);
  expect(countOf(it.pppd, "sent [LCP ConfReq")).toBe(requests);
});

test("debug off lasts until the link ends", () => {
  const it = scene([...LINE, ADDRESSES, ...PERSIST, "debug"]);
  const requests = countOf(it.pppd, "sent [LCP ConfReq");
  expect(ask(it, "debug", "ppp0", "off")).toEqual(DONE);
  ask(it, "renegotiate", "ppp0");
  comesAgain(it);
  expect(countOf(it.pppd, "sent [LCP ConfReq")).toBe(requests);
  ask(it, "redial", "ppp0");
  comesAgain(it);
  expect(countOf(it.pppd, "sent [LCP ConfReq")).toBeGreaterThan(requests);
});

/** Octets of payload a second that come from the first computer, when it has as much to send as the line takes. */
function rateOf({ link }: Scene): number {
  const [traffic] = link.traffic;
  const length = 500;
  traffic.saturate(length);
  link.time.run(10_000);
  const before = traffic.received;
  link.time.run(10_000);
  const came = traffic.received - before;
  traffic.stop();
  link.time.run(20_000);
  return (came * length) / 10;
}

test("datarate slows the line down until the link ends", () => {
  const it = scene([...LINE, ADDRESSES, ...PERSIST]);
  expect(rateOf(it)).toBeGreaterThan(8000);
  expect(ask(it, "datarate", "ppp0", "1200")).toEqual(DONE);
  expect(rateOf(it)).toBeWithin(800, 1201);
  expect(ask(it, "datarate", "ppp0", "off")).toEqual(DONE);
  expect(rateOf(it)).toBeGreaterThan(8000);
  ask(it, "datarate", "ppp0", "1200");
  ask(it, "redial", "ppp0");
  comesAgain(it);
  it.link.time.run(2000);
  expect(rateOf(it)).toBeGreaterThan(8000);
});

test.each([
  ["the interface it had", [], true],
  ["its ifname, which it has not had yet", ["ifname", "ppp0"], false],
  ["its unit, which it has not had yet", ["unit", "0"], false],
])("between two attempts a session answers to %s", (_, words, wasUp) => {
  const script = wasUp ? [] : ["connect", "/bin/false"];
  const link = new Laplink({ seed: 7 });
  if (wasUp) link.computers[1].start([...LINE, "noipdefault"]);
  const pppd = link.computers[0].start([...LINE, ADDRESSES, ...PERSIST, ...words, ...script]);
  const ctl = pppd.controller();
  if (wasUp) {
    until(link, () => link.isUp, "the link");
    ask({ link, ctl }, "hangup", "ppp0");
  }
  until(link, () => ctl.states["/dev/ttyUSB0"] === "waiting", "the wait for the next attempt");
  ctl.ask("links");
  ctl.ask("wait", "ppp0", "down");
  until(link, () => ctl.answers.at(-1)?.["links"] === undefined && ctl.answers.length > 0, "the answer");
  expect(ctl.answers.at(-1)).toEqual(DONE);
});

test("wait is answered when the link is up, has ended, or the session is over", () => {
  const it = scene([...LINE, ADDRESSES, ...PERSIST]);
  const { link, pppd, peer, ctl } = it;
  const waits = (state: string): (() => unknown) => {
    const program = pppd.controller();
    program.ask("wait", "ttyUSB0", state);
    return () => program.answers[0];
  };
  expect(ask(it, "wait", "ppp0", "up")).toEqual({ ok: true, interface: "ppp0" });
  const [down, both] = [waits("down"), waits("down")];
  link.time.run(5000);
  expect([down(), both()]).toEqual([undefined, undefined]);
  peer.signal("SIGTERM");
  until(link, () => down() !== undefined && both() !== undefined, "the end");
  expect(down()).toEqual(DONE);
  const up = waits("up");
  link.computers[1].start(THERE);
  ask({ link, ctl }, "redial", "ttyUSB0");
  expect(up()).toBeUndefined();
  until(link, () => up() !== undefined, "the link");
  expect(up()).toEqual({ ok: true, interface: "ppp0" });
  passes(it);
  ask(it, "renegotiate", "ppp0");
  const again = waits("up");
  expect(again()).toBeUndefined();
  comesAgain(it);
  until(link, () => again() !== undefined, "the link");
  ask(it, "renegotiate", "ppp0");
  const never = waits("up");
  pppd.signal("SIGTERM");
  until(link, () => pppd.exitCode !== undefined, "the end");
  expect(never()).toEqual(refused("The session has ended"));
});

const BUNDLE = ["multilink", "mpdevice", "/dev/ttyUSB1"];

test("one line of a bundle is hung up, redialled and negotiated again while the other carries packets", () => {
  const it = scene([...LINE, ADDRESSES, ...PERSIST, ...BUNDLE], [...THERE, ...BUNDLE], 2);
  until(it.link, () => Object.values(it.ctl.states).every((state) => state === "network"), "both lines");
  expect(ask(it, "hangup", "ttyUSB1")).toEqual(DONE);
  until(it.link, () => it.ctl.states["/dev/ttyUSB1"] === "waiting", "the holdoff");
  expect(it.ctl.states["/dev/ttyUSB0"]).toBe("network");
  passes(it);
  for (const verb of ["redial", "redial", "renegotiate"]) {
    expect(ask(it, verb, "ttyUSB1")).toEqual(DONE);
    expect(it.ctl.states["/dev/ttyUSB1"]).not.toBe("network");
    until(it.link, () => it.ctl.states["/dev/ttyUSB1"] === "network", verb);
    passes(it);
  }
  expect(countOf(it.pppd, "remote IP address")).toBe(1);
  expect(ask(it, "renegotiate", "ttyUSB1", "ipcp")).toEqual(refused("IPCP is that of the whole bundle"));
});

test("a line of a bundle that was redialled in its holdoff has a holdoff after that again", () => {
  const it = scene([...LINE, ADDRESSES, ...PERSIST, ...BUNDLE], [...THERE, ...BUNDLE], 2);
  until(it.link, () => Object.values(it.ctl.states).every((state) => state === "network"), "both lines");
  const isWaiting = (): boolean => it.ctl.states["/dev/ttyUSB1"] === "waiting";
  ask(it, "hangup", "ttyUSB1");
  until(it.link, isWaiting, "the holdoff");
  ask(it, "redial", "ttyUSB1");
  until(it.link, () => it.ctl.states["/dev/ttyUSB1"] === "network", "the line");
  ask(it, "hangup", "ttyUSB1");
  until(it.link, isWaiting, "the holdoff");
  it.link.time.run(100_000);
  expect(isWaiting()).toBe(true);
  expect(ask(it, "redial", "ppp0")).toEqual(DONE);
  comesAgain(it);
  until(it.link, () => Object.values(it.ctl.states).every((state) => state === "network"), "both lines again");
});

test("the interface of a bundle means all its lines, also those that are given up", () => {
  const it = scene([...LINE, ADDRESSES, ...BUNDLE], [...THERE, ...BUNDLE], 2);
  until(it.link, () => Object.values(it.ctl.states).every((state) => state === "network"), "both lines");
  ask(it, "hangup", "ttyUSB1");
  until(it.link, () => it.ctl.states["/dev/ttyUSB1"] === "waiting");
  it.link.time.run(10_000);
  expect(ask(it, "redial", "ttyUSB1")).toEqual(refused("/dev/ttyUSB1 is given up"));
  expect(ask(it, "redial", "ppp0")).toEqual(DONE);
  comesAgain(it);
  until(it.link, () => Object.values(it.ctl.states).every((state) => state === "network"), "both lines again");
  expect(ask(it, "renegotiate", "ppp0")).toEqual(DONE);
  comesAgain(it);
  passes(it);
  expect(ask(it, "quit", "ppp0")).toEqual(DONE);
  until(it.link, () => it.pppd.exitCode !== undefined);
  expect([it.pppd.exitCode, it.pppd.fault]).toEqual([5, undefined]);
});

test("serve: a verb concerns its port only", () => {
  const link = new Laplink({ seed: 9, cables: 2 });
  const [a, b] = link.computers;
  const served = new Served(a, "ttyUSB0", "ttyUSB1", "--speed", "115200");
  const ctl = served.controller();
  const callers = [0, 1].map((port) => b.start(["noipdefault", ...LINE, `/dev/ttyUSB${port}`]));
  until(link, () => callers.every((caller) => countOf(caller, "remote IP address") === 1), "both links");
  link.time.run(2000);
  expect(ask({ link, ctl }, "quit", "ttyUSB1")).toEqual(
    refused("ttyUSB1 is a port of nullmodem serve: hangup ends the call, and SIGTERM ends all ports"),
  );
  expect(ask({ link, ctl }, "hangup", "ttyUSB1")).toEqual(DONE);
  until(link, () => callers[1]!.exitCode !== undefined, "the end of one caller");
  link.time.run(5000);
  expect(callers[0]!.isRunning).toBe(true);
  expect(ctl.states["/dev/ttyUSB0"]).toBe("network");
  const again = b.start(["noipdefault", ...LINE, "/dev/ttyUSB1"]);
  until(link, () => countOf(again, "remote IP address") === 1, "the next caller");
});

test("renegotiate and datarate leave a line that climbs in order, whenever they come", () => {
  const words = ["/dev/ttyUSB0", "115200", "local", "noauth", "nodetach", "noipv6", "climb"];
  let refusals = 0;
  for (const wait of [0, 100, 200, 240, 280, 320, 500, 3000]) {
    const link = new Laplink({ seed: 3 });
    const [a, b] = link.computers;
    const peer = b.start([...words, "noipdefault"]);
    const pppd = a.start([...words, ADDRESSES]);
    const ctl = pppd.controller();
    until(link, () => link.isUp, "the link");
    link.time.run(wait);
    const answer = ask({ link, ctl }, "renegotiate", "ppp0") as { ok: boolean };
    if (answer.ok) comesAgain({ link, pppd, peer, ctl }, 30_000);
    else refusals++;
    ask({ link, ctl }, "datarate", "ppp0", "5000");
    link.time.run(10_000);
    passes({ link, pppd, peer, ctl });
    ask({ link, ctl }, "datarate", "ppp0", "off");
    passes({ link, pppd, peer, ctl });
    expect(countOf(pppd, "Connect: ")).toBe(1);
  }
  expect(refusals).toBeWithin(1, 8);
});
