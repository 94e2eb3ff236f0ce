// Gives up root's rights for good: the user, the groups, the capabilities, and the way to new ones.

import { constants } from "node:os";
import { check, errno, libc, Memory, OsError } from "../ffi/libc.ts";
import { LIBC, library } from "../ffi/library.ts";

// By the C library, which changes all threads of the process. A system call would change one.
const calls = library(LIBC, {
  setgroups: { args: ["u64", "ptr"], returns: "i32" },
  setresgid: { args: ["u32", "u32", "u32"], returns: "i32" },
  setresuid: { args: ["u32", "u32", "u32"], returns: "i32" },
  setrlimit: { args: ["i32", "ptr"], returns: "i32" },
});

export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/** nobody and nogroup, as the kernel has them. */
const NOBODY = 65534;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_SET_DUMPABLE = 4;
const RLIMIT_CORE = 4;
const RLIMIT_NOFILE = 7;
const MOST_FILES = 512;

/** Whom a process of root becomes for a folder with this owner. Files of root are served as nobody sees them. */
export function lesserIdentity({ uid, gid }: Identity): Identity {
  return uid === 0 ? { uid: NOBODY, gid: NOBODY } : { uid, gid: gid === 0 ? NOBODY : gid };
}

/** Becomes this user, if we are root, and can become nobody else afterwards. Throws OsError. */
export function giveUpRights({ uid, gid }: Identity): void {
  if (libc.geteuid() === 0) become(uid, gid);
  check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl");
  libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, MOST_FILES);
}

function become(uid: number, gid: number): void {
  const system = calls();
  if (system === undefined) throw new OsError("setresuid", "", constants.errno.ENOSYS);
  // A user namespace may have no groups to give up (EPERM), and then none of root's count in it.
  if (system.setgroups(0, new Memory(8).address) < 0 && errno() !== constants.errno.EPERM)
    throw new OsError("setgroups");
  check(system.setresgid(gid, gid, gid), "setresgid");
  check(system.setresuid(uid, uid, uid), "setresuid");
  if (system.setresuid(0, 0, 0) === 0) throw new OsError("setresuid", "", constants.errno.EPERM);
}

function limit(resource: number, most: number): void {
  const both = new Memory(16);
  both.view.setBigUint64(0, BigInt(most), true);
  both.view.setBigUint64(8, BigInt(most), true);
  calls()?.setrlimit(resource, both.address);
}
