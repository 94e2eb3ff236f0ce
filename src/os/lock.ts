// UUCP-style lock files, /var/lock/LCK..ttyS1: ten columns of process id and a newline.

import { readFileSync, unlinkSync, writeSync } from "node:fs";
import { basename } from "node:path";
import { closeFd, errno, ESRCH, hasCode, libc, O, openFd, reasonOf } from "./libc.ts";

const DIRECTORY = "/var/lock";
/** As much as is read of a lock file: pppd's own format. Others (`1234 minicom root`) begin alike. */
const LOCK_SIZE = 11;
/** A file that cannot be made because it exists, and not be read because it does not: a dangling link. */
const ATTEMPTS = 10;

/** The line is not ours; the message is pppd's (exit code 6). */
export class LockError extends Error {
  /** Who holds it, where that is the trouble. */
  readonly holder: number | undefined;

  constructor(message: string, holder?: number) {
    super(message);
    this.name = "LockError";
    this.holder = holder;
  }
}

/** "ttyS1" for /dev/ttyS1, "pts_3" for /dev/pts/3. */
export function lockName(device: string): string {
  const at = device.indexOf("dev/");
  return at < 0 ? basename(device) : device.slice(at + 4).replaceAll("/", "_");
}

export class Lock {
  readonly path: string;
  /** What happened on the way, for the log: `Removed stale lock on ttyS1 (pid 123)`. */
  readonly notice: string | undefined;
  readonly #pid: number;

  constructor(path: string, pid: number, notice: string | undefined) {
    this.path = path;
    this.#pid = pid;
    this.notice = notice;
  }

  /** Removes the file, if it is there and still ours. */
  unlock(): void {
    try {
      if (lockPid(readFileSync(this.path)) === this.#pid) unlinkSync(this.path);
    } catch {
      // Gone already, or its directory is: the line is unlocked either way.
    }
  }
}

/** Locks a device for `pid`, removing the lock of a process that is no more. Throws LockError. */
export function lockDevice(device: string, { directory = DIRECTORY, pid = process.pid } = {}): Lock {
  const name = lockName(device);
  const path = `${directory}/LCK..${name}`;
  let notice: string | undefined;
  for (let attempt = 1; ; attempt++) {
    if (create(path, pid)) return new Lock(path, pid, notice);
    const content = readExisting(path, attempt < ATTEMPTS);
    if (content === undefined) continue;
    if (content.length === 0) throw new LockError(`Can't read pid from lock file ${path}`);
    const holder = lockPid(content);
    if (holder === pid) return new Lock(path, pid, notice); // whoever started us locked it for us
    if (holder !== 0 && isAlive(holder)) throw new LockError(`Device ${name} is locked by pid ${holder}`, holder);
    removeStale(path, name);
    notice = `Removed stale lock on ${name} (pid ${holder})`;
  }
}

/** False when there is one already. */
function create(path: string, pid: number): boolean {
  let fd: number;
  try {
    fd = openFd(path, O.RDWR | O.CREAT | O.EXCL, 0o644);
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw new LockError(`Can't create lock file ${path}: ${reasonOf(error)}`);
  }
  try {
    writeSync(fd, lockText(pid));
    return true;
  } catch (error) {
    unlinkSync(path);
    throw new LockError(`Can't create lock file ${path}: ${reasonOf(error)}`);
  } finally {
    closeFd(fd);
  }
}

/** Undefined when it is gone, which is fine when it has just been removed. */
function readExisting(path: string, mayBeGone: boolean): Uint8Array | undefined {
  try {
    return readFileSync(path).subarray(0, LOCK_SIZE);
  } catch (error) {
    if (mayBeGone && hasCode(error, "ENOENT")) return undefined;
    throw new LockError(`Can't open existing lock file ${path}: ${reasonOf(error)}`);
  }
}

function removeStale(path: string, name: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return;
    throw new LockError(`Couldn't remove stale lock on ${name}`);
  }
}

function lockText(pid: number): string {
  return `${String(pid).padStart(10)}\n`;
}

/** As atoi(3): 0 for anything that does not begin with a number. */
function lockPid(content: Uint8Array): number {
  const number = parseInt(Buffer.from(content.subarray(0, LOCK_SIZE)).toString("latin1"), 10);
  return Number.isNaN(number) ? 0 : number;
}

function isAlive(pid: number): boolean {
  return pid > 0 && (libc.kill(pid, 0) === 0 || errno() !== ESRCH);
}
