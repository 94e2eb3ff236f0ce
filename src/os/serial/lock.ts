// UUCP-style lock files, /var/lock/LCK..ttyS1: ten columns of process id and a newline.

import { lstatSync, mkdirSync, readlinkSync, statSync, unlinkSync, writeSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { closeFd, errno, ESRCH, hasCode, libc, O, openFd, reasonOf } from "../ffi/libc.ts";
import { openersOf } from "./openers.ts";
import { processStart } from "../process/process-start.ts";
import { readHead } from "../ffi/small-file.ts";

const DIRECTORY = "/var/lock";
/** As much as is read of a lock file: pppd's own format. Others (`1234 minicom root`) begin alike. */
const LOCK_SIZE = 11;
/** A file that cannot be made because it exists, and not be read because it does not: a dangling link. */
const ATTEMPTS = 10;

/** The line is not ours; the message is pppd's (exit code 6). */
export class LockError extends Error {
  /** Who holds it, where that is the trouble. */
  readonly holder: number | undefined;

  /** The directory that may not be written to, where that is it. */
  readonly denied: string | undefined;

  constructor(message: string, holder?: number, denied?: string) {
    super(message);
    this.denied = denied;
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
      if (lockPid(readHead(this.path, LOCK_SIZE)) === this.#pid) unlinkSync(this.path);
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
    if (create(path, pid, directory)) return new Lock(path, pid, notice);
    const content = readExisting(path, attempt < ATTEMPTS);
    if (content === undefined) continue;
    if (content.length === 0) throw new LockError(`Can't read pid from lock file ${path}`);
    const holder = lockPid(content);
    if (holder === pid) return new Lock(path, pid, notice); // whoever started us locked it for us
    if (isAlive(holder) && !isReused(holder, path, device))
      throw new LockError(`Device ${name} is locked by pid ${holder}`, holder);
    removeStale(path, name);
    notice = `Removed stale lock on ${name} (pid ${holder})`;
  }
}

/** False when there is one already. */
function create(path: string, pid: number, directory: string): boolean {
  let fd: number;
  try {
    fd = openFd(path, O.RDWR | O.CREAT | O.EXCL, 0o644);
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    if (hasCode(error, "ENOENT") && makeDirectory(directory)) return create(path, pid, directory);
    const denied = hasCode(error, "EACCES") ? directory : undefined;
    throw new LockError(`Can't create lock file ${path}: ${reasonOf(error)}`, undefined, denied);
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

/** Systems without init scripts have none, or a link to a place that /run lost with the last boot. */
function makeDirectory(directory: string): boolean {
  try {
    const isLink = lstatSync(directory, { throwIfNoEntry: false })?.isSymbolicLink() === true;
    const place = isLink ? resolve(dirname(directory), readlinkSync(directory)) : directory;
    return mkdirSync(place, { recursive: true, mode: 0o755 }) !== undefined;
  } catch {
    return false;
  }
}

/** Undefined when it is gone, which is fine when it has just been removed. */
function readExisting(path: string, mayBeGone: boolean): Uint8Array | undefined {
  try {
    return readHead(path, LOCK_SIZE);
  } catch (error) {
    if (mayBeGone && hasCode(error, "ENOENT")) return undefined;
    // A FIFO or a device: it names nobody, and is not ours to remove.
    if (hasCode(error, "EINVAL")) return new Uint8Array(0);
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

/** What times of the kernel's may be off by. */
const SLACK_MS = 2000;

/**
 * Has the process begun after the lock was made? Then it is another's number by chance, after a reboot perhaps. A clock
 * that was set meanwhile would say the same, so one that has the device open is believed.
 */
function isReused(pid: number, path: string, device: string): boolean {
  const startedAt = processStart(pid);
  const made = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  if (startedAt === undefined || made === undefined || made + SLACK_MS > startedAt) return false;
  return !openersOf(device).some((opener) => opener.pid === pid);
}

function isAlive(pid: number): boolean {
  return pid > 0 && (libc.kill(pid, 0) === 0 || errno() !== ESRCH);
}
