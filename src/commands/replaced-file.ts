// A path that a user gives for a file that is replaced or moved: what is there now must be a file, or nothing. A rename or a
// removal takes away a device, a FIFO or a symbolic link for good.

import { lstatSync } from "node:fs";

export class NoRegularFile extends Error {
  constructor(path: string) {
    super(`${path} is no regular file, and would be replaced by one`);
  }
}

/** Throws NoRegularFile. */
export function checkReplaceable(path: string): void {
  if (!isReplaceable(path)) throw new NoRegularFile(path);
}

/** A path that cannot be looked at counts as one: what is done with it tells the reason. */
export function isReplaceable(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? true;
  } catch {
    return true;
  }
}
