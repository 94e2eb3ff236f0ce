// What this process may do, whoever started it.

import { readFileSync } from "node:fs";
import { libc } from "../ffi/libc.ts";

const CAP_NET_ADMIN = 12;

/** Has the capability to make and change network interfaces. */
export function hasNetAdmin(status = "/proc/self/status"): boolean {
  try {
    const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync(status, "latin1"))?.[1] ?? "0";
    return ((BigInt(`0x${effective}`) >> BigInt(CAP_NET_ADMIN)) & 1n) === 1n;
  } catch {
    return false;
  }
}

/**
 * The user is root, or was given the capability. Who only borrows root's rights, as a set-user-id program does, was given
 * nothing.
 */
export function isPrivileged(): boolean {
  return libc.getuid() === 0 || (libc.geteuid() !== 0 && hasNetAdmin());
}
