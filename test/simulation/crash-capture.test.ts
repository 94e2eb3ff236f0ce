// The latest packets of a link, in a file when it dies of a fault and in none when it ends as somebody wished.

import { expect, test } from "bun:test";
// Loaded before: in simulated time nothing is read from disk.
import "../../src/run/live/crash-capture.ts";
import { blocksOf, readCapture } from "../kit/pcapng-text.ts";
import type { Pppd } from "./computer.ts";
import { Laplink } from "./laplink.ts";

const DIR = "/var/log/faults";
const LINE = ["/dev/ttyUSB0", "115200", "local", "nodetach", "lcp-restart", "1", "lcp-max-terminate", "1"];
const ECHOES = ["lcp-echo-interval", "1", "lcp-echo-failure", "2"];
const PASSWORD = "gargleBlaster";

function start(words: readonly string[], peer: readonly string[] = ["noauth"]): { link: Laplink; pppd: Pppd } {
  const link = new Laplink({ seed: 21 });
  const [one, other] = link.computers;
  one.files.put("/etc/ppp/pap-secrets", `zaphod * ${PASSWORD} *\n`, 0o600);
  other.files.put("/etc/ppp/pap-secrets", `zaphod * ${PASSWORD} *\n`, 0o600);
  const pppd = one.start([...LINE, "noauth", "10.0.0.1:10.0.0.2", "crash-capture", DIR, ...words]);
  other.start([...LINE, "noipdefault", ...peer]);
  return { link, pppd };
}

function until(link: Laplink, isSo: () => boolean, ms = 120_000): void {
  if (!link.time.runUntil(isSo, ms)) throw new Error(link.transcript);
}

const filesOf = (link: Laplink): string[] => link.computers[0].files.names(DIR).toSorted();
const bytesOf = (link: Laplink, name: string): Uint8Array => link.computers[0].files.files.get(`${DIR}/${name}`)!.bytes;

test("a peer that answers no echo: the file has the packets and the states, both ways, and no password", () => {
  const { link, pppd } = start([...ECHOES, "user", "zaphod"], ["auth", "require-pap", "name", "srv"]);
  until(link, () => link.isUp);
  link.cables[0]!.isCut = true;
  until(link, () => !pppd.isRunning);
  const [name, ...others] = filesOf(link);
  expect(others).toEqual([]);
  expect(name).toMatch(/^nullmodem-ttyUSB0-peer-dead-\d{8}T\d{6}\.\d{3}Z-1\.pcapng$/);
  expect(pppd.lines).toContain(`The link has died (peer-dead); its latest packets are in ${DIR}/${name}`);
  expect(link.computers[0].files.files.get(`${DIR}/${name}`)!.mode).toBe(0o600);
  const { packets, notes } = readCapture(bytesOf(link, name!));
  const text = Buffer.from(bytesOf(link, name!)).toString("latin1");
  expect(text).toContain("zaphod");
  expect(text).not.toContain(PASSWORD);
  expect(text).toContain("*".repeat(PASSWORD.length));
  for (const isSent of [true, false]) {
    const own = packets.filter((packet) => packet.isSent === isSent);
    expect(own.length).toBeGreaterThan(3);
    expect(own.map(({ time }) => time)).toEqual(own.map(({ time }) => time).toSorted((a, b) => a - b));
  }
  expect(packets.every(({ line }) => line === "/dev/ttyUSB0")).toBe(true);
  const ours = notes.map((note) => note.replace("/dev/ttyUSB0: ", ""));
  for (const note of [
    "phase establish",
    "phase authenticate",
    "phase network",
    "IPv4 is up: 10.0.0.1, peer 10.0.0.2",
    "No response to 2 echo-requests",
    "failure: peer-dead",
    "the link has died: peer-dead",
  ])
    expect(ours).toContain(note);
  expect(packets.flatMap(({ comments }) => comments)).toContain("phase network");
});

const tshark = Bun.which("tshark");

test.skipIf(tshark === null)(`tshark reads the file${tshark === null ? " [skipped: no tshark here]" : ""}`, () => {
  const { link, pppd } = start([...ECHOES]);
  until(link, () => link.isUp);
  link.cables[0]!.isCut = true;
  until(link, () => !pppd.isRunning);
  const stdin = Buffer.from(bytesOf(link, filesOf(link)[0]!));
  const { stdout, exitCode } = Bun.spawnSync([tshark!, "-n", "-r", "-"], { stdin });
  expect(exitCode).toBe(0);
  expect(stdout.toString()).toContain("the link has died: peer-dead");
  expect(stdout.toString()).not.toMatch(/malformed/i);
});

test.each([
  ["we hang up", (link: Laplink, pppd: Pppd) => void (pppd.signal("SIGHUP"), link)],
  [
    "SIGTERM, and the peer hears nothing of it",
    (link: Laplink, pppd: Pppd) => {
      link.cables[0]!.isCut = true;
      pppd.signal("SIGTERM");
    },
  ],
])("no file: %s", (_, end) => {
  const { link, pppd } = start([...ECHOES]);
  until(link, () => link.isUp);
  end(link, pppd);
  until(link, () => !pppd.isRunning);
  expect(filesOf(link)).toEqual([]);
});

test("no file: the peer ends the link", () => {
  const link = new Laplink({ seed: 22 });
  const pppd = link.computers[0].start([...LINE, "noauth", "10.0.0.1:10.0.0.2", "crash-capture", DIR]);
  const peer = link.computers[1].start([...LINE, "noauth", "noipdefault"]);
  until(link, () => link.isUp);
  peer.signal("SIGTERM");
  until(link, () => !pppd.isRunning);
  expect(filesOf(link)).toEqual([]);
});

test("no file: the peer ends the link, and the line is gone before the end is confirmed", () => {
  const link = new Laplink({ seed: 22 });
  const pppd = link.computers[0].start([...LINE, "noauth", "10.0.0.1:10.0.0.2", "crash-capture", DIR]);
  const peer = link.computers[1].start([...LINE, "noauth", "noipdefault"]);
  until(link, () => link.isUp);
  peer.signal("SIGTERM");
  until(link, () => pppd.lines.some((line) => line.startsWith("LCP terminated by peer")));
  link.computers[0].ports[0]!.unplug();
  until(link, () => !pppd.isRunning);
  expect(pppd.lines).toContain("Modem hangup");
  expect(filesOf(link)).toEqual([]);
});

test("no file: nobody is at the other end", () => {
  const link = new Laplink({ seed: 23 });
  const pppd = link.computers[0].start([...LINE, "noauth", "10.0.0.1:10.0.0.2", "crash-capture", DIR]);
  until(link, () => !pppd.isRunning);
  expect(pppd.lines).toContain("LCP: timeout sending Config-Requests");
  expect(filesOf(link)).toEqual([]);
});

test.each([
  ["hang-up", [], [], (link: Laplink) => link.computers[0].ports[0]!.unplug()],
  ["we-not-authenticated", ["user", "zaphod", "password", "wrong"], ["auth", "require-pap", "name", "srv"], undefined],
  ["peer-not-authenticated", ["auth", "require-pap"], ["noauth", "user", "zaphod", "password", "wrong"], undefined],
  ["no-network-protocol", ["noip", "noipv6"], ["noauth"], undefined],
  ["lcp-timeout", ["lcp-max-configure", "3", "debug"], ["noauth"], undefined],
] as const)("a file for the fault %s", (fault, words, peer, then) => {
  const { link, pppd } = start(words, peer);
  if (fault === "lcp-timeout") {
    until(link, () => pppd.lines.some((line) => line.startsWith("rcvd [LCP ConfReq")));
    link.cables[0]!.isCut = true;
  } else if (then !== undefined) {
    until(link, () => link.isUp);
    then(link);
  }
  until(link, () => !pppd.isRunning);
  expect([filesOf(link).length, link.transcript.includes(`The link has died (${fault})`)]).toEqual([1, true]);
  for (const name of filesOf(link)) expect(Buffer.from(bytesOf(link, name)).toString()).not.toMatch(/wrong|gargle/);
});

test("ten files are kept, and files of others stay; the packets of earlier attempts are in them", () => {
  const link = new Laplink({ seed: 24 });
  const [one, other] = link.computers;
  one.files.put(`${DIR}/notes.txt`, "mine");
  const pppd = one.start([
    ...LINE,
    "noauth",
    "10.0.0.1:10.0.0.2",
    "persist",
    "holdoff",
    "1",
    "crash-capture",
    DIR,
    ...ECHOES,
  ]);
  other.start([...LINE, "noauth", "noipdefault", "persist", "holdoff", "1", ...ECHOES]);
  for (let count = 0; count < 12; count++) {
    const said = (): number => pppd.lines.filter((line) => line.includes("its latest packets are in")).length;
    until(link, () => link.isUp);
    link.cables[0]!.isCut = true;
    until(link, () => said() === count + 1);
    link.cables[0]!.isCut = false;
    link.time.runUntil(() => false, 60_000);
  }
  const names = filesOf(link);
  expect(names.filter((name) => name.endsWith(".pcapng"))).toHaveLength(10);
  expect(names).toContain("notes.txt");
  const newest = names.find((name) => name.endsWith("-12.pcapng"))!;
  const { notes } = readCapture(bytesOf(link, newest));
  expect(notes.filter((note) => note.endsWith("the link has died: peer-dead")).length).toBeGreaterThan(1);
  for (const name of names)
    if (name.endsWith(".pcapng")) expect(blocksOf(bytesOf(link, name)).length).toBeGreaterThan(9);
});

test("a full disk costs the file and nothing else", () => {
  const { link, pppd } = start([...ECHOES, "persist", "holdoff", "1"]);
  until(link, () => link.isUp);
  link.computers[0].files.isFull = true;
  link.cables[0]!.isCut = true;
  until(link, () => pppd.lines.some((line) => line.startsWith("Couldn't write the latest packets to")));
  link.cables[0]!.isCut = false;
  const from = pppd.lines.length;
  until(
    link,
    () => pppd.lines.slice(from).some((line) => line.includes("remote IP address")) || pppd.fault !== undefined,
  );
  expect(pppd.fault).toBeUndefined();
  expect(filesOf(link)).toEqual([]);
});
