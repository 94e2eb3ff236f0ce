// Removes a file of a process that was killed, and no other file that has taken its place.

import { linkSync, renameSync, unlinkSync } from "node:fs";

export interface LeftFile {
  readonly path: string;
  /** It is still the file of the killed process. */
  isLeft(path: string): boolean;
}

/** A program that starts may have replaced the file since. So it is looked at once more when it has another name. */
export function removeLeftFile({ path, isLeft }: LeftFile): boolean {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
    const isOurs = isLeft(aside);
    try {
      if (!isOurs) linkSync(aside, path);
    } finally {
      unlinkSync(aside);
    }
    return isOurs;
  } catch {
    // It is gone, or somebody else has put a file in its place.
    return false;
  }
}
