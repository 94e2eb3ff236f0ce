// Going into the background. Bun cannot fork, so this program starts itself again in a new session. The child does
// everything from the start. The parent exits at once, or with updetach when the child reports that the link is up.
//
// A variable in the environment tells the child that it is the child. The child removes it, so that scripts do not
// inherit it.

import { fstatSync, read, readdirSync } from "node:fs";
import { constants } from "node:os";
import { basename } from "node:path";
import { check, closeFd, cstring, libc, Memory, O, openFd } from "../ffi/libc.ts";
import { type Ending, shellCode, spawn, type Spawned } from "./spawn.ts";

/** The variable's value is the number of descriptors handed over. */
const MARK = "NULLMODEM_DETACHED";
/** The child's status pipe. The descriptors handed over follow it. */
const STATUS_FD = 3;
const PR_SET_NAME = 15;
const F_SETFD = 2;
const FD_CLOEXEC = 1;

export interface DetachOptions {
  /**
   * The program to become, which can differ from the name we were called by (`pon`, `nullmodem pppd`). Left out: the
   * same.
   */
  readonly name?: string;
  /** The arguments after the program's own name. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** true (updetach): the child keeps our stdout and stderr until the link is up. */
  readonly untilUp: boolean;
  /** More descriptors for the child, such as logfd. The child gets them as {@link Attachment.fds}. */
  readonly fds?: readonly number[];
}

export interface Detached {
  readonly pid: number;
  /**
   * Waits for the child. Returns 0 when its link is up, or its exit code when it has ended. Forwards signals to it
   * meanwhile.
   */
  wait(): Promise<number>;
  /** Returns 0 without waiting for the link, after forwarding the signals that came while the child was started. */
  leave(): Promise<number>;
}

/** Starts this program again in the background, in our working directory. Throws OsError. */
export function spawnDetached({ name, args, env, untilUp, fds = [] }: DetachOptions): Detached {
  const pipe = new Memory(8);
  check(libc.pipe2(pipe.address, O.CLOEXEC), "pipe2");
  const readEnd = pipe.view.getInt32(0, true);
  const writeEnd = pipe.view.getInt32(4, true);
  let child: Spawned | undefined;
  // Set the handlers before the child starts: a signal in between would end only us. They stay until we exit.
  for (const name of FORWARDED)
    process.on(name, () => {
      if (child !== undefined && child.ending === undefined) libc.kill(child.pid, constants.signals[name]);
    });
  try {
    // From sources, a word tells main.ts which program to be. In the executable, argv0 does.
    const called = name === undefined || basename(process.argv0) === name ? process.argv0 : name;
    const word = name === undefined || isCompiled() ? [] : [name];
    child = spawn(process.execPath, {
      argv: [called, ...scriptArgs(), ...word, ...args],
      env: { ...env, [MARK]: String(fds.length) },
      ownSession: true,
      stdio: [undefined, untilUp ? 1 : undefined, untilUp ? 2 : undefined, writeEnd, ...fds],
    });
    const { pid, ended } = child;
    return { pid, wait: () => waitUp(ended, readEnd), leave };
  } catch (error) {
    closeFd(readEnd);
    throw error;
  } finally {
    closeFd(writeEnd);
  }
}

/** The words between the program and its arguments: none when compiled, else bun's flags and the script. */
export function scriptArgs(): string[] {
  return isCompiled() ? [] : [...process.execArgv, Bun.main];
}

function isCompiled(): boolean {
  return Bun.main.startsWith("/$bunfs/");
}

const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

async function waitUp(ended: Promise<Ending>, readEnd: number): Promise<number> {
  const length = await new Promise<number>((resolve) => {
    read(readEnd, Buffer.alloc(1), 0, 1, null, (error, bytesRead) => resolve(error ? 0 : bytesRead));
  });
  closeFd(readEnd);
  // The pipe closed without a message: the child has ended or is about to.
  return length > 0 ? 0 : shellCode(await ended);
}

/** A signal is delivered by the second turn of the event loop at the latest. */
async function leave(): Promise<number> {
  for (let turns = 0; turns < 2; turns++) await new Promise(setImmediate);
  return 0;
}

/** What the child got from its parent. */
export interface Attachment {
  readonly fds: readonly number[];
  /** Detaches: 0-2 become /dev/null, the working directory becomes /, and a waiting parent exits with 0. */
  reportUp(): void;
}

/** Undefined when {@link spawnDetached} did not start us. Call it once, before any program is started. */
export function attachment(): Attachment | undefined {
  const mark = process.env[MARK];
  if (mark === undefined) return undefined;
  delete process.env[MARK];
  const fds = Array.from({ length: Number(mark) }, (_, nth) => STATUS_FD + 1 + nth);
  for (const fd of [STATUS_FD, ...fds]) libc.fcntl(fd, F_SETFD, FD_CLOEXEC);
  // ps and killall show the typed name, not that of the file it links to.
  libc.prctl(PR_SET_NAME, cstring(basename(process.argv0)).address, 0, 0, 0);
  return { fds, reportUp };
}

/**
 * Bun keeps copies of a standard output that is a pipe. Its reader, `$(pppd … updetach)`, waits until all copies close.
 */
function copies(): number[] {
  const ours = [1, 2].map(pipeOn);
  const numbers = readdirSync("/proc/self/fd").map(Number);
  return numbers.filter((fd) => fd > STATUS_FD && pipeOn(fd) !== undefined && ours.includes(pipeOn(fd)));
}

/** Identifies the pipe or socket on a descriptor. Undefined for any other file. */
function pipeOn(fd: number): string | undefined {
  try {
    const stat = fstatSync(fd);
    return stat.isFIFO() || stat.isSocket() ? `${stat.dev} ${stat.ino}` : undefined;
  } catch {
    return undefined;
  }
}

let reported = false;

function reportUp(): void {
  if (reported) return;
  reported = true;
  const none = openFd("/dev/null", O.RDWR);
  for (const fd of [0, 1, 2, ...copies()]) libc.dup2(none, fd);
  if (none > 2) closeFd(none);
  process.chdir("/");
  // The parent may be gone. That is harmless, because SIGPIPE is ignored.
  libc.write(STATUS_FD, new Memory(1).address, 1);
  closeFd(STATUS_FD);
}
