// This program again, in place of this process (execve(2)). The kernel ends all threads but the one that asks, and the new program
// has that thread's rights. Bun has threads before any code of ours runs, and most rights are each thread's own: so this is how
// a whole process loses them.

import { closeFd, cstring, libc, O } from "../ffi/libc.ts";
import { scriptArgs } from "./detach.ts";
import { closeOnExec, Vector } from "./spawn.ts";

const SYS_EXECVE = process.arch === "arm64" ? 221 : 59;
const F_SETFD = 2;
/** The way to it may be closed to the user that we have become, but the file is open to us. */
const OWN_PROGRAM = "/proc/self/exe";

/** Keeps the descriptors below `first`, and `kept`. Returns only when it cannot be done. */
export function takeOwnPlace(env: Readonly<Record<string, string>>, first: number, kept: number): void {
  if (![OWN_PROGRAM, ...scriptArgs().slice(-1)].every(isReadable)) return;
  const path = cstring(OWN_PROGRAM);
  const words = new Vector([process.argv0, ...scriptArgs()]);
  const variables = new Vector(Object.entries(env).map(([name, value]) => `${name}=${value}`));
  closeOnExec(first);
  // Bun's start marks all descriptors from 4 on to be closed.
  for (const fd of [...Array(first).keys(), kept]) libc.fcntl(fd, F_SETFD, 0);
  libc.syscall(SYS_EXECVE, path.address, words.address, variables.address, 0, 0);
}

function isReadable(path: string): boolean {
  const fd = libc.open(cstring(path).address, O.RDONLY | O.CLOEXEC, 0);
  if (fd >= 0) closeFd(fd);
  return fd >= 0;
}
