// The rights of this process and of the user who started it.

import { readFileSync } from "node:fs";
import { closeFd, errno, libc, O, openFd } from "../ffi/libc.ts";

const CAP_NET_ADMIN = 12;

/** True when this process may make and change network interfaces: CAP_NET_ADMIN, over the network namespace that it is in. */
export function mayMakeInterfaces(): boolean {
  return hasNetAdmin() && ownsNetwork();
}

/** ioctl: opens the user namespace that a namespace belongs to. EPERM: it is outside of ours. */
const NS_GET_USERNS = 0xb701;
const EPERM = 1;

/** False when the capabilities of this process count in its user namespace only, and the network is that of another one. */
function ownsNetwork(): boolean {
  let network: number;
  try {
    network = openFd("/proc/self/ns/net", O.RDONLY);
  } catch {
    return true;
  }
  const owner = libc.ioctl(network, NS_GET_USERNS, null);
  const isForeign = owner < 0 && errno() === EPERM;
  if (owner >= 0) closeFd(owner);
  closeFd(network);
  return !isForeign;
}

/** True when this process has CAP_NET_ADMIN, in whatever user namespace. */
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

/** systemd gives this capability to every user who logs in. It wakes a sleeping machine. */
const CAP_WAKE_ALARM = 35;
/** The kernel says so of a process that got other rights from its file, also those of a security module. */
const AT_SECURE = 23;

/**
 * True when this process may do more than the user who started it: it is set-user-id or set-group-id, or has capabilities. When
 * that cannot be found out, it is true.
 */
export function hasLentRights(status = "/proc/self/status"): boolean {
  if (libc.getauxval(AT_SECURE) !== 0) return true;
  try {
    const text = readFileSync(status, "latin1");
    const idsOf = (name: string): string[] => new RegExp(`^${name}:\\s*(.*)`, "m").exec(text)?.[1]?.split(/\s+/) ?? [];
    const isOwn = (ids: readonly string[]): boolean => ids.length === 4 && ids.every((id) => id === ids[0]);
    const capabilities = (name: string): bigint => BigInt(`0x${idsOf(name)[0] ?? "x"}`);
    const own = capabilities("CapAmb") & (1n << BigInt(CAP_WAKE_ALARM));
    return !isOwn(idsOf("Uid")) || !isOwn(idsOf("Gid")) || (capabilities("CapPrm") & ~own) !== 0n;
  } catch {
    return true;
  }
}
