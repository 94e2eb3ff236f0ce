import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { textOf } from "../../../src/bytes/text.ts";
import { check, closeFd, libc, Memory, setNonblocking } from "../../../src/os/ffi/libc.ts";
import { Syslog } from "../../../src/os/log/syslog-client.ts";

const AF_UNIX = 1;
const DGRAM = 2;

/** A daemon's socket. */
function listen(path: string): number {
  const fd = check(libc.socket(AF_UNIX, DGRAM, 0), "socket");
  const address = new Memory(2 + path.length + 1);
  address.view.setUint16(0, AF_UNIX, true);
  address.bytes.set(Buffer.from(path), 2);
  check(libc.bind(fd, address.address, address.bytes.length), "bind", path);
  setNonblocking(fd, true);
  return fd;
}

function received(fd: number): string | undefined {
  const memory = new Memory(65536);
  const count = libc.recv(fd, memory.address, memory.bytes.length, 0);
  return count < 0 ? undefined : textOf(memory.bytes, 0, count);
}

async function withPath(run: (path: string) => void | Promise<void>) {
  const folder = mkdtempSync(join(tmpdir(), "syslog-"));
  try {
    await run(join(folder, "log"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const DATE = "[A-Z][a-z]{2} [ 123]\\d \\d\\d:\\d\\d:\\d\\d";

describe("Syslog", () => {
  test("one datagram a message, as libc writes it", () =>
    withPath((path) => {
      const daemon = listen(path);
      const log = new Syslog("chat", "local2", { pid: true, path });
      log.write("info", "send (AT^M)");
      log.write("err", "Failed");
      log.write("debug", "");
      // local2 is 18: 18 * 8 + 6, + 3, + 7.
      expect(received(daemon)).toMatch(new RegExp(`^<150>${DATE} chat\\[${process.pid}\\]: send \\(AT\\^M\\)$`));
      expect(received(daemon)).toMatch(new RegExp(`^<147>${DATE} chat\\[${process.pid}\\]: Failed$`));
      expect(received(daemon)).toMatch(new RegExp(`^<151>${DATE} chat\\[${process.pid}\\]: $`));
      expect(received(daemon)).toBeUndefined();
      closeFd(daemon);
    }));

  test("without the pid, in another facility, in UTF-8", () =>
    withPath((path) => {
      const daemon = listen(path);
      const log = new Syslog("pppd", "daemon", { pid: false, path });
      log.write("notice", "\u00fc");
      expect(received(daemon)).toMatch(new RegExp(`^<29>${DATE} pppd: \xc3\xbc$`));
      closeFd(daemon);
    }));

  test("a daemon that comes back hears the next message", () =>
    withPath((path) => {
      const first = listen(path);
      const log = new Syslog("x", "local2", { pid: false, path });
      log.write("info", "one");
      expect(received(first)).toEndWith("one");
      closeFd(first);
      unlinkSync(path);
      const second = listen(path);
      log.write("info", "two");
      expect(received(second)).toEndWith("two");
      closeFd(second);
    }));

  test("what is said while there is no daemon is heard by the next one, in order", () =>
    withPath(async (path) => {
      const log = new Syslog("x", "local2", { pid: false, path });
      log.write("info", "early");
      const daemon = listen(path);
      const heard: string[] = [];
      const deadline = performance.now() + 5000;
      for (let nth = 0; heard.length === 0 && performance.now() < deadline; nth++) {
        log.write("info", `${nth}`);
        for (let next; (next = received(daemon)) !== undefined;) heard.push(next.slice(next.lastIndexOf(" ") + 1));
        await Bun.sleep(50);
      }
      expect(heard.slice(0, 3)).toEqual(["early", "0", "1"]);
      closeFd(daemon);
    }));

  test("a daemon that does not read keeps nobody waiting, and hears all when it does", () =>
    withPath(async (path) => {
      const daemon = listen(path);
      const log = new Syslog("x", "local2", { pid: false, path });
      const startedAt = performance.now();
      for (let nth = 0; nth < 1500; nth++) log.write("info", `${nth}`);
      // With a wait of 100 ms for each, this took minutes.
      expect(performance.now() - startedAt).toBeLessThan(10_000);
      const heard: number[] = [];
      const deadline = performance.now() + 20_000;
      while (heard.length < 1500 && performance.now() < deadline) {
        for (let next; (next = received(daemon)) !== undefined;) heard.push(Number(next.split(" ").at(-1)));
        await Bun.sleep(5);
      }
      expect(heard).toEqual(Array.from({ length: 1500 }, (_, nth) => nth));
      closeFd(daemon);
    }));

  test("those who write to one daemon are heard in the order in which they wrote", () =>
    withPath(async (path) => {
      const daemon = listen(path);
      const two = ["pppd", "chat"].map((name) => new Syslog(name, "local2", { pid: false, path }));
      for (let nth = 0; nth < 600; nth++) two[nth % 2]!.write("info", `${nth}`);
      const heard: number[] = [];
      const deadline = performance.now() + 20_000;
      while (heard.length < 600 && performance.now() < deadline) {
        for (let next; (next = received(daemon)) !== undefined;) heard.push(Number(next.split(" ").at(-1)));
        await Bun.sleep(5);
      }
      expect(heard).toEqual(Array.from({ length: 600 }, (_, nth) => nth));
      closeFd(daemon);
    }));

  test("a message too long for a datagram is lost alone, which is said", () =>
    withPath((path) => {
      const daemon = listen(path);
      const log = new Syslog("x", "local2", { pid: false, path });
      log.write("info", "z".repeat(1_000_000));
      log.write("info", "next");
      expect(received(daemon)).toEndWith("x: 1 message lost");
      expect(received(daemon)).toEndWith("next");
      closeFd(daemon);
    }));

  test("a stream socket gets a NUL after each message", () =>
    withPath(async (path) => {
      let heard = "";
      const server = Bun.listen({ unix: path, socket: { data: (_, bytes) => void (heard += textOf(bytes)) } });
      const log = new Syslog("x", "local2", { pid: false, path });
      log.write("info", "one");
      log.write("info", "two");
      const deadline = performance.now() + 5000;
      while (!heard.endsWith("two\0") && performance.now() < deadline) await Bun.sleep(5);
      expect(heard).toMatch(new RegExp(`^<150>${DATE} x: one\\0<150>${DATE} x: two\\0$`));
      server.stop(true);
    }));

  test("a path longer than an address and a missing socket are silent", () => {
    for (const path of ["/nonexistent/log", `/tmp/${"x".repeat(200)}`]) {
      const log = new Syslog("x", "local2", { pid: false, path });
      log.write("info", "lost");
      log.write("info", "lost too");
    }
  });
});

test("logTime has local time, and pads the day with a blank", () => {
  // A process of its own: bun test has the time zone UTC, and the C library does not hear of it.
  const source = join(import.meta.dir, "../../../src/os/log/syslog-client.ts");
  const program = `
    const { logTime } = await import(${JSON.stringify(source)});
    for (const time of ["2026-01-02T03:04:05.999Z", "2026-07-01T12:00:00Z", "2027-01-01T00:00:00Z"])
      console.log(logTime(Date.parse(time)));`;
  const env = { ...process.env, TZ: "EST5EDT,M3.2.0,M11.1.0" };
  const { stdout, stderr } = Bun.spawnSync([process.execPath, "-e", program], { env, stderr: "pipe" });
  expect([stdout.toString(), stderr.toString()]).toEqual(["Jan  1 22:04:05\nJul  1 08:00:00\nDec 31 19:00:00\n", ""]);
});
