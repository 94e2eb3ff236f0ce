// Looks up names that the system knows: hosts and networks by NSS (/etc/hosts, DNS, …), users and groups, and the tty
// of a descriptor. All calls are synchronous, because reading an options file is.

import { CString, type Pointer, read } from "bun:ffi";
import { cstring, OsError } from "../ffi/libc.ts";
import { LIBC, library } from "../ffi/library.ts";

const libc = library(LIBC, {
  gethostbyname: { args: ["ptr"], returns: "ptr" },
  getnetbyname: { args: ["ptr"], returns: "ptr" },
  getpwuid: { args: ["u32"], returns: "ptr" },
  getgrnam: { args: ["ptr"], returns: "ptr" },
  ttyname: { args: ["i32"], returns: "ptr" },
  setegid: { args: ["u32"], returns: "i32" },
  seteuid: { args: ["u32"], returns: "i32" },
});

// Offsets in struct hostent, netent, passwd and group (LP64; glibc and musl agree).
const HOST = { type: 16, addresses: 24 } as const;
const NET = { type: 16, number: 20 } as const;
const PW_NAME = 0;
const PW_DIR = 32;
const GR_GID = 16;
const AF_INET = 2;

function lookUp(symbol: "gethostbyname" | "getnetbyname" | "getgrnam", name: string): Pointer | undefined {
  if (name === "" || name.includes("\0")) return undefined;
  const key = cstring(name);
  return (libc()?.[symbol](key.address) as Pointer | null | undefined) ?? undefined;
}

/** The first IPv4 address of a host, as uint32. Blocks for as long as the name server takes. */
export function hostAddress(name: string): number | undefined {
  const host = lookUp("gethostbyname", name);
  if (host === undefined || read.i32(host, HOST.type) !== AF_INET) return undefined;
  const first = read.ptr(read.ptr(host, HOST.addresses) as Pointer, 0);
  if (first === 0) return undefined;
  const octets = [0, 1, 2, 3].map((at) => read.u8(first as Pointer, at));
  return octets.reduce((address, octet) => address * 256 + octet, 0);
}

/** The number of a network in /etc/networks, with host part zero, as uint32. */
export function networkAddress(name: string): number | undefined {
  const network = lookUp("getnetbyname", name);
  return network === undefined || read.i32(network, NET.type) !== AF_INET ? undefined : read.u32(network, NET.number);
}

/** The name of a user in the password file. Bun's own userInfo() would use $USER. */
export function userName(uid: number): string | undefined {
  const entry = libc()?.getpwuid(uid) as Pointer | null | undefined;
  return entry ? textAt(read.ptr(entry, PW_NAME)) : undefined;
}

/** The home directory of a user in the password file. */
export function homeOf(uid: number): string | undefined {
  const entry = libc()?.getpwuid(uid) as Pointer | null | undefined;
  return entry ? textAt(read.ptr(entry, PW_DIR)) : undefined;
}

/** The number of a group, or undefined when there is none of that name. */
export function groupNumber(name: string): number | undefined {
  const group = lookUp("getgrnam", name);
  return group === undefined ? undefined : read.u32(group, GR_GID);
}

/** The path of a descriptor's tty. Undefined when it is no tty. */
export function ttyOf(fd: number): string | undefined {
  return textAt(Number(libc()?.ttyname(fd) ?? 0));
}

/** Runs `act` with the effective user id `uid` and our real group. Only a set-user-id or set-group-id program needs it. */
export function asUser<T>(uid: number, act: () => T): T {
  const own = { uid: process.geteuid?.() ?? uid, gid: process.getegid?.() ?? 0 };
  const gid = process.getgid?.() ?? 0;
  if (own.uid === uid && own.gid === gid) return act();
  const system = libc();
  if (system === undefined || system.setegid(gid) !== 0 || system.seteuid(uid) !== 0)
    throw new OsError("seteuid", String(uid));
  try {
    return act();
  } finally {
    system.seteuid(own.uid);
    system.setegid(own.gid);
  }
}

function textAt(address: number): string | undefined {
  return address === 0 ? undefined : new CString(address as Pointer).toString();
}
