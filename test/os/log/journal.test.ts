import { dlopen } from "bun:ffi";
import { afterEach, expect, test } from "bun:test";
import { fstatSync } from "node:fs";
import { textOf } from "../../../src/bytes/text.ts";
import { journalAt } from "../../../src/os/log/journal.ts";
import { check, closeFd, libc, Memory, setNonblocking } from "../../../src/os/ffi/libc.ts";
import { Log } from "../../../src/os/log/log-writer.ts";
import { Syslog } from "../../../src/os/log/syslog-client.ts";
import { Datagrams } from "../../kit/datagrams.ts";

const unix = dlopen("libc.so.6", { socketpair: { args: ["i32", "i32", "i32", "ptr"], returns: "i32" } }).symbols;
const AF_UNIX = 1;
const STREAM = 1;

/** Both ends of a stream like the one that systemd gives to a service: ours and the journal's. */
function stream(): { ours: number; heard: () => string; name: string } {
  const two = new Memory(8);
  check(unix.socketpair(AF_UNIX, STREAM, 0, two.address), "socketpair");
  const [ours, theirs] = [two.view.getInt32(0, true), two.view.getInt32(4, true)];
  setNonblocking(theirs, true);
  open.push(ours, theirs);
  const { dev, ino } = fstatSync(ours);
  const memory = new Memory(1 << 20);
  const heard = (): string => {
    const got = libc.recv(theirs, memory.address, memory.bytes.length, 0);
    return got <= 0 ? "" : textOf(memory.bytes, 0, got);
  };
  return { ours, heard, name: `${dev}:${ino}` };
}
let open: number[] = [];
afterEach(() => {
  for (const fd of open) closeFd(fd);
  open = [];
  delete process.env["JOURNAL_STREAM"];
});

test("lines for the journal have their priority in front, each of them, and go nowhere else", () => {
  const { ours, heard, name } = stream();
  const path = `@nullmodem-journal-${process.pid}`;
  const syslogd = new Datagrams(path);
  const syslog = new Syslog("pppd", "local2", { pid: true, path });
  process.env["JOURNAL_STREAM"] = name;
  const log = new Log(syslog, ours, false);
  log.write("notice", "Connect: ppp0 <--> /dev/ttyS1");
  log.write("debug", "not wanted");
  log.write("error", "a bug\nof ours");
  log.note("info", "Exit.");
  expect(heard()).toBe("<5>Connect: ppp0 <--> /dev/ttyS1\n<3>a bug\\x0aof ours\n<6>Exit.\n");
  expect(syslogd.take()).toEqual([]);
  syslogd.close();
});

test("another descriptor than the one it is said of is no journal", () => {
  const { ours, name } = stream();
  const other = stream();
  expect(journalAt(ours, other.name)).toBeUndefined();
  expect(journalAt(ours, undefined)).toBeUndefined();
  expect(journalAt(undefined, name)).toBeUndefined();
  expect(journalAt(999, name)).toBeUndefined();
  expect(journalAt(ours, name)).toBeDefined();
});

test("a journal that does not read keeps nobody waiting; it gets whole lines in order, and hears what was lost", async () => {
  const { ours, heard, name } = stream();
  const journal = journalAt(ours, name)!;
  const LINES = 400;
  for (let nth = 0; nth < LINES; nth++) expect(journal.write("info", `${nth} ${"x".repeat(3000)}`)).toBe(true);
  let text = "";
  const deadline = performance.now() + 10_000;
  while (!text.includes("lost\n") && performance.now() < deadline) {
    text += heard();
    await Bun.sleep(1);
  }
  const lines = text.trimEnd().split("\n");
  const lost = Number(/^<4>(\d+) messages lost$/.exec(lines.pop()!)![1]);
  expect(lost).toBeGreaterThan(0);
  expect(lines.map((line) => Number(/^<6>(\d+) x{3000}$/.exec(line)![1]))).toEqual([...Array(LINES - lost).keys()]);
  expect(journal.write("notice", "next")).toBe(true);
  expect(heard()).toBe("<5>next\n");
});

test("a journal that nobody reads any more says so, and syslog gets the line", () => {
  const { ours, name } = stream();
  const journal = journalAt(ours, name)!;
  closeFd(open.pop()!);
  expect(journal.write("info", "lost")).toBe(false);
  expect(journal.write("info", "lost")).toBe(false);
});
