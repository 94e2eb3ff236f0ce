import { afterEach, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { thisMachine } from "../../../src/applets/this-machine.ts";
import { closeFd, ENOTTY, EACCES, ENOENT, EBUSY, EIO, EPERM, OsError } from "../../../src/os/ffi/libc.ts";
import { LockError } from "../../../src/os/serial/lock.ts";
import { groupOf, openersOf, programName } from "../../../src/os/serial/openers.ts";
import { openPty } from "../../../src/os/serial/pty.ts";
import { linesOf } from "../../../src/run/diagnose/finding.ts";
import { portTrouble } from "../../../src/run/diagnose/port-trouble.ts";

/** The lines of the log about an error of a port. */
function advice(path: string, error: OsError | LockError): string[] {
  return portTrouble(thisMachine, path, error).flatMap(linesOf);
}

let undo: (() => void)[] = [];
afterEach(() => {
  for (const each of undo) each();
  undo = [];
});

/** A port, and a program that has it open. */
async function openedBySleep(): Promise<{ port: string; pid: number }> {
  const { master, slave } = openPty();
  const child = Bun.spawn(["sh", "-c", 'exec <"$0"; echo ready; exec sleep 100', slave], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  undo.push(() => {
    child.kill("SIGKILL");
    closeFd(master);
  });
  await child.stdout.getReader().read();
  while (programName(child.pid) === "sh") await Bun.sleep(1);
  return { port: slave, pid: child.pid };
}

test("a program that has a port open is named by pid and name, without its arguments", async () => {
  const { port, pid } = await openedBySleep();
  expect(openersOf(port)).toEqual([{ pid, name: "sleep" }]);
  expect(advice(port, new OsError("open", port, EBUSY))).toEqual([`${port} is also open in sleep (pid ${pid})`]);
  expect(advice(port, new LockError("locked", pid))).toEqual([`Process ${pid} is sleep`]);
  expect(openersOf("/dev/nosuch")).toEqual([]);
  expect(advice(port, new LockError("locked", 0x7ffffff0))).toEqual([]);
});

test("the systemd unit that runs the program is named, and not the session of a user", () => {
  const proc = mkdtempSync(join(tmpdir(), "proc-"));
  undo.push(() => rmSync(proc, { recursive: true }));
  const process = (pid: number, name: string, parent: number, group: string): void => {
    mkdirSync(join(proc, String(pid), "fd"), { recursive: true });
    symlinkSync("/dev/null", join(proc, String(pid), "fd/0"));
    writeFileSync(join(proc, String(pid), "comm"), `${name}\n`);
    writeFileSync(join(proc, String(pid), "status"), `Name:\t${name}\nPPid:\t${parent}\n`);
    writeFileSync(join(proc, String(pid), "cgroup"), `${group}\n`);
  };
  const getty = "/system.slice/system-serial\\x2dgetty.slice/serial-getty@ttyS1.service";
  process(1001, "agetty", 1, `0::${getty}`);
  process(1002, "ModemManager", 1, "1:name=systemd:/system.slice/ModemManager.service");
  process(1003, "minicom", 1001, "0::/system.slice/ssh.service");
  process(1004, "minicom", 1, "0::/user.slice/user-0.slice/session-1.scope");
  expect(openersOf("/dev/null", proc).sort((a, b) => a.pid - b.pid)).toEqual([
    { pid: 1001, name: "agetty", unit: "serial-getty@ttyS1.service" },
    { pid: 1002, name: "ModemManager", unit: "ModemManager.service" },
    { pid: 1003, name: "minicom" },
    { pid: 1004, name: "minicom" },
  ]);
});

test("the group whose members may use the port is named", () => {
  const folder = mkdtempSync(join(tmpdir(), "port-"));
  undo.push(() => rmSync(folder, { recursive: true }));
  const port = join(folder, "ttyX");
  writeFileSync(port, "");
  chmodSync(port, 0o660);
  const { gid } = statSync(port);
  const group = Bun.spawnSync(["stat", "-c", "%G", port]).stdout.toString().trim();
  expect(groupOf(port)).toBe(group === "UNKNOWN" ? String(gid) : group);
  chmodSync(port, 0o620);
  expect(groupOf(port)).toBeUndefined();
  expect(advice(port, new OsError("open", port, EACCES))).toEqual([]);
});

test("a user who may not open the port is told which group may, or that none may", () => {
  const denied = (group: string | undefined, path = "/dev/ttyS0"): string[] => {
    const files = { ...thisMachine.files, isReadWritable: () => false };
    const serial = { ...thisMachine.serial, groupOf: () => group };
    const users = { ...thisMachine.users, ownName: () => "zaphod" };
    return portTrouble({ files, serial, users }, path, new OsError("open", path, EACCES)).flatMap(linesOf);
  };
  expect(denied("dialout")).toEqual([
    "/dev/ttyS0 belongs to the group dialout; sudo usermod -aG dialout zaphod, then log in again",
  ]);
  for (const none of [undefined, "root"])
    expect(denied(none)).toEqual(["No group of ordinary users may use /dev/ttyS0; as root it works: sudo"]);
  expect(advice("/dev/ttyS0", new OsError("open", "/dev/ttyS0", EPERM))).toEqual([
    "Not even root may open /dev/ttyS0 here; in a container: --device /dev/ttyS0",
  ]);
});

test("for a missing port the existing ones are named; for a file that is no port, that it is none", () => {
  expect(advice("/dev/ttyX", new OsError("open", "/dev/ttyX", ENOENT))).toEqual([
    expect.stringMatching(/^(Serial ports here: \/dev\/|No serial ports here$)/),
  ]);
  expect(advice("/dev/null", new OsError("tcgetattr", "/dev/null", ENOTTY))).toEqual([
    "/dev/null is not a serial port",
  ]);
  expect(advice("/dev/ttyS3", new OsError("tcgetattr", "/dev/ttyS3", EIO))[0]).toBe(
    "/dev/ttyS3 has no chip: the driver has only its name; use another port",
  );
});
