// The system's users by getpwnam(3) and getspnam(3), which include NSS sources (LDAP, systemd-homed, …).

import { CString, type Pointer, read } from "bun:ffi";
import { bytesOf } from "../../bytes/text.ts";
import { LIBC, library, terminated } from "../ffi/library.ts";

export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly shell: string;
  /** The crypt(3) hash. Undefined when the shadow file is unreadable or has no entry. */
  readonly hash: string | undefined;
  // Days since 1970, or numbers of days; -1 where the shadow entry has no value.
  readonly lastChange: number;
  readonly maxDays: number;
  readonly inactive: number;
  readonly expire: number;
}

const libc = library(LIBC, {
  getpwnam: { args: ["ptr"], returns: "ptr" },
  getspnam: { args: ["ptr"], returns: "ptr" },
});

// Offsets in struct passwd and struct spwd (LP64; glibc and musl agree).
const PW = { name: 0, password: 8, uid: 16, gid: 20, shell: 40 } as const;
const SP = { hash: 8, lastChange: 16, maxDays: 32, inactive: 48, expire: 56 } as const;

/** The user of that name (one char a byte), or undefined. */
export function systemUser(name: string): SystemUser | undefined {
  const system = libc();
  if (system === undefined || name === "" || name.includes("\0")) return undefined;
  const key = terminated(bytesOf(name));
  const pw = system.getpwnam(key.address) as Pointer | null;
  if (pw === null) return undefined;
  const account = {
    name,
    uid: read.u32(pw, PW.uid),
    gid: read.u32(pw, PW.gid),
    shell: stringAt(pw, PW.shell),
  };
  const unshadowed = stringAt(pw, PW.password);
  const sp = system.getspnam(key.address) as Pointer | null;
  if (sp === null) {
    // "x" refers to the shadow file. Anything else is the hash itself, as on systems without a shadow file.
    const hash = unshadowed === "x" ? undefined : unshadowed;
    return { ...account, hash, lastChange: -1, maxDays: -1, inactive: -1, expire: -1 };
  }
  return {
    ...account,
    hash: stringAt(sp, SP.hash),
    lastChange: longAt(sp, SP.lastChange),
    maxDays: longAt(sp, SP.maxDays),
    inactive: longAt(sp, SP.inactive),
    expire: longAt(sp, SP.expire),
  };
}

/** Above this a maximum age means "never" (shadow's default is 99999). */
const NEVER_DAYS = 10_000;

/**
 * True when the account or its password has expired on day `today` (since 1970), by the rule of a pppd without PAM.
 * Nobody can change a password over PAP. So there is no grace period (`inactive`), and an expired password is refused.
 */
export function hasExpired(user: SystemUser, today: number): boolean {
  if (user.expire > 0 && today >= user.expire) return true;
  const ages = user.maxDays >= 0 && user.maxDays < NEVER_DAYS && user.lastChange >= 0;
  return ages && today >= user.lastChange + user.maxDays;
}

function stringAt(struct: Pointer, offset: number): string {
  const text = read.ptr(struct, offset);
  return text === 0 ? "" : new CString(text as Pointer).toString();
}

function longAt(struct: Pointer, offset: number): number {
  return Number(read.i64(struct, offset));
}
