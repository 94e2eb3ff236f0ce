// Kernel parameters under /proc/sys, for pppd's `ktune` ("net/ipv4/ip_forward", "net/ipv4/ip_dynaddr").

import { accessSync, constants, readFileSync, writeFileSync } from "node:fs";

/** Reads a parameter. Undefined when it does not exist or /proc is not mounted. */
export function readSysctl(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${name}`, "latin1").trimEnd();
  } catch {
    return undefined;
  }
}

/** Writes a parameter. False when that is not allowed, for example in a container where /proc/sys is read-only. */
export function writeSysctl(name: string, value: string): boolean {
  try {
    writeFileSync(`/proc/sys/${name}`, value);
    return true;
  } catch {
    return false;
  }
}

/** True when {@link writeSysctl} is likely to work. */
export function mayWriteSysctl(name: string): boolean {
  try {
    accessSync(`/proc/sys/${name}`, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
