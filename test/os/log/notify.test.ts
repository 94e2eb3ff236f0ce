import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Notifier, takeNotifier } from "../../../src/os/log/notify.ts";
import { Datagrams } from "../../kit/datagrams.ts";
import { openedSince, openFds } from "../../kit/fds.ts";

const folder = mkdtempSync(join(tmpdir(), "nullmodem-notify-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

for (const name of [join(folder, "notify"), `@nullmodem-notify-${process.pid}`]) {
  test(`a manager at ${name[0]}…: ready with the first status, each said once, nothing after the end`, () => {
    const manager = new Datagrams(name);
    const before = openFds();
    const notifier = new Notifier(name);
    for (const status of ["waiting for the peer", "waiting for the peer", "up: 10.0.0.1 <-> 10.0.0.2"])
      notifier.status(status);
    for (let times = 0; times < 2; times++) notifier.stopping();
    notifier.status("waiting for the peer");
    expect(manager.take()).toEqual([
      "READY=1\nSTATUS=waiting for the peer",
      "STATUS=up: 10.0.0.1 <-> 10.0.0.2",
      "STOPPING=1\nSTATUS=ending",
    ]);
    expect(openedSince(before)).toEqual([]);
    manager.close();
  });
}

test("up_sdnotify: started is what is up", () => {
  const name = `@nullmodem-up-${process.pid}`;
  const manager = new Datagrams(name);
  const notifier = new Notifier(name);
  notifier.startsUp = true;
  notifier.status("waiting for the peer");
  notifier.status("up: 10.0.0.1 <-> 10.0.0.2", true);
  notifier.status("waiting for the peer");
  const [waiting, up] = ["STATUS=waiting for the peer", "STATUS=up: 10.0.0.1 <-> 10.0.0.2"];
  expect(manager.take()).toEqual([waiting, `READY=1\n${up}`, waiting]);
  manager.close();
});

test("a sign of life is due at half the time, and is none when nobody asks or somebody else is meant", () => {
  const name = `@nullmodem-watchdog-${process.pid}`;
  const manager = new Datagrams(name);
  const watched = takeNotifier(
    { NOTIFY_SOCKET: name, WATCHDOG_USEC: "3000000", WATCHDOG_PID: "17" },
    { pid: 17, ppid: 1 },
  );
  expect([watched.beatMs, watched.beatAt]).toEqual([1500, 0]);
  watched.beat(100);
  expect(watched.beatAt).toBe(1600);
  expect(manager.take()).toEqual(["WATCHDOG=1"]);
  for (const environment of [
    { NOTIFY_SOCKET: name, WATCHDOG_USEC: "3000000", WATCHDOG_PID: "18" },
    { NOTIFY_SOCKET: name, WATCHDOG_USEC: "soon" },
    { WATCHDOG_USEC: "3000000" },
  ]) {
    const other = takeNotifier(environment, { pid: 17, ppid: 1 });
    other.beat(0);
    expect(other.beatAt).toBe(Infinity);
  }
  expect(manager.take()).toEqual([]);
  manager.close();
});

test("it is the service itself if the manager started it, and not what started it", () => {
  const isService = (ppid: number, more: Record<string, string>): boolean =>
    takeNotifier({ ...more }, { pid: 17, ppid }).isService;
  const NOTIFY_SOCKET = "/run/nobody";
  expect(isService(9, { NOTIFY_SOCKET, SYSTEMD_EXEC_PID: "17" })).toBe(true);
  expect(isService(1, { NOTIFY_SOCKET, SYSTEMD_EXEC_PID: "16" })).toBe(false);
  expect(isService(1, { NOTIFY_SOCKET })).toBe(true);
  expect(isService(9, { NOTIFY_SOCKET })).toBe(false);
  expect(isService(1, { SYSTEMD_EXEC_PID: "17" })).toBe(false);
});

test("the environment loses what is for us alone", () => {
  const environment = { PATH: "/bin", NOTIFY_SOCKET: "/run/x", WATCHDOG_USEC: "1", WATCHDOG_PID: "1" };
  takeNotifier(environment);
  expect(environment).toEqual({ PATH: "/bin" } as typeof environment);
});

test("nobody listens, or no socket that there could be: nothing happens", () => {
  const before = openFds();
  for (const name of [join(folder, "nobody"), "vsock:2:1234", `/${"x".repeat(200)}`, "", undefined])
    new Notifier(name, 1000).status("waiting for the peer");
  expect(openedSince(before)).toEqual([]);
});
