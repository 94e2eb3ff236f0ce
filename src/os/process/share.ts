// Changes to the machine that several sessions share: the first session makes the change, the last one undoes it.
//
// Each session holds a shared lock (flock(2)) on a file named after the change, so a killed session no longer counts. A
// session that gets the exclusive lock is the first or the last one. Each network name space has its own files. The
// file records how to undo the change. If all sessions were killed, the next session undoes it.

import { fstatSync, ftruncateSync, readFileSync, readlinkSync, statSync, unlinkSync, writeSync } from "node:fs";
import { closeFd, errno, EINTR, libc, O, openFd } from "../ffi/libc.ts";
import { namesIn } from "./sysfs.ts";

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const ATTEMPTS = 100;
/** A session that undoes a change needs no longer than a few of these. */
const PAUSE_MS = 2;

export interface Share {
  /** True when no other session uses it yet. */
  readonly isFirst: boolean;
  /** How to undo the change, as the first session or a killed one has recorded it. "" when the file has no record. */
  readonly record: string;
  /** Leaves. Calls `undo` when no other session uses it. */
  release(undo: () => void): void;
}

const PREFIX = "nullmodem-";

/**
 * Joins the users of the change called `name`. `record` tells how to undo it, and is called if this is the first session and no
 * killed one has left a record. When no file can be made, the session acts as if it were the only one.
 */
export function share(directory: string, name: string, record: () => string = () => ""): Share {
  const path = `${directory}/${PREFIX}${name}.${networkNumber()}`;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const fd = openCount(path);
    if (fd === undefined) break;
    const isFirst = lock(fd, LOCK_EX);
    // Another session may hold the exclusive lock for a moment, or may just have removed the file.
    if ((isFirst || lock(fd, LOCK_SH)) && fstatSync(fd).nlink > 0) {
      const found = readFileSync(fd, "utf8");
      const made = isFirst && found === "" ? record() : found;
      if (isFirst && found === "") write(fd, made);
      // The lock is free for a moment when it changes its kind.
      if (!isFirst || (lock(fd, LOCK_SH) && fstatSync(fd).nlink > 0)) return held(fd, path, isFirst, made);
    }
    closeFd(fd);
    Bun.sleepSync(PAUSE_MS);
  }
  return { isFirst: true, record: record(), release: (undo) => undo() };
}

/** Undoes the changes of killed sessions: calls `undo` with each record that no running session uses. */
export function undoAbandoned(directory: string, undo: (record: string) => void): void {
  const suffix = `.${networkNumber()}`;
  for (const name of namesIn(directory)) {
    if (!name.startsWith(PREFIX) || !name.endsWith(suffix)) continue;
    const path = `${directory}/${name}`;
    const fd = openCount(path, 0);
    if (fd === undefined) continue;
    try {
      if (!lock(fd, LOCK_EX) || fstatSync(fd).nlink === 0) continue;
      const record = readFileSync(fd, "utf8");
      try {
        if (record !== "") undo(record);
      } finally {
        unlinkSync(path);
      }
    } finally {
      closeFd(fd);
    }
  }
}

/**
 * True when {@link undoAbandoned} would find a record. It takes no lock, which a session that starts would have to wait for, and needs
 * no rights.
 */
export function hasAbandoned(directory: string): boolean {
  const suffix = `.${networkNumber()}`;
  const inodes = namesIn(directory)
    .filter((name) => name.startsWith(PREFIX) && name.endsWith(suffix))
    .flatMap((name) => statSync(`${directory}/${name}`, { throwIfNoEntry: false }) ?? [])
    // A session has its lock before it writes the record.
    .flatMap(({ ino, size }) => (size > 0 ? [ino] : []));
  if (inodes.length === 0) return false;
  const locked = lockedInodes();
  return locked !== undefined && inodes.some((inode) => !locked.has(inode));
}

/** Undefined where the kernel does not tell. */
function lockedInodes(): ReadonlySet<number> | undefined {
  try {
    const locks = readFileSync("/proc/locks", "latin1");
    return new Set([...locks.matchAll(/^\d+: FLOCK .*:(\d+) 0 EOF$/gm)].map(([, inode]) => Number(inode)));
  } catch {
    return undefined;
  }
}

function held(fd: number, path: string, isFirst: boolean, record: string): Share {
  return {
    isFirst,
    record,
    release(undo) {
      try {
        if (!lock(fd, LOCK_EX)) return;
        // Who comes now waits for the lock. After a SIGKILL the record is still there.
        try {
          undo();
        } finally {
          unlinkSync(path);
        }
      } finally {
        closeFd(fd);
      }
    },
  };
}

/** Writes the record. On a full disk there is no record, and nothing else fails. */
function write(fd: number, record: string): void {
  try {
    writeSync(fd, record, 0);
  } catch {
    ftruncateSync(fd, 0);
  }
}

function openCount(path: string, flags: number = O.CREAT): number | undefined {
  try {
    return openFd(path, O.RDWR | O.NONBLOCK | O.NOFOLLOW | flags, 0o600);
  } catch {
    return undefined;
  }
}

/** False when another lock is in the way. A lock held before may be lost then. */
function lock(fd: number, how: number): boolean {
  for (;;) {
    if (libc.flock(fd, how | LOCK_NB) === 0) return true;
    if (errno() !== EINTR) return false;
  }
}

/** The number of our network name space: "4026531840" of "net:[4026531840]". */
function networkNumber(): string {
  return readlinkSync("/proc/thread-self/ns/net").replace(/\D/g, "");
}
