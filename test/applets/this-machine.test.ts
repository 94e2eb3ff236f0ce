// The real Machine: the properties that run/ relies on and that tests of os/ do not cover.

import { afterAll, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { thisMachine } from "../../src/applets/this-machine.ts";
import { Errno, hasCode, isHostError, Poll, reasonOf } from "../../src/run/machine.ts";
import { RecordFile } from "../../src/run/live/record-file.ts";

const { clock, descriptors, files, processes, serial } = thisMachine;
const folder = mkdtempSync(join(tmpdir(), "machine-"));
afterAll(() => rmSync(folder, { recursive: true }));

function errorOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}

test("each refusal by the host is a HostError with strerror's reason, from libc or from node:fs", () => {
  const nothing = join(folder, "nothing");
  for (const act of [() => files.open(nothing, "read"), () => files.list(nothing), () => files.realPath(nothing)]) {
    const error = errorOf(act);
    expect(isHostError(error)).toBe(true);
    expect(hasCode(error, "ENOENT")).toBe(true);
    expect(reasonOf(error)).toBe("No such file or directory");
  }
  const full = files.open("/dev/full", "append");
  expect(reasonOf(errorOf(() => files.write(full, Uint8Array.of(1))))).toBe("No space left on device");
  const device = files.open("/dev/null", "update");
  expect(
    hasCode(
      errorOf(() => files.readResized(device, "/dev/null", new Uint8Array(4))),
      "EINVAL",
    ),
  ).toBe(true);
  for (const fd of [full, device]) descriptors.close(fd);
  expect(reasonOf(new Error("a bug"))).toBe("Error: a bug");
});

test("questions about a path that does not exist have an answer", () => {
  const nothing = join(folder, "nothing");
  expect(files.isSymbolicLink(nothing)).toBe(false);
  expect(files.isRegularFile(nothing)).toBe(false);
  expect(files.isRegularFile(folder)).toBe(false);
  expect(files.isCharacterDevice(nothing)).toBe(false);
  expect(files.isExecutable(nothing)).toBe(false);
  expect(files.isReadWritable(nothing)).toBe(false);
  expect(files.isPipe(-1)).toBe(false);
});

test("a file is resized and read from its start, whatever its length", () => {
  const path = join(folder, "resized");
  for (const [before, expected] of [
    [
      [1, 2, 3, 4, 5],
      [1, 2, 3, 4],
    ],
    [
      [1, 2],
      [1, 2, 0, 0],
    ],
  ] as const) {
    writeFileSync(path, Uint8Array.from(before));
    const bytes = new Uint8Array(4);
    const fd = files.open(path, "update");
    files.readResized(fd, path, bytes);
    files.write(fd, Uint8Array.of(9), 2);
    descriptors.close(fd);
    expect([...bytes]).toEqual([...expected]);
    expect([...readFileSync(path)]).toEqual([expected[0], expected[1], 9, expected[3]]);
  }
});

test("a file is replaced in one step and with these permissions, and what is not there is removed without an error", () => {
  const path = join(folder, "replaced");
  writeFileSync(path, "the old one", { mode: 0o600 });
  files.replace(path, Uint8Array.of(1, 2), 0o644);
  expect([...readFileSync(path)]).toEqual([1, 2]);
  expect(statSync(path).mode & 0o777).toBe(0o644);
  expect([...files.readHead(path, 1)]).toEqual([1]);
  expect(
    hasCode(
      errorOf(() => files.readHead(folder, 1)),
      "EISDIR",
    ),
  ).toBe(true);
  files.remove(path);
  files.remove(path);
  expect(existsSync(path)).toBe(false);
  // A folder cannot be replaced by a file, and the unfinished file is removed.
  mkdirSync(path);
  expect(isHostError(errorOf(() => files.replace(path, Uint8Array.of(1), 0o644)))).toBe(true);
  expect(readdirSync(folder).filter((name) => name.startsWith("replaced"))).toEqual(["replaced"]);
});

test("a process is running when we may not signal it, and not when it has ended", async () => {
  expect(processes.isRunning(processes.pid)).toBe(true);
  expect(processes.isRunning(1)).toBe(true);
  const child = Bun.spawn(["true"]);
  await child.exited;
  expect(processes.isRunning(child.pid)).toBe(false);
});

test("reads and writes return octets or minus the error number, and poll says which descriptor is ready", async () => {
  const { master, slave } = serial.openPty();
  const end = files.open(slave, "device");
  const memory = descriptors.memory(4);
  expect(descriptors.read(master, memory, 0, 4)).toBe(-Errno.EAGAIN);
  const set = descriptors.pollSet([master, end]);
  set.want(1, Poll.OUT);
  expect(await descriptors.poll(set, 0)).toBe(1);
  expect([set.got(0), set.got(1)]).toEqual([0, Poll.OUT]);
  expect(descriptors.takesWrite(end)).toBe(true);
  memory.bytes.set([1, 2, 3, 4]);
  expect(descriptors.write(end, memory, 2, 1)).toBe(1);
  set.setFd(1, -1);
  expect(await descriptors.poll(set, Infinity)).toBe(1);
  expect([set.got(0), set.got(1)]).toEqual([Poll.IN, 0]);
  expect(descriptors.read(master, memory, 0, 4)).toBe(1);
  expect([...memory.bytes]).toEqual([3, 2, 3, 4]);
  descriptors.close(end);
  // The last program at the slave has ended.
  expect(descriptors.read(master, memory, 0, 4)).toBe(-Errno.EIO);
  descriptors.close(master);
});

test("a timer of more than 24 days does not fire at once, and one that is cancelled never", async () => {
  const fired: string[] = [];
  const cancel = clock.after(2 ** 40, () => void fired.push("years"));
  clock.after(0, () => void fired.push("cancelled"))();
  await new Promise<void>((resolve) => void clock.after(1, resolve));
  await clock.turn();
  cancel();
  expect(fired).toEqual([]);
});

test("a full disk ends the recording with one line, on a machine that is made up", () => {
  const said: string[] = [];
  const closed: number[] = [];
  let room = 1;
  const fake = {
    clock: { ...clock, now: () => 1000, wall: () => 1_700_000_000_000 },
    descriptors: { ...descriptors, close: (fd: number) => void closed.push(fd) },
    files: {
      ...files,
      openForCaller: () => 7,
      write: () => {
        if (room-- > 0) return;
        throw Object.assign(new Error("write"), {
          call: "write",
          path: "",
          errno: 28,
          code: "ENOSPC",
          reason: "No space",
        });
      },
    },
  };
  const log = {
    debug: false,
    fd: undefined,
    note: () => {},
    pass: () => {},
    write: (_: string, text: string) => void said.push(text),
  };
  const record = new RecordFile("/r", fake, log);
  for (let time = 0; time < 3; time++) record.sent(Uint8Array.of(1), time);
  record.close();
  expect(said).toEqual(["Couldn't write record file /r: No space"]);
  expect(closed).toEqual([7]);
  mkdirSync(join(folder, "r"));
  new RecordFile(join(folder, "r"), thisMachine, log).close();
  expect(said.slice(1)).toEqual([`Couldn't create record file ${join(folder, "r")}: Is a directory`]);
});
