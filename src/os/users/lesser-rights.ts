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
export const NOBODY = 65534;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_SET_DUMPABLE = 4;
const PR_CAPBSET_DROP = 24;
const PR_CAP_AMBIENT = 47;
const AMBIENT = { isSet: 1, raise: 2, clearAll: 4 } as const;
/** Higher than any so far. The kernel refuses those that it does not have. */
const LAST_CAPABILITY = 63;
const CAPABILITY_VERSION_3 = 0x20080522;
const SYS_CAPSET = process.arch === "arm64" ? 91 : 126;
const RLIMIT_CORE = 4;
const RLIMIT_NOFILE = 7;
const MOST_FILES = 4096;

/** Whom a process of root becomes for a folder with this owner. Files of root are served as nobody sees them. */
export function lesserIdentity({ uid, gid }: Identity): Identity {
  return uid === 0 ? { uid: NOBODY, gid: NOBODY } : { uid, gid: gid === 0 ? NOBODY : gid };
}

/**
 * Becomes this user, if we are root, and can become nobody else afterwards. Root of a user namespace that has no such user stays
 * who it is, an ordinary user of the machine, without the namespace's capabilities. Throws OsError.
 */
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
  if (system.setresgid(gid, gid, gid) < 0) {
    const error = errno();
    if (error !== constants.errno.EINVAL) throw new OsError("setresgid", "", error);
    dropCapabilities();
    return;
  }
  check(system.setresuid(uid, uid, uid), "setresuid");
  if (system.setresuid(0, 0, 0) === 0) throw new OsError("setresuid", "", constants.errno.EPERM);
}

/**
 * Runs `act` while this thread has no ambient capabilities. A program that it starts then gets none by us: Bun's threads each have
 * their own, so the program could not give them up for all of its threads.
 */
export function withoutAmbient<T>(act: () => T): T {
  const had: number[] = [];
  for (let capability = 0; capability <= LAST_CAPABILITY; capability++)
    if (libc.prctl(PR_CAP_AMBIENT, AMBIENT.isSet, capability, 0, 0) === 1) had.push(capability);
  if (had.length === 0) return act();
  check(libc.prctl(PR_CAP_AMBIENT, AMBIENT.clearAll, 0, 0, 0), "prctl");
  try {
    return act();
  } finally {
    for (const capability of had) libc.prctl(PR_CAP_AMBIENT, AMBIENT.raise, capability, 0, 0);
  }
}

function dropCapabilities(): void {
  for (let capability = 0; capability <= LAST_CAPABILITY; capability++)
    libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  const header = new Memory(8);
  header.view.setUint32(0, CAPABILITY_VERSION_3, true);
  check(libc.syscall(SYS_CAPSET, header.address, new Memory(24).address, 0, 0, 0), "capset");
}

function limit(resource: number, most: number): void {
  const both = new Memory(16);
  both.view.setBigUint64(0, BigInt(most), true);
  both.view.setBigUint64(8, BigInt(most), true);
  calls()?.setrlimit(resource, both.address);
}
