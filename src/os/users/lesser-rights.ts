// Gives up root's rights for good: the user, the groups, the capabilities, and the way to new ones. The user and the groups are
// those of all threads (by the C library), and the rest is that of this thread: another program should take our place then.

import { constants } from "node:os";
import { check, errno, libc, Memory, OsError } from "../ffi/libc.ts";
import { LIBC, library } from "../ffi/library.ts";

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
const PR_CAPBSET_READ = 23;
const PR_CAPBSET_DROP = 24;
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
  const isRoot = libc.geteuid() === 0;
  // While we still may. An ordinary user may not, and has nothing to lose by it.
  for (let capability = 0; capability <= LAST_CAPABILITY; capability++)
    libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  if (isRoot) become(uid, gid);
  const header = new Memory(8);
  header.view.setUint32(0, CAPABILITY_VERSION_3, true);
  // The inheritable ones too, and with them the ambient ones.
  check(libc.syscall(SYS_CAPSET, header.address, new Memory(24).address, 0, 0, 0), "capset");
  check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl");
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, MOST_FILES);
}

/** A program that takes our place has no right that we do not have. Root gets those that the bounding set has left. */
export function isLesserForGood(): boolean {
  return libc.geteuid() !== 0 || libc.prctl(PR_CAPBSET_READ, 0, 0, 0, 0) === 0;
}

/** Other processes of the user cannot look into this one. */
export function hideMemory(): void {
  libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
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
    return;
  }
  check(system.setresuid(uid, uid, uid), "setresuid");
  if (system.setresuid(0, 0, 0) === 0) throw new OsError("setresuid", "", constants.errno.EPERM);
}

function limit(resource: number, most: number): void {
  const both = new Memory(16);
  both.view.setBigUint64(0, BigInt(most), true);
  both.view.setBigUint64(8, BigInt(most), true);
  calls()?.setrlimit(resource, both.address);
}
