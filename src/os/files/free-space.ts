// How much can still be written on the disk of an open file (fstatfs).

import { LIBC, library } from "../ffi/library.ts";
import { Memory } from "../ffi/libc.ts";

const calls = library(LIBC, { fstatfs: { args: ["i32", "ptr"], returns: "i32" } });
/** struct statfs of a 64-bit system. */
const STATFS = { size: 120, blockSize: 8, available: 32 } as const;

const space = new Memory(STATFS.size);

/** Infinity where it cannot be found out. */
export function fstatfsFree(fd: number): number {
  if (calls()?.fstatfs(fd, space.address) !== 0) return Infinity;
  const { view } = space;
  return Number(view.getBigInt64(STATFS.blockSize, true) * view.getBigInt64(STATFS.available, true));
}
