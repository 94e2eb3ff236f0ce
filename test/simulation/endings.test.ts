// How a session ends at each point of its life: when the line is pulled out, and by a signal. The exit code is pppd's, and
// nothing is left behind.

import { describe, expect, test } from "bun:test";
import type { Pppd } from "./computer.ts";
import { Laplink } from "./laplink.ts";

const LINE = ["/dev/ttyUSB0", "115200", "local", "lock", "noauth", "nodetach", "debug"];
/** An unanswered Terminate-Request is waited for only a short time. */
const QUICK = ["lcp-restart", "1", "lcp-max-terminate", "1", "child-timeout", "1"];
const HANGS = "#!/bin/sh\nsleep infinity\n";

/** A point in the life of a session, and how to reach it. */
interface Moment {
  readonly files?: Readonly<Record<string, string>>;
  readonly words?: readonly string[];
  /** The words of the peer. Without them there is none. */
  readonly peer?: readonly string[];
  /** The line of the log that shows that it is reached. Without it the session is at its first wait. */
  readonly reached?: string;
  /** A further action that is needed. */
  readonly then?: (link: Laplink, pppd: Pppd, peer: Pppd) => void;
  /** The exit codes. Undefined: it makes no difference to the program that runs. */
  readonly hangup?: number;
  readonly terminated: number;
}

function saysAfter(link: Laplink, pppd: Pppd, text: string, from = 0): void {
  const isSaid = (): boolean => pppd.lines.some((line, at) => at >= from && line.startsWith(text));
  if (!link.time.runUntil(isSaid, 60_000)) throw new Error(`"${text}" is not said:\n${link.transcript}`);
}

const PEER = ["noipdefault"];
const MOMENTS: Readonly<Record<string, Moment>> = {
  "in the init script": { words: ["init", "sleep infinity"], terminated: 18 },
  "in a connect script": { words: ["connect", "sleep infinity"], terminated: 8 },
  "in our own chat": {
    words: ["connect", "chat -v -s '' AT OK"],
    hangup: 8,
    terminated: 8,
  },
  "in net-init": {
    files: { "/etc/ppp/net-init": HANGS },
    reached: "Script /etc/ppp/net-init started",
    terminated: 5,
  },
  "before anybody answers": { reached: "sent [LCP ConfReq", hangup: 16, terminated: 16 },
  "in silence": { words: ["silent"], reached: "Connect:", hangup: 16, terminated: 5 },
  "while we prove who we are": {
    words: ["user", "zaphod", "password", "x"],
    peer: [...PEER, "auth", "require-pap", "name", "srv"],
    reached: "sent [PAP AuthReq",
    then: (_link, _pppd, peer) => peer.process.stop(),
    hangup: 16,
    terminated: 16,
  },
  "in ip-pre-up": {
    files: { "/etc/ppp/ip-pre-up": HANGS },
    peer: PEER,
    reached: "Script /etc/ppp/ip-pre-up started",
    hangup: 16,
    terminated: 5,
  },
  "when the link is up": { peer: PEER, reached: "remote IP address", hangup: 16, terminated: 5 },
  "in ip-up": {
    files: { "/etc/ppp/ip-up": HANGS },
    peer: PEER,
    reached: "Script /etc/ppp/ip-up started",
    hangup: 16,
    terminated: 5,
  },
  "while it ends": {
    peer: PEER,
    reached: "remote IP address",
    then(link, pppd) {
      link.cables[0]!.isCut = true;
      pppd.signal("SIGTERM");
      saysAfter(link, pppd, "sent [LCP TermReq");
    },
    hangup: 16,
    terminated: 16,
  },
  "in the disconnect script": {
    words: ["disconnect", "sleep infinity"],
    peer: PEER,
    reached: "remote IP address",
    then(link, pppd) {
      pppd.signal("SIGTERM");
      saysAfter(link, pppd, "Connection terminated.");
      link.time.run(100);
    },
    terminated: 5,
  },
  "between two attempts": {
    words: ["persist", "holdoff", "1000", "connect", "exit 1"],
    reached: "Connect script failed",
    terminated: 5,
  },
};

function reach({ files = {}, words = [], peer, reached, then }: Moment): { link: Laplink; pppd: Pppd } {
  const link = new Laplink({ seed: 11 });
  const [one, other] = link.computers;
  for (const [path, text] of Object.entries(files)) one.files.put(path, text, 0o755);
  other.files.put("/etc/ppp/pap-secrets", "zaphod * x *\n", 0o600);
  const pppd = one.start([...LINE, "10.0.0.1:10.0.0.2", ...QUICK, ...words]);
  const far = peer && other.start([...LINE, ...peer]);
  if (reached === undefined) link.time.run(100);
  else saysAfter(link, pppd, reached);
  then?.(link, pppd, far!);
  return { link, pppd };
}

/** The exit code. Everything is as it was before the session, when it has ended within `seconds`. */
function ending(link: Laplink, pppd: Pppd, seconds: number): number | undefined {
  if (!link.time.runUntil(() => !pppd.isRunning, seconds * 1000)) throw new Error(`it goes on:\n${link.transcript}`);
  // A script that was killed needs a moment.
  link.time.run(10);
  expect([pppd.fault, link.leftOn(0)]).toEqual([undefined, []]);
  return pppd.exitCode;
}

describe("the line is pulled out", () => {
  for (const [when, moment] of Object.entries(MOMENTS)) {
    if (moment.hangup === undefined) continue;
    test(when, () => {
      const { link, pppd } = reach(moment);
      const before = pppd.lines.length;
      link.computers[0].ports[0]!.unplug();
      expect(ending(link, pppd, 5)).toBe(moment.hangup!);
      if (moment.hangup !== 16) return;
      const lines = pppd.lines.slice(before);
      expect(lines).toContain("Modem hangup");
      expect(lines.filter((line) => line === "Connection terminated.")).toHaveLength(1);
    });
  }
});

describe("SIGTERM", () => {
  for (const [when, moment] of Object.entries(MOMENTS))
    test(when, () => {
      const { link, pppd } = reach(moment);
      pppd.signal("SIGTERM");
      expect(ending(link, pppd, 5)).toBe(moment.terminated);
      expect(pppd.lines).toContain("Terminating on signal 15");
    });
});

test.each([
  ["nothing", []],
  ["silence", ["silent"]],
  ["init", ["init", "sleep 0.3"]],
  ["connect", ["connect", "sleep 0.3"]],
  ["chat", ["connect", "chat TIMEOUT 1 '' AT OK"]],
  ["persist", ["persist", "holdoff", "0", "connect", "sleep 0.1; exit 1"]],
  ["bundle", ["multilink", "mpdevice", "/dev/ttyUSB1"]],
])("SIGTERM at any moment of the first second ends it, with all that it has started: %s", (_, words) => {
  for (let ms = 0; ms < 1000; ms += 7) {
    const link = new Laplink({ seed: ms, cables: 2 });
    const [one, other] = link.computers;
    for (const name of ["net-init", "ip-pre-up", "ip-up", "ip-down"])
      one.files.put(`/etc/ppp/${name}`, "#!/bin/sh\nsleep 0.1\n", 0o755);
    const pppd = one.start([...LINE, "10.0.0.1:10.0.0.2", ...QUICK, ...words]);
    other.start([...LINE, ...PEER, "persist"]);
    link.time.run(ms);
    pppd.signal("SIGTERM");
    const code = ending(link, pppd, 5);
    // 8 and 18: the signal ended the connect or the init script. 16: nobody has answered the Terminate-Request.
    expect([ms, [5, 8, 16, 18].includes(code ?? -1), code]).toEqual([ms, true, code]);
  }
});

for (const [signal, text] of [
  ["SIGINT", "Terminating on signal 2"],
  ["SIGHUP", "Hangup (SIGHUP)"],
] as const)
  test(`${signal} when the link is up`, () => {
    const { link, pppd } = reach(MOMENTS["when the link is up"]!);
    pppd.signal(signal);
    expect(ending(link, pppd, 5)).toBe(5);
    expect(pppd.lines).toContain(text);
  });

test("many signals end it once", () => {
  const { link, pppd } = reach(MOMENTS["when the link is up"]!);
  for (let count = 0; count < 50; count++) for (const signal of ["SIGUSR1", "SIGUSR2"] as const) pppd.signal(signal);
  for (let count = 0; count < 20; count++) pppd.signal("SIGTERM");
  expect(ending(link, pppd, 5)).toBe(5);
  expect(pppd.lines.filter((line) => line === "Connection terminated.")).toHaveLength(1);
});

test("a peer that does not answer any more: the echoes tell", () => {
  const { link, pppd } = reach({
    ...MOMENTS["when the link is up"]!,
    words: ["lcp-echo-interval", "1", "lcp-echo-failure", "2"],
  });
  link.cables[0]!.isCut = true;
  expect(ending(link, pppd, 8)).toBe(16);
  expect(pppd.lines).toContain("No response to 2 echo-requests");
  expect(pppd.lines).toContain("Serial link appears to be disconnected.");
});

test("the published status of a link says since when nothing comes, and that it comes again", () => {
  const { link } = reach({ ...MOMENTS["when the link is up"]!, words: ["lcp-echo-interval", "1"] });
  const silence = (): number =>
    JSON.parse([...link.computers[0].processes.publications.values()][0]!.text()).lines[0].silent;
  link.time.run(10_000);
  expect(silence()).toBeLessThanOrEqual(2);
  link.cables[0]!.isCut = true;
  link.time.run(10_000);
  expect(silence()).toBeGreaterThanOrEqual(8);
  link.cables[0]!.isCut = false;
  expect(link.time.runUntil(() => silence() <= 1, 10_000)).toBe(true);
});

// pppd's own lines come in the real pppd's order for the same line.
test("a line on which nothing is heard: it gives up and says so", () => {
  const { link, pppd } = reach({ words: ["lcp-max-configure", "2"], terminated: 16 });
  expect(ending(link, pppd, 6)).toBe(16);
  const said = pppd.lines.slice(1 + pppd.lines.indexOf("LCP: timeout sending Config-Requests"));
  expect(said[0]).toBe(
    "Heard nothing at all: peer not started, wrong port, cable not plugged in or not a null-modem cable, or the other end waits at another speed",
  );
  expect(said.slice(-2)).toEqual(["Connection terminated.", "Modem hangup"]);
});

test("another program that has the port open is named a second after the start, and before a script uses the line", () => {
  for (const [words, is] of [
    [[], "after"],
    [["connect", "chat '' never"], "before"],
  ] as const) {
    const link = new Laplink({ seed: 12 });
    const [computer] = link.computers;
    computer.ports[0]!.thief = { pid: 77, name: "minicom" };
    const pppd = computer.start([...LINE, ...QUICK, ...words]);
    const named = (): number => pppd.lines.findIndex((line) => line.includes("is also open in minicom (pid 77)"));
    expect(link.time.runUntil(() => named() >= 0, 1100)).toBe(true);
    const sent = pppd.lines.findIndex((line) => line.startsWith("sent [LCP ConfReq") || line.startsWith("expect ("));
    expect(is === "before" ? sent === -1 : sent >= 0 && sent < named()).toBe(true);
    pppd.signal("SIGTERM");
  }
});

test("damaged frames while another program has the port open: it is named, and there is no advice about the speed", () => {
  const link = new Laplink({ seed: 11 });
  const [one, other] = link.computers;
  one.ports[0]!.thief = { pid: 77, name: "minicom" };
  link.cables[0]!.damage = 0.2;
  const pppd = one.start([...LINE, "10.0.0.1:10.0.0.2", ...QUICK, "lcp-max-configure", "5"]);
  other.start([...LINE, ...PEER, "persist"]);
  expect(ending(link, pppd, 30)).toBe(16);
  const text = pppd.lines.join("\n");
  expect(text).toContain("/dev/ttyUSB0 is also open in minicom (pid 77)");
  expect(text).toContain(": another program has the port open, and may take a part of what comes");
  expect(text).not.toContain("a lower speed");
});

test("with persist, an interface that was removed is made again", () => {
  const link = new Laplink({ seed: 12 });
  const pppd = link.computers[0].start([...LINE, "10.0.0.1:10.0.0.2", ...QUICK, "persist"]);
  link.computers[1].start([...LINE, ...PEER, "persist", "holdoff", "1"]);
  expect(link.time.runUntil(() => link.isUp, 10_000)).toBe(true);
  link.time.run(1000);
  link.computers[0].network.tuns[0]!.remove();
  saysAfter(link, pppd, "Interface ppp0 has been removed");
  const from = pppd.lines.length;
  saysAfter(link, pppd, "remote IP address", from);
  pppd.signal("SIGTERM");
  expect(ending(link, pppd, 5)).toBe(5);
});

for (const how of ["SIGTERM", "SIGHUP", "the line is pulled out"] as const)
  test(`default route, proxy ARP and forwarding are put back: ${how}`, () => {
    const { link, pppd } = reach({
      ...MOMENTS["when the link is up"]!,
      words: ["defaultroute", "replacedefaultroute", "proxyarp", "ktune"],
    });
    link.time.run(100);
    const { state } = link.computers[0].network;
    expect(state).toContain("default route 4 ppp0 0");
    expect(state).not.toContain("default route 4 eth0 0");
    expect(state).toContain("proxy eth0 10.0.0.2");
    expect(state).toContain("net/ipv4/ip_forward 1");
    if (how === "SIGTERM" || how === "SIGHUP") pppd.signal(how);
    else link.computers[0].ports[0]!.unplug();
    expect(ending(link, pppd, 5)).toBe(how === "SIGTERM" || how === "SIGHUP" ? 5 : 16);
  });
