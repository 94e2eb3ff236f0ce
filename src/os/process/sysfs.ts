// Reading in /sys, /proc and /run, where what was listed a moment ago may be gone, or is not for us to look into.

import { readdirSync, readFileSync } from "node:fs";

/** What is in the folder; nothing when it cannot be read. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The first line of a file, without anything a terminal would act on: the maker of a device may have written it. */
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
