// crypt(3): tests whether a password belongs to a hash, in every scheme that the system's libcrypt knows (yescrypt,
// SHA-512, bcrypt, MD5, DES). Used for PAP secrets (pppd tries crypt after the plain comparison) and for `login`
// without PAM.

import { CString, type Pointer } from "bun:ffi";
import { bytesOf } from "../../bytes/text.ts";
import { LIBC, library, terminated } from "../ffi/library.ts";

// libxcrypt is .so.1 in Debian and .so.2 in Fedora and Arch; musl keeps crypt in its libc.
const libcrypt = library(["libcrypt.so.1", "libcrypt.so.2", ...LIBC], {
  crypt: { args: ["ptr", "ptr"], returns: "ptr" },
});

/** False on a system without crypt(3). Then no hash can match. */
export function haveCrypt(): boolean {
  return libcrypt() !== undefined;
}

/**
 * True when `password` (bytes, or one char a byte) belongs to `hash`. Never throws. A locked ("!…", "*…") or empty hash
 * matches nothing: like a pppd without PAM we have no `nullok`. With PAM, pam_unix decides that.
 */
export function cryptMatches(password: Uint8Array | string, hash: string): boolean {
  const secret = typeof password === "string" ? bytesOf(password) : password;
  // C code would end the password at the NUL and accept "secret\0anything" for "secret".
  if (secret.includes(0) || !/^[^!*\0][\x01-\x7f]+$/.test(hash)) return false;
  const system = libcrypt();
  if (system === undefined) return false;
  const setting = terminated(bytesOf(hash));
  const phrase = terminated(secret);
  const found = system.crypt(phrase.address, setting.address) as Pointer | null;
  phrase.bytes.fill(0);
  // libxcrypt returns NULL, "*0" or "*1" for a hash in an unknown scheme.
  return found !== null && sameText(textAt(found), hash);
}

function textAt(address: Pointer): string {
  return new CString(address).toString();
}

function sameText(found: string, wanted: string): boolean {
  const [a, b] = [bytesOf(found), bytesOf(wanted)];
  return a.length === b.length && process.getBuiltinModule("node:crypto").timingSafeEqual(a, b);
}
