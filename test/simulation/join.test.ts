// Two ends that find each other in simulated time: one joins, the other waits, at speeds that the first does not know, and
// started in any order.

import { describe, expect, test } from "bun:test";
import { Laplink } from "./laplink.ts";

const OPTIONS = ["/dev/ttyUSB0", "noauth", "nodetach", "local", "noipv6", "noccp"];
const JOIN = ["join", "address-pair", "0", "ipcp-accept-local", "ipcp-accept-remote"];
const SERVER = ["10.0.0.1:10.0.0.2"];
/** What waits at the other end. */
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  "autodetect and find-speed": [...SERVER, "autodetect", "find-speed"],
  "a silent pppd": [...SERVER, "silent"],
  "a pppd that sends requests by itself": [...SERVER, "lcp-max-configure", "100"],
};
const SPEEDS = [115200, 57600, 19200, 9600, 460800];
/** How much earlier the other end starts; below 0, the joining end is the earlier one. */
const GAPS = [1000, -100, -1300, -3700];

/** Milliseconds from the second start until the link is up. */
function meet(other: readonly string[], gapMs: number, words: readonly string[] = []) {
  const link = new Laplink({ seed: 1 });
  const { time, computers } = link;
  const begin = (side: 0 | 1) => computers[side].start([...OPTIONS, ...(side === 0 ? other : [...JOIN, ...words])]);
  const first = begin(gapMs > 0 ? 0 : 1);
  time.run(Math.abs(gapMs));
  const second = begin(gapMs > 0 ? 1 : 0);
  const began = time.now;
  expect(time.runUntil(() => link.isUp, 60_000)).toBe(true);
  const tookMs = time.now - began;
  const [waiting, joining] = gapMs > 0 ? [first, second] : [second, first];
  return { link, time, waiting, joining, tookMs };
}

function heard(lines: readonly string[]): string[] {
  return lines.filter((line) => /^(Heard|Looking|The (password|login|modem))/.test(line));
}

describe.each(Object.entries(OTHERS))("the other end is %s", (_, other) => {
  test.each(SPEEDS)("at %d: the link is up within 5 s, whoever starts first", (speed) => {
    for (const gapMs of GAPS) {
      const { joining, waiting, tookMs } = meet([...other, String(speed)], gapMs);
      expect(tookMs).toBeLessThan(5000);
      expect(heard(joining.lines).at(-1)).toBe(`Heard PPP at ${speed}`);
      expect([joining.fault, waiting.fault]).toEqual([undefined, undefined]);
    }
  });
});

test("within 1 s when the speeds agree", () => {
  const other = OTHERS["autodetect and find-speed"]!;
  for (const gapMs of [1000, 10, ...Array.from({ length: 12 }, (_, at) => -(10 + at * 211))])
    expect(meet([...other, "115200"], gapMs).tookMs).toBeLessThan(1000);
});

test("the remembered speed comes first, on either side", () => {
  const { link, time, waiting, joining } = meet([...OTHERS["a silent pppd"]!, "9600"], 1000);
  const end = (): void => {
    for (const one of [waiting, joining]) one.signal("SIGTERM");
    time.runUntil(() => !waiting.isRunning && !joining.isRunning, 10_000);
  };
  end();
  expect(link.computers[1].files.text("/var/lib/nullmodem-speeds")).toEndWith(" 9600\n");
  link.computers[0].start([...OPTIONS, ...OTHERS["a silent pppd"]!, "9600"]);
  time.run(1000);
  const again = link.computers[1].start([...OPTIONS, ...JOIN]);
  const began = time.now;
  expect(time.runUntil(() => link.isUp, 10_000)).toBe(true);
  expect(time.now - began).toBeLessThan(500);
  expect(heard(again.lines)[0]).toStartWith("Looking for the other end of /dev/ttyUSB0 at 9600, 115200, 57600,");
});

test("a speed on the command line is the only one; one in a file is the first", () => {
  const link = new Laplink({ seed: 1 });
  const looksAt = (words: readonly string[]): string => {
    const joining = link.computers[1].start([...OPTIONS, ...JOIN, ...words]);
    link.time.run(300);
    joining.signal("SIGTERM");
    expect(link.time.runUntil(() => !joining.isRunning, 5000)).toBe(true);
    expect([joining.exitCode, joining.fault, link.leftOn(1)]).toEqual([5, undefined, []]);
    return heard(joining.lines)[0]!.replace("Looking for the other end of /dev/ttyUSB0 at ", "");
  };
  expect(looksAt(["38400"])).toBe("38400");
  link.computers[1].files.put("/etc/ppp/options.ttyUSB0", "38400\n");
  expect(looksAt([])).toStartWith("38400, 115200, 57600, 19200,");
});

test("the other end's addresses count; for one that has none, both are proposed", () => {
  const addresses = (other: readonly string[]): string[] => {
    const { joining } = meet([...other, "silent"], 1000);
    return joining.lines.filter((line) => line.includes("IP address"));
  };
  expect(addresses(SERVER)).toEqual(["local  IP address 10.0.0.2", "remote IP address 10.0.0.1"]);
  expect(addresses(["10.0.0.1:"])).toEqual(["local  IP address 192.168.1.1", "remote IP address 10.0.0.1"]);
  expect(addresses([])).toEqual(["local  IP address 192.168.1.1", "remote IP address 192.168.0.1"]);
  expect(addresses(["address-pair", "3"])).toEqual([
    "local  IP address 192.168.102.2",
    "remote IP address 192.168.102.1",
  ]);
});

test("Windows, a modem, and what the log says", () => {
  const chat = (script: string, speed: number) => [...SERVER, "silent", String(speed), "connect", `chat ${script}`];
  const windows = meet(chat("TIMEOUT 60 CLIENT CLIENTSERVER\\c", 57600), 1000);
  expect(heard(windows.joining.lines).at(-1)).toBe("Heard Windows at 57600: it answers CLIENT with CLIENTSERVER");
  const modem = meet(chat("TIMEOUT 60 'AT\\r' 'OK' ATDT0815 BUSY ATDT0815 CONNECT", 19200), 1000, [
    "join-number",
    "0815",
  ]);
  expect(heard(modem.joining.lines).filter((line) => !line.startsWith("Heard another"))).toEqual([
    expect.stringContaining("Looking for"),
    "Heard text at 19200",
    "Heard a modem at 19200; dialling 0815",
    "The modem says BUSY",
    "The modem is connected; PPP begins",
  ]);
});

test("a refused password, or none, ends it for good, even with persist", () => {
  const prompt =
    "TIMEOUT 60 '\\r' '\\r\\nnear login: \\c' 'zaphod\\r' 'Password: \\c' 'gargle\\r' '\\nLogin incorrect\\nlogin: \\c' NEVER";
  for (const [words, text] of [
    [["user", "zaphod", "password", "gargle"], "The login prompt of the other end refuses our name and password"],
    [[], "The other end has a login prompt, and there is no name and password for it"],
  ] as const) {
    const link = new Laplink({ seed: 1 });
    link.computers[0].start([...OPTIONS, ...SERVER, "9600", "connect", `chat ${prompt}`]);
    link.time.run(1000);
    const joining = link.computers[1].start([...OPTIONS, ...JOIN, "9600", "persist", ...words]);
    expect(link.time.runUntil(() => !joining.isRunning, 30_000)).toBe(true);
    expect(joining.lines.some((line) => line.startsWith(text))).toBe(true);
    expect([joining.exitCode, joining.fault, link.leftOn(1)]).toEqual([19, undefined, []]);
    expect(joining.lines.join("\n")).not.toContain("gargle");
  }
});

test("nobody there: the log says so once, and it goes on", () => {
  const link = new Laplink({ seed: 1 });
  const joining = link.computers[1].start([...OPTIONS, ...JOIN]);
  link.time.run(60_000);
  expect(joining.isRunning).toBe(true);
  expect(heard(joining.lines).slice(1)).toEqual([
    "Heard nothing on /dev/ttyUSB0 yet; is the other end on, and is it a null-modem cable? nullmodem doctor examines it. Still trying",
  ]);
});

test("join and autodetect exclude each other", () => {
  const { computers } = new Laplink({ seed: 1 });
  const both = computers[0].start([...OPTIONS, "join", "autodetect"]);
  expect([both.exitCode, both.lines]).toEqual([2, ["join calls, and autodetect waits for a call: give one of them"]]);
});
