// The sockets of the peer's flows never take the last descriptors of the process, which needs some for scripts, files and links.
// The kernel gives the lowest number that is free, so a high number says that few are left.

import { closeFd, errno, Memory } from "../ffi/libc.ts";
import { LIBC, library } from "../ffi/library.ts";

const system = library(LIBC, { getrlimit: { args: ["i32", "ptr"], returns: "i32" } });

const RLIMIT_NOFILE = 7;
const EMFILE = 24;
const RESERVE = 64;

/** Descriptors from this number on are kept. */
let keptFrom: number | undefined;

function findKept(): number {
  const limit = new Memory(16);
  if (system()?.getrlimit(RLIMIT_NOFILE, limit.address) !== 0) return Infinity;
  const most = Number(limit.view.getBigUint64(0, true));
  return most - Math.min(RESERVE, most / 4);
}

/** What socket(2) or accept(2) has returned just now. Returns it, or minus the error number. */
export function admitted(fd: number): number {
  if (fd < 0) return -errno();
  if (fd < (keptFrom ??= findKept())) return fd;
  closeFd(fd);
  return -EMFILE;
}
