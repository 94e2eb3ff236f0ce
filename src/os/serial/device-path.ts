// Where the path of a device leads. The same device may have several names, such as those below /dev/serial/by-id.

import { realpathSync } from "node:fs";

/** Below it anybody may make links, and so many that a look-up takes long. */
const SHARED = "/dev/shm/";

/** Where a path below /dev leads, in which only root makes links. Undefined: it is another path, or nothing is there. */
export function devicePath(path: string): string | undefined {
  if (!path.startsWith("/dev/") || path.startsWith(SHARED) || path.split("/").includes("..")) return undefined;
  return tryRealPath(path);
}

/** How long a port that is plugged in again may be known by its old path. */
const KEPT_MS = 1000;
const MOST_KEPT = 256;

/** Returns a function that finds where the path of a port leads, or led within the last second. */
export function portPaths(now: () => number = () => performance.now(), lookUp = tryRealPath): (path: string) => string {
  const known = new Map<string, string>();
  let since = now();
  return (path) => {
    if (now() - since >= KEPT_MS || known.size >= MOST_KEPT) {
      known.clear();
      since = now();
    }
    const real = known.get(path) ?? lookUp(path) ?? path;
    known.set(path, real);
    return real;
  };
}

function tryRealPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
