// Kernel parameters under /proc/sys, for pppd's `ktune` ("net/ipv4/ip_forward", "net/ipv4/ip_dynaddr").

import { readFileSync, writeFileSync } from "node:fs";

/** Undefined when there is no such parameter, or no /proc. */
export function readSysctl(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${name}`, "latin1").trimEnd();
  } catch {
    return undefined;
  }
}

/** False when we may not, as in a container where /proc/sys is read-only. */
export function writeSysctl(name: string, value: string): boolean {
  try {
    writeFileSync(`/proc/sys/${name}`, value);
    return true;
  } catch {
    return false;
  }
}
