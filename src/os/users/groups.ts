// The system's groups by getgrnam(3), which includes NSS sources.

import { type Pointer, read } from "bun:ffi";
import { bytesOf } from "../../bytes/text.ts";
import { LIBC, library, terminated } from "../ffi/library.ts";

const libc = library(LIBC, { getgrnam: { args: ["ptr"], returns: "ptr" } });

/** Its offset in struct group (LP64; glibc and musl agree). */
const GID = 16;

/** The number of the group of that name (one char a byte), or of that number. Undefined: there is none. */
export function groupId(name: string): number | undefined {
  if (/^\d{1,9}$/.test(name)) return Number(name);
  if (name === "" || name.includes("\0")) return undefined;
  const key = terminated(bytesOf(name));
  const found = libc()?.getgrnam(key.address) as Pointer | null | undefined;
  return found == null ? undefined : read.u32(found, GID);
}
