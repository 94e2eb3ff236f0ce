// Finds leaks of descriptors: those that are open now and were not before. Descriptors that others close in the
// meantime do not count.

import { readdirSync, readlinkSync } from "node:fs";

/** Each as "7 /dev/pts/3". */
export function openFds(): Set<string> {
  const found = new Set<string>();
  for (const fd of readdirSync("/proc/self/fd")) {
    try {
      found.add(`${fd} ${readlinkSync(`/proc/self/fd/${fd}`)}`);
    } catch {
      // The descriptor with which the directory was read.
    }
  }
  return found;
}

export function openedSince(before: ReadonlySet<string>): string[] {
  return [...openFds()].filter((fd) => !before.has(fd));
}
