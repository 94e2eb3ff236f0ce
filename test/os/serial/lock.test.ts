import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closeFd } from "../../../src/os/ffi/libc.ts";
import { lockDevice, LockError, lockName } from "../../../src/os/serial/lock.ts";
import { openersOf } from "../../../src/os/serial/openers.ts";
import { openPty } from "../../../src/os/serial/pty.ts";
import { removeResolvConf, writeResolvConf } from "../../../src/os/net/resolv-conf.ts";
import { noNetns } from "../../kit/netns.ts";
import { asStranger, PUBLIC_ROOT } from "../../kit/stranger.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "nullmodem-lock-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

test("a lock can be passed to another process and back, and is removed only while it is ours", () => {
  const lock = lockDevice("/dev/ttyS1", { directory });
  lock.pass(1);
  expect(readFileSync(lock.path, "latin1")).toBe("         1\n");
  expect(troubleOf("/dev/ttyS1").holder).toBe(1);
  lock.pass(process.pid);
  expect(readFileSync(lock.path, "latin1")).toBe(`${String(process.pid).padStart(10)}\n`);
  writeFileSync(lock.path, "         1\n");
  lock.pass(2);
  lock.unlock();
  expect(readFileSync(lock.path, "latin1")).toBe("         1\n");
});

test("a lock that has become a link is not passed: what it leads to stays as it is", () => {
  const lock = lockDevice("/dev/ttyS1", { directory });
  const other = join(directory, "another.pid");
  writeFileSync(other, `${process.pid}\n`);
  rmSync(lock.path);
  symlinkSync(other, lock.path);
  lock.pass(1);
  expect(readFileSync(other, "latin1")).toBe(`${process.pid}\n`);
});

/** A process id that was in use a moment ago. */
function deadPid(): number {
  return Bun.spawnSync(["true"]).pid;
}

function troubleOf(device: string): LockError {
  try {
    lockDevice(device, { directory });
  } catch (error) {
    if (error instanceof LockError) return error;
    throw error;
  }
  throw new Error("locked");
}

test.each([
  ["/dev/ttyS1", "ttyS1"],
  ["/dev/pts/3", "pts_3"],
  ["/dev/serial/by-id/usb-x", "serial_by-id_usb-x"],
  ["/tmp/line", "line"],
])("lockName of %s", (device, name) => expect(lockName(device)).toBe(name));

describe("lockDevice", () => {
  test("a second session of this process does not get the port, until the first has given it back", () => {
    const first = lockDevice("/dev/ttyS1", { directory });
    expect(troubleOf("/dev/ttyS1").message).toBe(`Device ttyS1 is locked by pid ${process.pid}`);
    first.unlock();
    lockDevice("/dev/ttyS1", { directory }).unlock();
    expect(readdirSync(directory)).toEqual([]);
  });

  test("writes the pid in ten columns, readable by all, and takes it away again", () => {
    const lock = lockDevice("/dev/ttyS1", { directory });
    const path = join(directory, "LCK..ttyS1");
    expect(lock.path).toBe(path);
    expect(lock.notice).toBeUndefined();
    expect(readFileSync(path, "utf8")).toBe(`${String(process.pid).padStart(10)}\n`);
    expect(readFileSync(path, "utf8")).toHaveLength(11);
    expect(statSync(path).mode & 0o777).toBe(0o644);
    lock.unlock();
    expect(existsSync(path)).toBe(false);
    lock.unlock();
  });

  test("refuses a line that a living process holds", () => {
    const path = join(directory, "LCK..ttyS1");
    writeFileSync(path, `${String(process.ppid).padStart(10)}\n`);
    const trouble = troubleOf("/dev/ttyS1");
    expect(trouble.message).toBe(`Device ttyS1 is locked by pid ${process.ppid}`);
    expect(trouble.holder).toBe(process.ppid);
    expect(existsSync(path)).toBe(true);
  });

  test.each(["%10d\n", "%d", "%d minicom root\n"])("removes a stale lock written as %j", (format) => {
    const pid = deadPid();
    const text = format.replace("%10d", String(pid).padStart(10)).replace("%d", String(pid));
    writeFileSync(join(directory, "LCK..ttyS1"), text);
    const lock = lockDevice("/dev/ttyS1", { directory });
    expect(lock.notice).toBe(`Removed stale lock on ttyS1 (pid ${pid})`);
    expect(readFileSync(lock.path, "utf8")).toBe(`${String(process.pid).padStart(10)}\n`);
  });

  test("a lock file without a number counts as stale", () => {
    writeFileSync(join(directory, "LCK..ttyS1"), "junk\n");
    expect(lockDevice("/dev/ttyS1", { directory }).notice).toBe("Removed stale lock on ttyS1 (pid 0)");
  });

  // kill(2) takes 0 and -1 for groups of processes, which exist.
  test.each([0, -1, -2])("no process has the number %d: the lock is stale", (pid) => {
    writeFileSync(join(directory, "LCK..ttyS1"), `${String(pid).padStart(10)}\n`);
    const lock = lockDevice("/dev/ttyS1", { directory });
    expect(lock.notice).toBe(`Removed stale lock on ttyS1 (pid ${pid})`);
    expect(readFileSync(lock.path, "utf8")).toBe(`${String(process.pid).padStart(10)}\n`);
  });

  test("cannot tell whose lock an empty file is", () => {
    const path = join(directory, "LCK..ttyS1");
    writeFileSync(path, "");
    expect(troubleOf("/dev/ttyS1").message).toBe(`Can't read pid from lock file ${path}`);
    expect(existsSync(path)).toBe(true);
  });

  test("a lock with our own pid is ours", () => {
    const path = join(directory, "LCK..ttyS1");
    writeFileSync(path, `${String(process.pid).padStart(10)}\n`);
    const lock = lockDevice("/dev/ttyS1", { directory });
    expect(lock.notice).toBeUndefined();
    lock.unlock();
    expect(existsSync(path)).toBe(false);
  });

  test("a FIFO, a device or a huge file in its place causes no wait", () => {
    const path = join(directory, "LCK..ttyS1");
    const message = `Can't read pid from lock file ${path}`;
    expect(Bun.spawnSync(["mkfifo", path]).exitCode).toBe(0);
    expect(troubleOf("/dev/ttyS1").message).toBe(message);
    rmSync(path);
    symlinkSync("/dev/zero", path);
    expect(troubleOf("/dev/ttyS1").message).toBe(message);
    rmSync(path);
    writeFileSync(path, `${String(process.ppid).padStart(10)}\n`);
    truncateSync(path, 20e9);
    expect(troubleOf("/dev/ttyS1").holder).toBe(process.ppid);
  });

  test("a lock that is older than its process is stale, unless the process has the device open", async () => {
    const { master, slave } = openPty();
    const path = join(directory, `LCK..${lockName(slave)}`);
    const holder = Bun.spawn(["sleep", "60"]);
    const user = Bun.spawn(["sh", "-c", `exec sleep 60 <${slave}`]);
    try {
      const lockedBy = (pid: number, secondsAgo: number): void => {
        writeFileSync(path, `${String(pid).padStart(10)}\n`);
        const then = Date.now() / 1000 - secondsAgo;
        utimesSync(path, then, then);
      };
      lockedBy(holder.pid, 0);
      expect(troubleOf(slave).holder).toBe(holder.pid);
      lockedBy(holder.pid, 3600);
      const lock = lockDevice(slave, { directory });
      expect(lock.notice).toBe(`Removed stale lock on ${lockName(slave)} (pid ${holder.pid})`);
      lock.unlock();
      while (!openersOf(slave).some(({ pid }) => pid === user.pid)) await Bun.sleep(1);
      lockedBy(user.pid, 3600);
      expect(troubleOf(slave).holder).toBe(user.pid);
    } finally {
      for (const child of [holder, user]) {
        child.kill();
        await child.exited;
      }
      closeFd(master);
    }
  });

  test("makes the directory, behind a link to a place that is gone as well", () => {
    lockDevice("/dev/ttyS1", { directory: join(directory, "var/lock") });
    expect(statSync(join(directory, "var/lock")).mode & 0o777).toBe(0o755);
    symlinkSync("run/lock", join(directory, "link"));
    lockDevice("/dev/ttyS1", { directory: join(directory, "link") });
    expect(existsSync(join(directory, "run/lock/LCK..ttyS1"))).toBe(true);
  });

  test("says what is wrong with the directory", () => {
    writeFileSync(join(directory, "file"), "");
    const path = join(directory, "file/none");
    expect(() => lockDevice("/dev/ttyS1", { directory: path })).toThrow(
      `Can't create lock file ${path}/LCK..ttyS1: Not a directory`,
    );
    mkdirSync(join(directory, "LCK..ttyS2"));
    expect(troubleOf("/dev/ttyS2").message).toBe(
      `Can't open existing lock file ${directory}/LCK..ttyS2: Is a directory`,
    );
  });

  test("works through a symbolic link, as /var/lock is one to /run/lock", () => {
    mkdirSync(join(directory, "run"));
    symlinkSync("run", join(directory, "var"));
    const lock = lockDevice("/dev/ttyS1", { directory: join(directory, "var") });
    expect(existsSync(join(directory, "run/LCK..ttyS1"))).toBe(true);
    lock.unlock();
    expect(existsSync(join(directory, "run/LCK..ttyS1"))).toBe(false);
  });

  test("follows no dangling link in its place", () => {
    symlinkSync("victim", join(directory, "LCK..ttyS1"));
    expect(troubleOf("/dev/ttyS1").message).toBe(
      `Can't open existing lock file ${directory}/LCK..ttyS1: No such file or directory`,
    );
    expect(existsSync(join(directory, "victim"))).toBe(false);
  });
});

const strangerMissing = process.getuid?.() === 0 && Bun.which("setpriv") ? undefined : "needs root and setpriv";
test.skipIf(strangerMissing !== undefined)(
  `a user who may not write there is told so, but first whose lock it is${strangerMissing ? ` [skipped: ${strangerMissing}]` : ""}`,
  () => {
    const path = `${PUBLIC_ROOT}/src/os/serial/lock.ts`;
    const source = `const { lockDevice } = await import("${path}");
      try { lockDevice("/dev/ttyS1", { directory: ${JSON.stringify(directory)} }); }
      catch ({ message, denied, holder }) { console.log(JSON.stringify({ message, denied, holder })); }`;
    const said = (): unknown =>
      JSON.parse(Bun.spawnSync([...asStranger(), process.execPath, "-e", source]).stdout.toString());
    const lock = join(directory, "LCK..ttyS1");
    chmodSync(directory, 0o755);
    expect(said()).toEqual({ message: `Can't create lock file ${lock}: Permission denied`, denied: directory });
    // A stale lock of another user in a folder of mode 1777.
    writeFileSync(lock, `${String(deadPid()).padStart(10)}\n`);
    chmodSync(directory, 0o1777);
    expect(said()).toEqual({ message: "Couldn't remove stale lock on ttyS1", denied: directory });
    writeFileSync(lock, `${String(process.pid).padStart(10)}\n`);
    chmodSync(directory, 0o755);
    expect(said()).toEqual({ message: `Device ttyS1 is locked by pid ${process.pid}`, holder: process.pid });
  },
);

test.skipIf(noNetns !== undefined)("with the disk full nothing is left of a lock file", () => {
  const place = join(directory, "full");
  mkdirSync(place);
  expect(Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=4096", "none", place]).exitCode).toBe(0);
  try {
    writeFileSync(join(place, "filler"), new Uint8Array(4096));
    expect(() => lockDevice("/dev/ttyS1", { directory: place })).toThrow("No space left on device");
    expect(readdirSync(place)).toEqual(["filler"]);
  } finally {
    Bun.spawnSync(["umount", place]);
  }
});

describe("resolv.conf", () => {
  test("has a line for each server, one for two that are equal, and is written anew each time", () => {
    const path = join(directory, "resolv.conf");
    expect(writeResolvConf(directory, ["10.0.0.53", "10.0.0.53"])).toBeUndefined();
    expect(readFileSync(path, "utf8")).toBe("nameserver 10.0.0.53\n");
    writeResolvConf(directory, ["1.1.1.1"]);
    expect(readFileSync(path, "utf8")).toBe("nameserver 1.1.1.1\n");
    expect(statSync(path).mode & 0o777).toBe(0o644);
    removeResolvConf(directory);
    removeResolvConf(directory);
    expect(existsSync(path)).toBe(false);
  });

  test("says what went wrong", () => {
    expect(writeResolvConf(join(directory, "none"), [])).toBe(
      `Failed to create ${directory}/none/resolv.conf: No such file or directory`,
    );
    removeResolvConf(join(directory, "none"));
  });
});
