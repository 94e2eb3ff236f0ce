import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Child, hookRefusal, runHook, runShell, runTool } from "../../../src/os/process/exec.ts";
import { closeFd, libc, Memory, O, openFd, OsError, POLLIN } from "../../../src/os/ffi/libc.ts";
import { decoded } from "../../../src/bytes/text.ts";
import { eventPollDescriptors } from "../../../src/os/ffi/event-poll.ts";
import { openPty } from "../../../src/os/serial/pty.ts";
import { openTty } from "../../../src/os/serial/tty.ts";
import { openedSince, openFds } from "../../kit/fds.ts";
import { PATIENCE_MS, until } from "../../kit/patience.ts";

const F_GETFL = 3;
const root = process.getuid?.() === 0;

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "nullmodem-exec-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function script(text: string, mode = 0o755): string {
  const path = join(directory, "hook");
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

const field = (text: string, name: string) => new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(text)?.[1];

describe("runHook", () => {
  test("gives the program its words and these variables, and nothing else of ours", async () => {
    const umask = process.umask();
    const before = openFds();
    const sleep = Bun.which("sleep")!;
    const env = { IFNAME: "ppp0", IPLOCAL: "192.168.0.1" };
    const child = runHook(sleep, ["60", "0", "00"], env);
    const proc = `/proc/${child.pid}`;
    // Not while it is loaded, when its libraries are open.
    while (field(readFileSync(`${proc}/status`, "utf8"), "State") !== "S") await Bun.sleep(1);
    expect(readFileSync(`${proc}/cmdline`, "utf8")).toBe(`${sleep}\0${"60"}\0${"0"}\0${"00"}\0`);
    expect(readFileSync(`${proc}/environ`, "utf8")).toBe("IFNAME=ppp0\0IPLOCAL=192.168.0.1\0");
    expect(readlinkSync(`${proc}/cwd`)).toBe("/");
    expect(readdirSync(`${proc}/fd`).map((fd) => readlinkSync(`${proc}/fd/${fd}`))).toEqual(Array(3).fill("/dev/null"));
    const status = readFileSync(`${proc}/status`, "utf8");
    expect([field(status, "Umask"), field(status, "SigIgn"), field(status, "SigBlk")]).toEqual([
      "0077",
      "0000000000000000",
      "0000000000000000",
    ]);
    const stat = readFileSync(`${proc}/stat`, "latin1");
    const [, , group, session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    expect([Number(group), Number(session)]).toEqual([child.pid, child.pid]);
    expect(process.umask()).toBe(umask);
    child.kill(9);
    await child.ended;
    expect(openedSince(before)).toEqual([]);
  });

  test("its exit code is the second byte of the status", async () => {
    expect(await runHook(script("#!/bin/sh\nexit 3\n"), [], {}).ended).toEqual({
      status: 0x300,
      exitCode: 3,
      signal: 0,
    });
    expect((await runHook(script("#!/bin/sh\n"), [], {}).ended).status).toBe(0);
  });

  test("an absent last word is left out, and an empty one is passed", async () => {
    const out = join(directory, "out");
    const path = script(`#!/bin/sh\necho $# >$1\n`);
    await runHook(path, [out, "a", ""], {}).ended;
    expect(readFileSync(out, "utf8")).toBe("3\n");
    await runHook(path, [out, "a"], {}).ended;
    expect(readFileSync(out, "utf8")).toBe("2\n");
  });

  test("killed by a signal", async () => {
    const child = runHook(script("#!/bin/sh\nexec sleep 60\n"), [], {});
    expect(child.ending).toBeUndefined();
    child.kill(15);
    expect(await child.ended).toEqual({ status: 15, exitCode: 0, signal: 15 });
    expect(child.ending).toEqual({ status: 15, exitCode: 0, signal: 15 });
    child.kill(9);
  });

  test("its end wakes a poll loop", async () => {
    const before = openFds();
    const child = runHook(script("#!/bin/sh\nsleep 0.1\n"), [], {});
    const wakers = eventPollDescriptors();
    const set = new Memory(8 * wakers.length);
    for (const [at, fd] of wakers.entries()) {
      set.view.setInt32(8 * at, fd, true);
      set.view.setInt16(8 * at + 4, POLLIN, true);
    }
    // A poll that nothing wakes takes longer than the limit of the whole test.
    for (let turns = 0; child.ending === undefined && turns < 100; turns++) {
      expect(libc.poll(set.address, wakers.length, 60_000)).not.toBe(0);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(child.ending?.exitCode).toBe(0);
    expect(openedSince(before)).toEqual([]);
  });

  test("words and variables keep their octets, up to a NUL", async () => {
    const out = join(directory, "out");
    const path = script(`#!/bin/sh\nprintf '%s|%s|%s' "$1" "$2" "$PEERNAME" >"$3"\n`);
    const env = { PEERNAME: decoded("\xe9t\xe9"), PATH: "/usr/bin:/bin" };
    await runHook(path, ["\u{e9}t\u{1f480}", decoded("x\xff\0y"), out], env).ended;
    expect(readFileSync(out, "latin1")).toBe("\xc3\xa9t\xf0\x9f\x92\x80|x\xff|\xe9t\xe9");
  });

  test.each([
    ["no interpreter line", "echo hello\n", "ENOEXEC"],
    ["no such interpreter", "#!/no/such\n", "ENOENT"],
  ])("cannot be executed: %s", (_, text, code) => {
    const umask = process.umask();
    const path = script(text);
    let trouble: unknown;
    try {
      runHook(path, [], {});
    } catch (error) {
      trouble = error;
    }
    expect(trouble).toBeInstanceOf(OsError);
    expect([(trouble as OsError).path, (trouble as OsError).code]).toEqual([path, code]);
    expect(process.umask()).toBe(umask);
  });
});

describe("hookRefusal", () => {
  test("accepts a script that only we can write", () => {
    expect(hookRefusal(script("#!/bin/sh\n", 0o755))).toBeUndefined();
    expect(hookRefusal(script("#!/bin/sh\n", 0o700))).toBeUndefined();
  });

  test("refuses the others, and says why", () => {
    expect(hookRefusal(join(directory, "none"))).toBe("absent");
    expect(hookRefusal(directory)).toBe("not a regular file");
    expect(hookRefusal(script("", 0o775))).toBe("group or other writable");
    expect(hookRefusal(script("", 0o757))).toBe("group or other writable");
    expect(hookRefusal(script("", 0o644))).toBe("Permission denied");
    mkdirSync(join(directory, "d"));
    expect(hookRefusal(join(script("", 0o755), "below"))).toBe("absent");
  });

  test.skipIf(!root)(`refuses a stranger's [${root ? "as root" : "skipped: needs root"}]`, () => {
    const path = script("#!/bin/sh\n");
    chownSync(path, 65534, 65534);
    expect(hookRefusal(path)).toBe("not owned by root");
  });
});

/** Everything that a pty's master delivers until the slave is closed. */
function readMaster(master: number, until: string): string {
  const block = new Memory(4096);
  const set = new Memory(8);
  set.view.setInt32(0, master, true);
  set.view.setInt16(4, POLLIN, true);
  let text = "";
  while (!text.includes(until) && libc.poll(set.address, 1, PATIENCE_MS) > 0) {
    const length = libc.read(master, block.address, 4096);
    if (length <= 0) break;
    text += Buffer.from(block.bytes.subarray(0, length)).toString();
  }
  return text;
}

describe("runShell", () => {
  const env = { PATH: process.env["PATH"] ?? "", SPEED: "115200" };

  test("has the line on stdin and stdout, in blocking mode, and the log on stderr", async () => {
    const { master, slave } = openPty();
    const tty = await openTty(slave, { speed: 9600, modem: false, flow: "unchanged", stopBits: 1 });
    const log = openFd(join(directory, "log"), O.WRONLY | O.CREAT, 0o600);
    const before = openFds();
    const child = runShell(`echo ATZ; answer=$(head -n1); echo "got $answer at $SPEED" >&2; exit 4`, {
      line: tty.fd,
      stderr: log,
      env,
    });
    expect(libc.fcntl(tty.fd, F_GETFL, 0) & O.NONBLOCK).toBe(0);
    expect(readMaster(master, "ATZ\n")).toBe("ATZ\n");
    const answer = new Memory(3);
    answer.bytes.set(Buffer.from("OK\n"));
    libc.write(master, answer.address, 3);
    expect(await child.ended).toEqual({ status: 0x400, exitCode: 4, signal: 0 });
    expect(readFileSync(join(directory, "log"), "utf8")).toBe("got OK at 115200\n");
    expect(openedSince(before)).toEqual([]);
    tty.configure(false);
    tty.close();
    closeFd(log);
    closeFd(master);
  });

  test("a signal reaches what the shell has started", async () => {
    const { master, slave } = openPty();
    const line = openFd(slave, O.RDWR | O.NOCTTY);
    const pidFile = join(directory, "pid");
    const child = runShell(`sh -c 'echo $$ >${pidFile}; echo ready; exec sleep 60'; true`, {
      line,
      stderr: undefined,
      env,
    });
    readMaster(master, "ready");
    const sleeper = Number(readFileSync(pidFile, "utf8"));
    expect(libc.kill(sleeper, 0)).toBe(0);
    child.kill(15);
    await child.ended;
    await goneOf(sleeper);
    closeFd(line);
    closeFd(master);
  });

  test("a signal reaches all that a shell is busy starting", async () => {
    const line = openFd("/dev/null", O.RDWR);
    for (let round = 0; round < 10; round++) {
      const mark = `1000.${process.pid}${round}`;
      const started = join(directory, `started${round}`);
      const loop = `n=0; while [ $n -lt 300 ]; do sleep ${mark} & n=$((n + 1)); [ $n = 20 ] && : >${started}; done; wait`;
      const child = runShell(loop, { line, stderr: undefined, env });
      while (!existsSync(started)) await new Promise(setImmediate);
      child.kill(15);
      await child.ended;
      await until("all have gone", () => sleepers(mark).length === 0);
    }
    closeFd(line);
  });

  test("a command that is not found ends with the shell's 127", async () => {
    const line = openFd("/dev/null", O.RDWR);
    const child: Child = runShell("/no/such/program", { line, stderr: undefined, env });
    expect((await child.ended).status).toBe(127 << 8);
    closeFd(line);
  });
});

/** The processes that are a sleep of this many seconds. */
function sleepers(seconds: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "latin1") === `sleep\0${seconds}\0`;
    } catch {
      return false;
    }
  });
}

async function goneOf(pid: number): Promise<void> {
  await until(`${pid} has ended`, () => {
    try {
      // An orphan that no process has waited for has ended too.
      return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
    } catch {
      return true;
    }
  });
}

test("a system tool that a signal has ended runs once more", async () => {
  const runs = join(directory, "runs");
  const script = `echo >>${runs}; [ "$(wc -l <${runs})" = 1 ] && kill -TERM $$; exit 4`;
  expect((await runTool(["/bin/sh", "-c", script], "")).exitCode).toBe(4);
  expect(readFileSync(runs, "utf8")).toBe("\n\n");
});

test("a system tool has a session of its own, and what it says comes back", async () => {
  const { exitCode, output, complaint } = await runTool(
    ["/bin/sh", "-c", "read -r word; echo $word $$; cut -d' ' -f5,6 /proc/$$/stat; echo no >&2; exit 3"],
    "input\n",
  );
  const [, pid] = /^input (\d+)$/m.exec(output) ?? [];
  // Its process group and its session.
  expect(output).toBe(`input ${pid}\n${pid} ${pid}\n`);
  expect([exitCode, complaint]).toEqual([3, "no\n"]);
});
