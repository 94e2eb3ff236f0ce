// What several sessions want of the machine at once: done by the first of them, and undone by the last.
//
// Each holds a shared lock (flock(2)) on a file of its name, so that one that was killed does not count. Who gets the lock
// for itself alone is the first, or the last. Each network name space has files of its own.

import { fstatSync, readlinkSync, unlinkSync } from "node:fs";
import { closeFd, errno, EINTR, libc, O, openFd } from "./libc.ts";

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const ATTEMPTS = 100;

export interface Share {
  /** Nobody else wants it yet. */
  readonly isFirst: boolean;
  /** Calls `undo` when nobody else wants it any more. */
  release(undo: () => void): void;
}

/** Takes part in a thing called `name`. Where there is nowhere to count, it is as if there were no others. */
export function share(directory: string, name: string): Share {
  const path = `${directory}/nullmodem-${name}.${networkNumber()}`;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const fd = openCount(path);
    if (fd === undefined) break;
    const isFirst = lock(fd, LOCK_EX);
    // Somebody may have it to himself for a moment; and the last one may have removed it just now.
    if ((isFirst || lock(fd, LOCK_SH)) && fstatSync(fd).nlink > 0) return take(fd, path, isFirst);
    closeFd(fd);
  }
  return { isFirst: true, release: (undo) => undo() };
}

function take(fd: number, path: string, isFirst: boolean): Share {
  if (isFirst) lock(fd, LOCK_SH);
  return {
    isFirst,
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

function openCount(path: string): number | undefined {
  try {
    return openFd(path, O.RDWR | O.CREAT | O.NOFOLLOW, 0o600);
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
