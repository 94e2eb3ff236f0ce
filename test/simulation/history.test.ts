// What the history has of sessions of whole machines.

import { expect, test } from "bun:test";
import { readHistory, type SessionRecord } from "../../src/record/session-record.ts";
import type { Computer } from "./computer.ts";
import { Laplink } from "./laplink.ts";

const LINE = ["/dev/ttyUSB0", "115200", "local", "lock", "noauth", "nodetach"];
const ADDRESSES = "192.168.0.1:192.168.1.1";
const PATH = "/var/lib/nullmodem-history";

function historyOf({ files }: Computer): SessionRecord[] {
  return readHistory(files.text(PATH) ?? "");
}

function until(link: Laplink, isDone: () => boolean): void {
  if (!link.time.runUntil(isDone, 600_000)) throw new Error(link.transcript);
}

test("a session is in the history of both ends, with its addresses, octets, samples and end", () => {
  const link = new Laplink({ seed: 1 });
  const [a, b] = link.computers;
  const server = a.start([...LINE, ADDRESSES, "linkname", "lap"]);
  const client = b.start([...LINE, "noipdefault", "lcp-echo-interval", "2"]);
  until(link, () => link.isUp);
  const until20 = link.time.now + 20_000;
  until(link, () => link.time.now >= until20);
  server.signal("SIGTERM");
  until(link, () => server.exitCode !== undefined && client.exitCode !== undefined);

  const [ours, ...others] = historyOf(a);
  expect(others).toEqual([]);
  expect(ours).toMatchObject({
    interface: "ppp0",
    linkname: "lap",
    device: "/dev/ttyUSB0",
    our: "192.168.0.1",
    their: "192.168.1.1",
    speed: 115200,
    exit: 5,
    pid: server.process.pid,
    process: `process ${server.process.pid}`,
  });
  expect(ours!.seconds).toBeWithin(19, 22);
  expect(ours!.in).toBeGreaterThan(0);
  const { in: received, every } = ours!.samples!;
  expect(received.reduce((sum, octets) => sum + octets, 0)).toBe(ours!.in);
  expect(every).toBe(1);
  const [theirs] = historyOf(b);
  expect(theirs!.samples!.rtt.filter((ms) => ms > 0).length).toBeGreaterThan(5);
  expect(theirs).toMatchObject({ our: "192.168.1.1", their: "192.168.0.1", exit: 16 });
});

test("a session that was killed was up for as long as is known", () => {
  const link = new Laplink({ seed: 2 });
  const [a, b] = link.computers;
  const server = a.start([...LINE, ADDRESSES]);
  b.start([...LINE, "noipdefault", "lcp-echo-interval", "2"]);
  until(link, () => link.isUp);
  const later = link.time.now + 61_000;
  until(link, () => link.time.now >= later);
  server.kill();
  const [record] = historyOf(a);
  expect(record!.interface).toBe("ppp0");
  expect(record!.exit).toBeUndefined();
  expect(record!.seconds).toBeWithin(59, 63);
});

test("attempts that fail in the same way are one entry, however many there are", () => {
  const link = new Laplink({ seed: 3 });
  const [a] = link.computers;
  const lonely = a.start([
    ...LINE,
    "persist",
    "maxfail",
    "0",
    "holdoff",
    "1",
    "lcp-max-configure",
    "2",
    "lcp-restart",
    "1",
  ]);
  const later = link.time.now + 600_000;
  link.time.runUntil(() => link.time.now >= later, 700_000);
  const lines = (a.files.text(PATH) ?? "").split("\n").filter((line) => line !== "");
  const [record, ...others] = historyOf(a);
  expect(others).toEqual([]);
  expect(record).toMatchObject({ exit: 10, device: "/dev/ttyUSB0" });
  expect(record!.failures).toBeGreaterThan(60);
  // The file grows with the logarithm of their number.
  expect(lines.length).toBeLessThan(12);
  lonely.signal("SIGTERM");
  until(link, () => lonely.exitCode !== undefined);
  expect(historyOf(a)).toHaveLength(1);
  expect(historyOf(a)[0]!.failures).toBeGreaterThanOrEqual(record!.failures!);
});

test("a peer that is not admitted is in the history with the reason, and a name that was not proved is not", () => {
  const link = new Laplink({ seed: 4 });
  const [a, b] = link.computers;
  a.files.put("/etc/ppp/pap-secrets", "zaphod * gargleBlaster *\n", 0o600);
  const server = a.start(["/dev/ttyUSB0", "115200", "local", "lock", "auth", "require-pap", "nodetach", ADDRESSES]);
  b.start([...LINE, "user", "zaphod", "password", "wrong", "noipdefault"]);
  until(link, () => server.exitCode !== undefined);
  const [record, ...others] = historyOf(a);
  expect(others).toEqual([]);
  expect(record).toMatchObject({ exit: 11, failures: 1 });
  expect(record!.peer).toBeUndefined();
  expect(a.files.text(PATH)).not.toContain("wrong");
});

test("with nohistory nothing is kept, and a full disk does not matter", () => {
  for (const [seed, isFull, words] of [
    [5, false, ["nohistory"]],
    [6, true, []],
  ] as const) {
    const link = new Laplink({ seed });
    const [a, b] = link.computers;
    const server = a.start([...LINE, ADDRESSES, ...words]);
    const client = b.start([...LINE, "noipdefault"]);
    until(link, () => link.isUp);
    a.files.isFull = isFull;
    a.files.remove(isFull ? PATH : "");
    server.signal("SIGTERM");
    until(link, () => server.exitCode !== undefined && client.exitCode !== undefined);
    expect(server.exitCode).toBe(5);
    expect(a.files.text(PATH)).toBeUndefined();
  }
});
