// Most of our resident memory is code of the executable that Bun needs only to start. Once a link is up, we give these
// pages back. A page that is needed again comes from the page cache in about a microsecond.

import { readFileSync } from "node:fs";
import type { Pointer } from "bun:ffi";
import { libc } from "./libc.ts";

const MADV_DONTNEED = 4;

/** Gives back the pages of our executable's code. They are never written, so nothing is lost. */
export function dropCodePages(): void {
  let maps: string;
  try {
    maps = readFileSync("/proc/self/maps", "latin1");
  } catch {
    return;
  }
  for (const [, start, end, path] of maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) r-xp .* (\/.*)$/gm)) {
    if (path !== process.execPath) continue;
    const at = parseInt(start!, 16);
    libc.madvise(at as Pointer, parseInt(end!, 16) - at, MADV_DONTNEED);
  }
}
