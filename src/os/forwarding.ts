// net.ipv4.ip_forward, switched on by several sessions (`ktune`) and off again by the last of them.
//
// Each holds a shared lock (flock(2)) on one file, so that one that was killed does not count. Who gets the lock for itself
// alone is the first, or the last. Each network name space has its own switch, and so its own file.

import { fstatSync, readlinkSync, unlinkSync } from "node:fs";
import { closeFd, errno, EINTR, libc, O, openFd } from "./libc.ts";
import { readSysctl, writeSysctl } from "./sysctl.ts";

const SWITCH = "net/ipv4/ip_forward";
const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const ATTEMPTS = 100;

/** Gives up what {@link forward} gave. */
export type Release = () => void;

/** Has IPv4 packets forwarded until the last user's release. Undefined when that is so anyway, or may not be. */
export function forward(directory: string): Release | undefined {
  const path = `${directory}/ppp-ip_forward.${networkNumber()}`;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const fd = openCount(path);
    if (fd === undefined) return forwardAlone();
    const isFirst = lock(fd, LOCK_EX);
    // Somebody may have it to himself for a moment; and the last one may have removed it just now.
    if ((isFirst || lock(fd, LOCK_SH)) && fstatSync(fd).nlink > 0) return join(fd, path, isFirst);
    closeFd(fd);
  }
  return undefined;
}

function join(fd: number, path: string, isFirst: boolean): Release | undefined {
  const isOn = readSysctl(SWITCH) !== "0";
  if ((isFirst && isOn) || (!isOn && !writeSysctl(SWITCH, "1"))) {
    if (isFirst) unlinkSync(path);
    closeFd(fd);
    return undefined;
  }
  if (isFirst) lock(fd, LOCK_SH);
  return () => {
    if (lock(fd, LOCK_EX)) {
      writeSysctl(SWITCH, "0");
      unlinkSync(path);
    }
    closeFd(fd);
  };
}

/** Undefined: there is nowhere to count the users. */
function openCount(path: string): number | undefined {
  try {
    return openFd(path, O.RDWR | O.CREAT | O.NOFOLLOW, 0o600);
  } catch {
    return undefined;
  }
}

function forwardAlone(): Release | undefined {
  if (readSysctl(SWITCH) !== "0" || !writeSysctl(SWITCH, "1")) return undefined;
  return () => void writeSysctl(SWITCH, "0");
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
