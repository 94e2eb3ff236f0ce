// Reads /sys, /proc and /run, where a listed file may vanish or be unreadable.

import { readdirSync, readFileSync } from "node:fs";

/** The names in a folder. Empty when it cannot be read. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The first line of a file, without control characters: a device's maker may have written it. */
export function attribute(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8")
      .split("\n", 1)[0]!
      .replace(/[\x00-\x1f\x7f-\x9f]/g, "")
      .trim();
  } catch {
    return undefined;
  }
}
