// UUCP-style lock files, /var/lock/LCK..ttyS1: ten columns of process id and a newline.

import { ftruncateSync, lstatSync, mkdirSync, readlinkSync, statSync, unlinkSync, writeSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { closeFd, errno, ESRCH, hasCode, libc, O, openFd, reasonOf } from "../ffi/libc.ts";
import { openersOf } from "./openers.ts";
import { processStart } from "../process/process-start.ts";
import { readHead } from "../ffi/small-file.ts";

export const LOCK_DIRECTORY = "/var/lock";
/**
 * How much of a lock file we read: the length of pppd's own format. Other formats (`1234 minicom root`) begin the same
 * way.
 */
const LOCK_SIZE = 11;
/** How often we try. A dangling link cannot be created (it exists) and cannot be read (its target does not). */
const ATTEMPTS = 10;

/** The line could not be locked. The message is pppd's (exit code 6). */
export class LockError extends Error {
  /** The process that holds the lock, if that is the reason. */
  readonly holder: number | undefined;

  /** The directory we may not write to, if that is the reason. */
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

/** The lock files that this process holds. Each of its sessions may have a port of its own, but no two the same. */
const held = new Set<string>();

class Lock {
  readonly path: string;
  /** Something to log, such as `Removed stale lock on ttyS1 (pid 123)`. */
  readonly notice: string | undefined;
  #pid: number;

  constructor(path: string, pid: number, notice: string | undefined) {
    this.path = path;
    this.#pid = pid;
    this.notice = notice;
    held.add(path);
  }

  /** Names another process as the holder. Never throws. */
  pass(pid: number): void {
    try {
      if (lockPid(readHead(this.path, LOCK_SIZE)) !== this.#pid) return;
      // Anybody may make files in the directory, also links to files of ours.
      const fd = openFd(this.path, O.WRONLY | O.NOFOLLOW);
      try {
        writeSync(fd, lockText(pid));
        ftruncateSync(fd, lockText(pid).length);
      } finally {
        closeFd(fd);
      }
      this.#pid = pid;
    } catch {
      // The file is gone or cannot be written. The next program finds the lock of a process that runs no longer.
    }
  }

  /** Removes the lock file if it still exists and is still ours. */
  unlock(): void {
    held.delete(this.path);
    try {
      if (lockPid(readHead(this.path, LOCK_SIZE)) === this.#pid) unlinkSync(this.path);
    } catch {
      // The file or its directory is gone. The line is unlocked either way.
    }
  }
}

/** Locks a device for `pid`. Removes the lock of a process that no longer exists. Throws LockError. */
export function lockDevice(device: string, { directory = LOCK_DIRECTORY, pid = process.pid } = {}): Lock {
  const name = lockName(device);
  const path = `${directory}/LCK..${name}`;
  let notice: string | undefined;
  for (let attempt = 1; ; attempt++) {
    if (create(path, pid, directory)) return new Lock(path, pid, notice);
    const content = readExisting(path, attempt < ATTEMPTS);
    if (content === undefined) continue;
    if (content.length === 0) throw new LockError(`Can't read pid from lock file ${path}`);
    const holder = lockPid(content);
    // The program that started us may have locked it for us.
    if (holder === pid && !held.has(path)) return new Lock(path, pid, notice);
    if (isAlive(holder) && !isReused(holder, path, device))
      throw new LockError(`Device ${name} is locked by pid ${holder}`, holder);
    removeStale(path, name, directory);
    notice = `Removed stale lock on ${name} (pid ${holder})`;
  }
}

/** Creates the lock file. False when it exists already. */
function create(path: string, pid: number, directory: string): boolean {
  let fd: number;
  try {
    fd = openFd(path, O.RDWR | O.CREAT | O.EXCL, 0o644);
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    if (hasCode(error, "ENOENT") && makeDirectory(directory)) return create(path, pid, directory);
    const denied = hasCode(error, "EACCES", "EROFS") ? directory : undefined;
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

/** Makes the directory. Some systems have none, or a link into /run that dangles after a reboot. */
function makeDirectory(directory: string): boolean {
  try {
    const isLink = lstatSync(directory, { throwIfNoEntry: false })?.isSymbolicLink() === true;
    const place = isLink ? resolve(dirname(directory), readlinkSync(directory)) : directory;
    return mkdirSync(place, { recursive: true, mode: 0o755 }) !== undefined;
  } catch {
    return false;
  }
}

/** Undefined when the file does not exist, which is allowed when it has just been removed. */
function readExisting(path: string, mayBeGone: boolean): Uint8Array | undefined {
  try {
    return readHead(path, LOCK_SIZE);
  } catch (error) {
    if (mayBeGone && hasCode(error, "ENOENT")) return undefined;
    // A FIFO or a device holds no process id, and we must not remove it.
    if (hasCode(error, "EINVAL")) return new Uint8Array(0);
    throw new LockError(`Can't open existing lock file ${path}: ${reasonOf(error)}`);
  }
}

function removeStale(path: string, name: string, directory: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return;
    const denied = hasCode(error, "EACCES", "EPERM", "EROFS") ? directory : undefined;
    throw new LockError(`Couldn't remove stale lock on ${name}`, undefined, denied);
  }
}

/** The content of a lock file. */
export function lockText(pid: number): string {
  return `${String(pid).padStart(10)}\n`;
}

/** As atoi(3): 0 for text that does not begin with a number. */
function lockPid(content: Uint8Array): number {
  const number = parseInt(Buffer.from(content.subarray(0, LOCK_SIZE)).toString("latin1"), 10);
  return Number.isNaN(number) ? 0 : number;
}

/** How far the kernel's times may be off. */
const SLACK_MS = 2000;

/**
 * True when the process began after the lock was made. Then the lock's owner is gone and the number belongs to another
 * process, for example after a reboot. A changed clock can have the same effect, so a process that has the device open
 * counts as the owner.
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
