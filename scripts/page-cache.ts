// The pages of a file that the kernel has in memory: which they are, and how to have it forget them.

import { dlopen, type Pointer } from "bun:ffi";
import { closeSync, fsyncSync, openSync, statSync } from "node:fs";

export const PAGE = 4096;

const READ = 1;
const SHARED = 1;
const DONTNEED = 4;

const libc = dlopen("libc.so.6", {
  mmap: { args: ["ptr", "u64", "i32", "i32", "i32", "i64"], returns: "ptr" },
  munmap: { args: ["ptr", "u64"], returns: "i32" },
  mincore: { args: ["ptr", "u64", "buffer"], returns: "i32" },
  posix_fadvise: { args: ["i32", "i64", "i64", "i32"], returns: "i32" },
}).symbols;

/** One octet for each page of the file: 1 when it is in memory. */
export function residentPages(path: string): Uint8Array {
  const { size } = statSync(path);
  const pages = new Uint8Array(Math.ceil(size / PAGE));
  const fd = openSync(path, "r");
  const address = libc.mmap(null, size, READ, SHARED, fd, 0) as Pointer;
  const result = libc.mincore(address, size, pages);
  libc.munmap(address, size);
  closeSync(fd);
  if (result !== 0) throw new Error(`mincore ${path} failed`);
  return pages.map((page) => page & 1);
}

/** Has the kernel forget the file's pages. False: some are in use. */
export function dropPages(path: string): boolean {
  const fd = openSync(path, "r");
  fsyncSync(fd);
  libc.posix_fadvise(fd, 0, 0, DONTNEED);
  closeSync(fd);
  return !residentPages(path).includes(1);
}
