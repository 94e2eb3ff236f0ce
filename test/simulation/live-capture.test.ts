// A capture of a session while it runs: before the link, over several attempts, with and without compression, of a bundle
// and of SLIP, and for a reader that does not read.

import { expect, test } from "bun:test";
import { toHex } from "../../src/bytes/text.ts";
import type { CaptureTarget, CaptureWish } from "../../src/run/live/capture-wish.ts";
import { LiveCapture } from "../../src/run/live/live-capture.ts";
import { type ReadCapture, readCapture } from "../kit/pcapng-text.ts";
import type { Pppd } from "./computer.ts";
import { Laplink } from "./laplink.ts";

const LINE = ["/dev/ttyUSB0", "115200", "local", "nodetach", "lcp-restart", "1", "noipv6"];
const SERVER = [...LINE, "noauth", "10.0.0.1:10.0.0.2"];
const CLIENT = [...LINE, "noauth", "noipdefault"];
const PASSWORD = "gargleBlaster";

class Reader implements CaptureTarget {
  readonly blocks: Uint8Array[] = [];
  readonly room = Infinity;
  isFull = false;
  isEnded = false;
  readonly capture: LiveCapture;

  constructor(pppd: Pppd, packets: CaptureWish["packets"] = "line", sinceMs = 0) {
    this.capture = new LiveCapture(pppd.steering.captured, { packets, sinceMs }, this);
  }

  send(bytes: Uint8Array): boolean {
    return !this.isFull && this.blocks.push(bytes.slice()) > 0;
  }

  end(): void {
    this.isEnded = true;
  }

  get read(): ReadCapture {
    return readCapture(Buffer.concat(this.blocks));
  }

  /** The packets of the interface by their PPP protocol, with or without compression. */
  count(isSent: boolean, protocol: string, line?: string): number {
    return this.read.packets.filter(
      (packet) =>
        packet.isSent === isSent &&
        (line === undefined || packet.line === line) &&
        new RegExp(`^(?:ff03)?(?:00)?${protocol}`).test(toHex(packet.octets)),
    ).length;
  }
}

function until(link: Laplink, isSo: () => boolean, ms = 60_000): void {
  if (!link.time.runUntil(isSo, ms)) throw new Error(link.transcript);
}

test("it begins before the link, goes on over attempts, and ends with the session", () => {
  const link = new Laplink({ seed: 31 });
  const words = ["persist", "holdoff", "1", "lcp-echo-interval", "1", "lcp-echo-failure", "2"];
  const pppd = link.computers[0].start([...SERVER, ...words]);
  const reader = new Reader(pppd);
  expect(reader.read.packets).toEqual([]);
  link.computers[1].start([...CLIENT, ...words]);
  until(link, () => link.isUp);
  link.cables[0]!.isCut = true;
  until(link, () => reader.read.notes.some((note) => note.endsWith("failure: peer-dead")));
  link.cables[0]!.isCut = false;
  until(link, () => reader.read.notes.filter((note) => note.includes("IPv4 is up")).length === 2);
  link.time.run(2000);
  const { packets } = reader.read;
  expect(packets.filter(({ comments }) => comments.includes("phase network")).length).toBe(2);
  expect(new Set(packets.map(({ isSent }) => isSent)).size).toBe(2);
  pppd.signal("SIGTERM");
  until(link, () => !pppd.isRunning);
  expect(reader.isEnded).toBe(true);
});

test("a reader that has left gets nothing more", () => {
  const link = new Laplink({ seed: 31 });
  const pppd = link.computers[0].start(SERVER);
  const reader = new Reader(pppd);
  reader.capture.stop();
  link.computers[1].start(CLIENT);
  until(link, () => link.isUp);
  expect(reader.read).toEqual({ packets: [], notes: [] });
});

/** A link with compression, on which both have sent packets that shrink. */
function compressed(packets: CaptureWish["packets"], isLate = false): { link: Laplink; pppd: Pppd; reader: Reader } {
  const link = new Laplink({ seed: 32 });
  const words = ["deflate", "15", "novj"];
  const pppd = link.computers[0].start([...SERVER, ...words]);
  const early = isLate ? undefined : new Reader(pppd, packets);
  link.computers[1].start([...CLIENT, ...words]);
  until(link, () => link.isUp);
  link.time.run(500);
  if (isLate) talk(link, 20);
  const reader = early ?? new Reader(pppd, packets);
  talk(link, 20);
  return { link, pppd, reader };
}

/** So many packets with text in each direction. */
function talk(link: Laplink, count: number): void {
  for (let sent = 0; sent < count; sent++) {
    for (const traffic of link.traffic)
      traffic.send(
        traffic.flows.find(({ isText }) => isText),
        400,
      );
    link.time.run(50);
  }
  link.time.run(1000);
}

test("by default the packets are those of the line, and a compressed one stays so", () => {
  const { reader } = compressed("line");
  for (const isSent of [true, false]) expect(reader.count(isSent, "fd")).toBeGreaterThan(5);
});

for (const isLate of [false, true])
  test(`decompressed: data as the interface has it, control packets of the line${isLate ? ", also from the middle of a link" : ""}`, () => {
    const { reader } = compressed("decompressed", isLate);
    for (const isSent of [true, false]) {
      expect(reader.count(isSent, "fd")).toBe(0);
      expect(reader.count(isSent, "21", "ppp0")).toBeGreaterThan(15);
      if (!isLate) expect(reader.count(isSent, "8021", "/dev/ttyUSB0")).toBeGreaterThan(0);
    }
    for (const { line, length, octets } of reader.read.packets) if (line === "ppp0") expect(octets.length).toBe(length);
  });

test("both: each packet in both forms, on two interfaces", () => {
  const { reader } = compressed("both");
  for (const isSent of [true, false])
    expect(reader.count(isSent, "(?:fd|21)", "/dev/ttyUSB0")).toBe(reader.count(isSent, "21", "ppp0"));
});

test("since: what came before, as far back as is asked for, with the headers of data only, and no further", () => {
  const { link, pppd } = compressed("line");
  link.time.run(5000);
  const old = new Reader(pppd, "line", 60_000).read;
  expect(old.notes).toContain("/dev/ttyUSB0: phase network");
  expect(old.packets.length).toBeGreaterThan(40);
  const data = old.packets.filter(({ octets }) => octets[0] === 0xfd || octets[0] === 0x21);
  expect(data.every(({ octets }) => octets.length < 60)).toBe(true);
  expect(data.some(({ length }) => length > 60)).toBe(true);
  expect(new Reader(pppd, "line", 1000).read.packets).toEqual([]);
  expect(new Reader(pppd).read).toEqual({ packets: [], notes: [] });
});

test("passwords are stars, and with show-password they are not", () => {
  for (const more of [[], ["show-password"]]) {
    const link = new Laplink({ seed: 33 });
    link.computers[1].files.put("/etc/ppp/pap-secrets", `zaphod * ${PASSWORD} *\n`, 0o600);
    const secret = ["user", "zaphod", "password", PASSWORD];
    const pppd = link.computers[0].start([...SERVER, ...secret, ...more]);
    const reader = new Reader(pppd);
    link.computers[1].start([...LINE, "noipdefault", "auth", "require-pap", "name", "srv"]);
    until(link, () => link.isUp);
    const whole = (one: Reader): string => Buffer.concat(one.blocks).toString("latin1");
    expect(whole(reader)).toContain("zaphod");
    expect(whole(reader).includes(PASSWORD)).toBe(more.length > 0);
    // What is kept never has one.
    expect(whole(new Reader(pppd, "line", 60_000))).toContain("zaphod");
    expect(whole(new Reader(pppd, "line", 60_000))).not.toContain(PASSWORD);
  }
});

test("a reader that does not read loses packets, is told how many, and holds up nothing", () => {
  const link = new Laplink({ seed: 34 });
  const pppd = link.computers[0].start(SERVER);
  const reader = new Reader(pppd);
  link.computers[1].start([...CLIENT, "lcp-echo-interval", "1"]);
  until(link, () => link.isUp);
  reader.isFull = true;
  link.time.run(5000);
  reader.isFull = false;
  link.time.run(2000);
  const comments = reader.read.packets.flatMap((packet) => packet.comments);
  expect(comments.filter((text) => /^\d+ packets were not captured here$/.test(text))).toHaveLength(1);
});

test("bad frames are in the capture as a number, before the packet that comes after them", () => {
  const link = new Laplink({ seed: 37 });
  const pppd = link.computers[0].start([...SERVER, "persist"]);
  const reader = new Reader(pppd);
  link.computers[1].start([...CLIENT, "persist", "lcp-echo-interval", "1"]);
  until(link, () => link.isUp);
  link.cables[0]!.damage = 0.01;
  const isCounted = (text: string): boolean => /^\d+ bad frames? received before this one$/.test(text);
  until(link, () => reader.read.packets.some(({ comments }) => comments.some(isCounted)));
});

test("a bundle is one capture with an interface for each line", () => {
  const link = new Laplink({ seed: 35, cables: 2 });
  const bundle = ["multilink", "mpdevice", "/dev/ttyUSB1"];
  const pppd = link.computers[0].start([...SERVER, ...bundle]);
  const reader = new Reader(pppd, "both");
  link.computers[1].start([...CLIENT, ...bundle]);
  until(link, () => link.isUp);
  link.time.run(500);
  talk(link, 10);
  const { packets, notes } = reader.read;
  expect([...new Set(packets.map(({ line }) => line))].toSorted()).toEqual(["/dev/ttyUSB0", "/dev/ttyUSB1", "ppp0"]);
  expect(notes).toContain("ppp0: IPv4 is up: 10.0.0.1, peer 10.0.0.2");
});

test("the packets of SLIP are there without any wish, and are kept", () => {
  const link = new Laplink({ seed: 36 });
  const slip = ["slip", "10.0.0.1:10.0.0.2"];
  const pppd = link.computers[0].start([...LINE, "noauth", ...slip]);
  const reader = new Reader(pppd);
  link.computers[1].start([...LINE, "noauth", "slip", "10.0.0.2:10.0.0.1"]);
  until(link, () => link.isUp);
  talk(link, 3);
  for (const one of [reader, new Reader(pppd, "line", 10_000)])
    for (const isSent of [true, false]) expect(one.count(isSent, "21")).toBeGreaterThan(0);
});
