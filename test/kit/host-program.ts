// A program for tests of os/ that need a process of their own, run by bun or compiled: `tty PATH`, `detach MODE`.

import { readFileSync, readlinkSync, writeSync } from "node:fs";
import { attachment, spawnDetached } from "../../src/os/process/detach.ts";
import { ownEnvironment } from "../../src/os/process/inherited.ts";
import { serialAddon } from "../../src/os/serial/serialport.ts";
import { openTty } from "../../src/os/serial/tty.ts";
import { PATIENCE_MS } from "./patience.ts";

async function tty(path: string): Promise<number> {
  const line = await openTty(path, { speed: 31250, modem: false, flow: "unchanged", stopBits: 1 });
  console.log(JSON.stringify({ addon: !(serialAddon() instanceof Error), speed: line.speed }));
  line.close();
  return 0;
}

/** What the detached child knows about itself. */
function report(): string {
  // /proc/self/stat after the name: state, parent, process group, session.
  const stat = readFileSync("/proc/self/stat", "latin1");
  const session = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[3]);
  return JSON.stringify({
    ownSession: session === process.pid,
    argv0: process.argv0,
    args: process.argv.slice(2),
    comm: readFileSync("/proc/self/comm", "utf8").trim(),
    cwd: process.cwd(),
    mark: Object.keys(process.env).filter((name) => name.startsWith("NULLMODEM_D")),
    stdio: [0, 1, 2].map((fd) => readlinkSync(`/proc/self/fd/${fd}`)),
  });
}

/** MODE: `background`, `up`, `fail CODE`, `killed`, `wait` (up at a line on the passed descriptor). FD: a log. */
async function detach(mode: string, log: number, code: number): Promise<number> {
  const child = attachment();
  if (child === undefined) {
    const detached = spawnDetached({
      args: process.argv.slice(2),
      env: ownEnvironment(),
      untilUp: mode !== "background",
      fds: [log],
    });
    writeSync(1, `child ${detached.pid}\n`);
    return await (mode === "background" ? detached.leave() : detached.wait());
  }
  const [handed] = child.fds;
  writeSync(1, "starting\n");
  if (mode === "fail") return code;
  if (mode === "killed") process.kill(process.pid, "SIGKILL");
  if (mode === "wait") {
    const stopped = Promise.withResolvers<number>();
    process.on("SIGTERM", () => stopped.resolve(5));
    writeSync(1, "waiting\n");
    const timer = setTimeout(() => stopped.resolve(99), PATIENCE_MS);
    const result = await stopped.promise;
    clearTimeout(timer);
    return result;
  }
  child.reportUp();
  child.reportUp();
  writeSync(1, "into nothing\n");
  writeSync(handed!, `${report()}\n`);
  return 0;
}

const [what = "", which = "", fd = "", code = ""] = process.argv.slice(2);
process.exit(what === "tty" ? await tty(which) : await detach(which, Number(fd), Number(code)));
