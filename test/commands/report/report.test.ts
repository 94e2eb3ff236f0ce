// nullmodem report: the page of a session of the history, and of a record file.

import { beforeEach, expect, test } from "bun:test";
import { report, type ReportHost } from "../../../src/commands/report/report.ts";
import { RecordWriter } from "../../../src/record/pppdump-file.ts";
import type { SessionRecord } from "../../../src/record/session-record.ts";
import { OsError } from "../../../src/os/ffi/libc.ts";
import { frameOf } from "../../kit/raw-peer.ts";

const EEXIST = 17;
const BEGAN = new Date(2026, 10, 30, 21, 5).getTime();
const SESSION: SessionRecord = {
  began: BEGAN,
  pid: 812,
  device: "/dev/ttyS0",
  seconds: 4,
  exit: 15,
  interface: "ppp0",
  peer: "<script>alert(1)</script>",
  our: "192.168.0.1",
  their: "192.168.1.1",
  speed: 115200,
  in: 6000,
  out: 60,
  bad: 2,
  samples: { every: 2, in: [2000, 4000], out: [60, 0], bad: [0, 2], rtt: [80, -1] },
};

const written = new Map<string, string>();
let printed = "";
beforeEach(() => {
  written.clear();
  printed = "";
});

function hostOf(sessions: readonly SessionRecord[], file: Uint8Array = new Uint8Array(0)): ReportHost {
  return {
    sessions: () => [...sessions],
    isUp: () => false,
    links: () => [],
    read: (path) => {
      if (path !== "rec") throw new OsError("open", path, 2);
      return file;
    },
    make: (path, text) => {
      if (written.has(path)) throw new OsError("open", path, EEXIST);
      written.set(path, text);
    },
    write: (path, text) => void written.set(path, text),
    print: (text) => void (printed += text),
    system: "Linux 6.1.0 x64",
  };
}

/** What a reader of the page gets, without marks. */
function textOf(page: string): string {
  return page
    .replace(/<style>.*<\/style>/s, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ");
}

test("the last session is drawn, and what the peer is called is only text", async () => {
  const earlier = { ...SESSION, began: BEGAN - 60_000, interface: "ppp1" };
  const failed = { ...SESSION, began: BEGAN + 60_000, failures: 3, exit: 8, samples: undefined };
  expect(await report([], hostOf([earlier, SESSION, failed]))).toBe(0);
  const [[path, page]] = [...written] as [[string, string]];
  expect(path).toBe("nullmodem-ppp0-2026-11-30-2105.html");
  const text = textOf(page);
  expect(text).toContain("ended nothing comes from the other end any more");
  expect(text).toContain("received : 1.5 kB/s on average, 2.0 kB/s at most");
  expect(text).toContain("LCP echo : 80 ms on average");
  expect(text).toContain("not up, 3 times: the connect script failed");
  expect(page).not.toContain("<script");
  // The page asks nobody for anything.
  expect(page).not.toMatch(/https?:|src=|url\(|@import/);
  expect(page.match(/<svg /g)).toHaveLength(3);
  // Two samples of 2000 and 4000 octets in 2 s each: 1000 and 2000 a second, where 2000 is the top of the graph.
  expect(page).toContain('<path class="curve in" d="M64 68H386L386 8H708"/>');
});

test("a report that is there is kept, and another link can be asked for", async () => {
  const host = hostOf([{ ...SESSION, interface: "ppp1" }, SESSION]);
  await report([], host);
  await report([], host);
  await report(["ppp1", "-o", "mine.html"], host);
  expect([...written.keys()]).toEqual([
    "nullmodem-ppp0-2026-11-30-2105.html",
    "nullmodem-ppp0-2026-11-30-2105-2.html",
    "mine.html",
  ]);
  await report(["--output=-"], host);
  expect(printed).toStartWith("<!DOCTYPE html>");
  expect(await report(["ppp7"], host)).toBe(1);
  expect(await report(["--record", "nowhere"], host)).toBe(1);
  for (const words of [["a", "b"], ["--record"], ["-x"], ["a", "--record", "rec"]])
    expect(await report(words, host)).toBe(2);
});

const PAP_REQUEST = Buffer.from("\xc0\x23\x01\x01\x00\x14\x06zaphod\x08gargle42", "latin1");
const ECHO_REQUEST = Buffer.from("\xc0\x21\x09\x07\x00\x08\x00\x00\x00\x01", "latin1");
const ECHO_REPLY = Buffer.from("\xc0\x21\x0a\x07\x00\x08\x00\x00\x00\x02", "latin1");
/** A Protocol-Reject of LCP that repeats the request with the password. */
const REJECT = Buffer.concat([Buffer.from([0xc0, 0x21, 8, 9, 0, 4 + PAP_REQUEST.length]), PAP_REQUEST]);
const CHALLENGE = Buffer.from("\xc2\x23\x02\x01\x00\x0c\x04\xaa\xbb\xcc\xddjoe", "latin1");

function recorded(): Uint8Array {
  const writer = new RecordWriter(BEGAN);
  const at = (seconds: number, isSent: boolean, octets: Uint8Array): Uint8Array => {
    const put = isSent ? writer.sent : writer.received;
    return put.call(writer, octets, 0, octets.length, BEGAN + seconds * 1000).slice();
  };
  return Buffer.concat([
    writer.start().slice(),
    at(0, true, frameOf(PAP_REQUEST)),
    at(0.2, false, frameOf(REJECT)),
    at(0.4, true, frameOf(CHALLENGE)),
    at(1, true, frameOf(ECHO_REQUEST)),
    at(1.3, false, frameOf(ECHO_REPLY)),
    at(2, false, Buffer.from("~damaged~")),
  ]);
}

test("a record file has its packets and echoes, and no secret", async () => {
  expect(await report(["--record", "rec", "-o", "out.html"], hostOf([], recorded()))).toBe(0);
  const page = written.get("out.html")!;
  const text = textOf(page);
  expect(text).toContain("sent [PAP AuthReq id=0x1 …]");
  expect(text).toContain("rcvd [LCP ProtRej id=0x9 …]");
  expect(text).toContain("sent [CHAP Response id=0x1 …]");
  expect(text).toContain("LCP echo : 300 ms on average");
  expect(text).toContain("bad frames 1");
  for (const secret of ["gargle42", "zaphod", "aabbccdd", Buffer.from("gargle42").toString("hex")])
    expect(page).not.toContain(secret);
  expect(page.replaceAll(/[ ,]/g, "")).not.toContain(Buffer.from("gargle42").toString("hex"));
});

test("damaged record files are survived, and a file that is none is refused", async () => {
  const whole = recorded();
  for (let length = 0; length < whole.length; length++)
    expect([0, 1]).toContain(await report(["--record", "rec", "-o", "-"], hostOf([], whole.subarray(0, length))));
  expect(await report(["--record", "rec"], hostOf([], Buffer.from("no record")))).toBe(1);
});
