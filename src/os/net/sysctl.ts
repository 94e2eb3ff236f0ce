// Kernel parameters under /proc/sys, for pppd's `ktune` ("net/ipv4/ip_forward", "net/ipv4/ip_dynaddr").

import { readFileSync, writeFileSync } from "node:fs";
import { closeFd, O, openFd } from "../ffi/libc.ts";

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

/** True when {@link writeSysctl} is likely to work. access(2) would answer for the real user, not for the rights in force. */
export function mayWriteSysctl(name: string): boolean {
  try {
    closeFd(openFd(`/proc/sys/${name}`, O.WRONLY));
    return true;
  } catch {
    return false;
  }
}
