// What several sessions want of the machine at once: done by the first of them, and undone by the last.
//
// Each holds a shared lock (flock(2)) on a file of its name, so that one that was killed does not count. Who gets the lock
// for itself alone is the first, or the last. Each network name space has files of its own. The file holds a record of how
// it is undone: when all who had it were killed, the next one who looks does that.

import { fstatSync, ftruncateSync, readFileSync, readlinkSync, unlinkSync, writeSync } from "node:fs";
import { closeFd, errno, EINTR, libc, O, openFd } from "../ffi/libc.ts";
import { namesIn } from "./sysfs.ts";

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const ATTEMPTS = 100;

export interface Share {
  /** Nobody else wants it yet. */
  readonly isFirst: boolean;
  /** What others, who were killed, had recorded; "" when there were none. */
  readonly leftOver: string;
  /** Calls `undo` when nobody else wants it any more. */
  release(undo: () => void): void;
}

const PREFIX = "nullmodem-";

/**
 * Takes part in a thing called `name`; `record` says how it is undone. Where there is nowhere to count, it is as if there
 * were no others.
 */
export function share(directory: string, name: string, record = ""): Share {
  const path = `${directory}/${PREFIX}${name}.${networkNumber()}`;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const fd = openCount(path);
    if (fd === undefined) break;
    const isFirst = lock(fd, LOCK_EX);
    // Somebody may have it to himself for a moment; and the last one may have removed it just now.
    if ((isFirst || lock(fd, LOCK_SH)) && fstatSync(fd).nlink > 0) return take(fd, path, isFirst, record);
    closeFd(fd);
  }
  return { isFirst: true, leftOver: "", release: (undo) => undo() };
}

/** Undoes what only sessions have that were killed: calls `undo` with each record. */
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
      unlinkSync(path);
      if (record !== "") undo(record);
    } finally {
      closeFd(fd);
    }
  }
}

function take(fd: number, path: string, isFirst: boolean, record: string): Share {
  const leftOver = isFirst ? readFileSync(fd, "utf8") : "";
  if (isFirst) {
    if (leftOver === "") write(fd, record);
    lock(fd, LOCK_SH);
  }
  return {
    isFirst,
    leftOver,
    release(undo) {
      try {
        if (!lock(fd, LOCK_EX)) return;
        unlinkSync(path);
        undo();
      } finally {
        closeFd(fd);
      }
    },
  };
}

/** A full disk keeps no record, and takes nothing else away. */
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

/** False when somebody else's lock is in the way; a lock that was held may be lost then. */
function lock(fd: number, how: number): boolean {
  for (;;) {
    if (libc.flock(fd, how | LOCK_NB) === 0) return true;
    if (errno() !== EINTR) return false;
  }
}

/** "4026531840", from "net:[4026531840]". */
function networkNumber(): string {
  return readlinkSync("/proc/thread-self/ns/net").replace(/\D/g, "");
}
