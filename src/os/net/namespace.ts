// The network namespace of this process.

import { readlinkSync } from "node:fs";

/** How /proc names it, "net:[4026531840]"; "" where it does not. */
export function networkNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/net");
  } catch {
    return "";
  }
}
