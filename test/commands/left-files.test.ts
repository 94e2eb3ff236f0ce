// The files of killed sessions are removed, and those of all others stay.

import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeLeftFiles } from "../../src/commands/left-files.ts";
import { thisMachine } from "../../src/applets/this-machine.ts";
import { isZombie } from "../../src/os/process/process-start.ts";
import { hasAbandoned, share, undoAbandoned } from "../../src/os/process/share.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nullmodem-left-"));
  for (const name of ["run", "lock"]) mkdirSync(join(folder, name));
});
afterEach(() => rmSync(folder, { recursive: true }));

const SOURCE = join(import.meta.dir, "../../src/os");
const lock = (pid: number): string => `${String(pid).padStart(10)}\n`;
const put = (name: string, text: string): void => writeFileSync(join(folder, name), text);
const files = (): string[] =>
  ["run", "lock"].flatMap((name) => readdirSync(join(folder, name)).map((file) => `${name}/${file}`)).sort();
const removed = (): string[] =>
  removeLeftFiles(join(folder, "run"), join(folder, "lock"))
    .map((path) => path.slice(folder.length + 1))
    .sort();

/** A process that publishes the status of ppp0, can be controlled, and has changed something. */
async function session() {
  const program = `
    const { Publication } = await import(${JSON.stringify(join(SOURCE, "log/publication.ts"))});
    const { ControlSocket } = await import(${JSON.stringify(join(SOURCE, "net/control-socket.ts"))});
    new ControlSocket(${JSON.stringify(join(folder, "run/nullmodem-"))} + process.pid + ".ctl", () => undefined);
    const { share } = await import(${JSON.stringify(join(SOURCE, "process/share.ts"))});
    new Publication(${JSON.stringify(join(folder, "run/nullmodem-ppp0.stats"))}, () => "text");
    share(${JSON.stringify(join(folder, "run"))}, "thing", () => "record");
    console.log("ready"); setInterval(() => {}, 1000);`;
  const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe" });
  await child.stdout.getReader().read();
  put("run/ppp0.pid", `${child.pid}\n`);
  put("run/ppp-lap.pid", `${child.pid}\nppp0\n`);
  put("lock/LCK..ttyS0", lock(child.pid));
  return child;
}

test("a session that runs keeps its files; one that was killed leaves none, and other programs keep theirs", async () => {
  const child = await session();
  const own = files();
  // Programs that run no longer too: nothing tells that they were ours.
  put("run/ppp1.pid", "4194303\n");
  put("run/other.pid", "4194302\n");
  put("lock/LCK..ttyS1", lock(4194303));
  put("lock/LCK..ttyS2", `${child.pid} minicom root\n`);
  const others = files().filter((name) => !own.includes(name));
  try {
    expect(removed()).toEqual([]);
    expect(hasAbandoned(join(folder, "run"))).toBe(false);
  } finally {
    child.kill("SIGKILL");
  }
  await child.exited;
  expect(hasAbandoned(join(folder, "run"))).toBe(true);
  undoAbandoned(join(folder, "run"), () => {});
  expect(hasAbandoned(join(folder, "run"))).toBe(false);
  const control = `run/nullmodem-${child.pid}.ctl`;
  expect(removed()).toEqual([
    "lock/LCK..ttyS0",
    control,
    "run/nullmodem-ppp0.stats",
    "run/ppp-lap.pid",
    "run/ppp0.pid",
  ]);
  expect(files()).toEqual(others);
  expect(removed()).toEqual([]);
});

test("a session that has taken the killed one's name keeps its pid file", async () => {
  const child = await session();
  child.kill("SIGKILL");
  await child.exited;
  put("run/ppp0.pid", `${process.pid}\n`);
  put("lock/LCK..ttyS0", lock(process.pid));
  expect(removed()).toEqual([`run/nullmodem-${child.pid}.ctl`, "run/nullmodem-ppp0.stats", "run/ppp-lap.pid"]);
  expect(files()).toContain("run/ppp0.pid");
  expect(files()).toContain("lock/LCK..ttyS0");
});

test("pid files and lock files are found by the control socket alone, too", async () => {
  const child = await session();
  child.kill("SIGKILL");
  await child.exited;
  rmSync(join(folder, "run/nullmodem-ppp0.stats"));
  expect(removed()).toEqual(["lock/LCK..ttyS0", `run/nullmodem-${child.pid}.ctl`, "run/ppp-lap.pid", "run/ppp0.pid"]);
});

test("a control socket is left when nobody answers there, whoever has the number of its process", async () => {
  const child = await session();
  child.kill("SIGKILL");
  await child.exited;
  const control = join(folder, `run/nullmodem-${child.pid}.ctl`);
  renameSync(control, join(folder, `run/nullmodem-${process.pid}.ctl`));
  put("run/ppp1.pid", `${process.pid}\n`);
  expect(removed()).toContain(`run/nullmodem-${process.pid}.ctl`);
  expect(files()).toContain("run/ppp1.pid");
});

test("a killed process that its parent has not waited for has ended", () => {
  // Made by hand: a parent that ignores SIGCHLD, as this test's may do, leaves none.
  const states = { 1: "S", 2: "Z", 3: "R", 4: "X" };
  for (const [pid, state] of Object.entries(states)) {
    mkdirSync(join(folder, "proc", pid), { recursive: true });
    put(`proc/${pid}/stat`, `${pid} (a) Z (b) ${state} 1 1 1\n`);
  }
  expect([1, 2, 3, 4, 5].filter((pid) => isZombie(pid, join(folder, "proc")))).toEqual([2, 4]);
  expect(thisMachine.processes.isRunning(process.pid)).toBe(true);
});

test("a change without a record is nothing to take back", () => {
  const { release } = share(join(folder, "run"), "thing");
  expect(hasAbandoned(join(folder, "run"))).toBe(false);
  release(() => {});
});
