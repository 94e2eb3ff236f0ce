// crypt(3): does a password give this hash? Whatever schemes the system's libcrypt knows: yescrypt, SHA-512, bcrypt,
// MD5, DES. For PAP secrets (pppd tries crypt after the plain comparison) and for `login` where there is no PAM.

import { timingSafeEqual } from "node:crypto";
import { CString, type Pointer } from "bun:ffi";
import { bytesOf } from "../../bytes/text.ts";
import { LIBC, library, terminated } from "../ffi/library.ts";

// libxcrypt is .so.1 in Debian and .so.2 in Fedora and Arch; musl keeps crypt in its libc.
const libcrypt = library(["libcrypt.so.1", "libcrypt.so.2", ...LIBC], {
  crypt: { args: ["ptr", "ptr"], returns: "ptr" },
});

/** False on a system without crypt(3), where no hash can match. */
export function haveCrypt(): boolean {
  return libcrypt() !== undefined;
}

/**
 * True when `password` (its bytes, or one char a byte) is the one `hash` was made from. Never throws. A locked ("!…",
 * "*…") or empty hash matches nothing: like a pppd without PAM we have no `nullok`; with PAM, pam_unix decides that.
 */
export function cryptMatches(password: Uint8Array | string, hash: string): boolean {
  const secret = typeof password === "string" ? bytesOf(password) : password;
  // In C the password would end at the NUL, and "secret\0anything" would pass for "secret".
  if (secret.includes(0) || !/^[^!*\0][\x01-\x7f]+$/.test(hash)) return false;
  const system = libcrypt();
  if (system === undefined) return false;
  const setting = terminated(bytesOf(hash));
  const phrase = terminated(secret);
  const found = system.crypt(phrase.address, setting.address) as Pointer | null;
  phrase.bytes.fill(0);
  // NULL, or "*0" and "*1" of libxcrypt: a hash it does not understand.
  return found !== null && sameText(textAt(found), hash);
}

function textAt(address: Pointer): string {
  return new CString(address).toString();
}

function sameText(found: string, wanted: string): boolean {
  const [a, b] = [bytesOf(found), bytesOf(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
