// The rights of this process and of the user who started it.

import { readFileSync } from "node:fs";
import { libc } from "../ffi/libc.ts";

const CAP_NET_ADMIN = 12;

/** True when this process has CAP_NET_ADMIN, which it needs to make and change network interfaces. */
export function hasNetAdmin(status = "/proc/self/status"): boolean {
  try {
    const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync(status, "latin1"))?.[1] ?? "0";
    return ((BigInt(`0x${effective}`) >> BigInt(CAP_NET_ADMIN)) & 1n) === 1n;
  } catch {
    return false;
  }
}

/**
 * True when the user is root or was given the capability. A user who has root's rights only through a set-user-id
 * program is not privileged.
 */
export function isPrivileged(): boolean {
  return libc.getuid() === 0 || (libc.geteuid() !== 0 && hasNetAdmin());
}

/**
 * True when this process may do more than the user who started it: it is set-user-id or set-group-id, or has capabilities. When
 * that cannot be found out, it is true.
 */
export function hasLentRights(status = "/proc/self/status"): boolean {
  try {
    const text = readFileSync(status, "latin1");
    const idsOf = (name: string): string[] => new RegExp(`^${name}:\\s*(.*)`, "m").exec(text)?.[1]?.split(/\s+/) ?? [];
    const isOwn = (ids: readonly string[]): boolean => ids.length === 4 && ids.every((id) => id === ids[0]);
    return !isOwn(idsOf("Uid")) || !isOwn(idsOf("Gid")) || !/^0+$/.test(idsOf("CapPrm")[0] ?? "");
  } catch {
    return true;
  }
}
