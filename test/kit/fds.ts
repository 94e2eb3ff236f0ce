// Open descriptors, to catch leaks: what is open now and was not before. What others close meanwhile does not count.

import { readdirSync, readlinkSync } from "node:fs";

/** Each as "7 /dev/pts/3". */
export function openFds(): Set<string> {
  const found = new Set<string>();
  for (const fd of readdirSync("/proc/self/fd")) {
    try {
      found.add(`${fd} ${readlinkSync(`/proc/self/fd/${fd}`)}`);
    } catch {
      // The one the directory was read with.
    }
  }
  return found;
}

export function openedSince(before: ReadonlySet<string>): string[] {
  return [...openFds()].filter((fd) => !before.has(fd));
}
