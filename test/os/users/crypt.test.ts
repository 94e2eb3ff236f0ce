import { describe, expect, test } from "bun:test";
import { cryptMatches, haveCrypt } from "../../../src/os/users/crypt.ts";

const why = haveCrypt() ? undefined : "no crypt(3) here";
const title = (name: string) => (why === undefined ? name : `${name} [skipped: ${why}]`);
const PASSWORD = "gargleBlaster";

/** The hash by a program that does not use libcrypt. */
function made(argv: readonly string[], input: string): string {
  const { stdout, exitCode } = Bun.spawnSync([...argv], { stdin: Buffer.from(input, "latin1") });
  if (exitCode !== 0) throw new Error(`${argv.join(" ")}: ${exitCode}`);
  return stdout.toString().trim();
}

const openssl = Bun.which("openssl") !== null;
const busybox = Bun.which("busybox") !== null;

describe.skipIf(why !== undefined)(title("cryptMatches"), () => {
  for (const [scheme, flag] of [
    ["MD5", "-1"],
    ["SHA-256", "-5"],
    ["SHA-512", "-6"],
  ] as const) {
    test.skipIf(!openssl)(`${scheme}${openssl ? "" : " [skipped: no openssl]"}`, () => {
      const hash = made(["openssl", "passwd", flag, "-stdin"], `${PASSWORD}\n`);
      expect(hash.length).toBeGreaterThan(30);
      expect(cryptMatches(PASSWORD, hash)).toBe(true);
      expect(cryptMatches(`${PASSWORD}r`, hash)).toBe(false);
      expect(cryptMatches("", hash)).toBe(false);
    });
  }

  test.skipIf(!busybox)(`DES, of which eight octets count${busybox ? "" : " [skipped: no busybox]"}`, () => {
    const hash = made(["busybox", "mkpasswd", "-m", "des", "-S", "ab", "-P", "0"], `${PASSWORD}\n`);
    expect(hash).toHaveLength(13);
    expect(cryptMatches(PASSWORD, hash)).toBe(true);
    expect(cryptMatches("gargleBl", hash)).toBe(true);
    expect(cryptMatches("gargleB", hash)).toBe(false);
  });

  test("bcrypt, by Bun's own, where the system knows it", () => {
    const hash = Bun.password.hashSync(PASSWORD, { algorithm: "bcrypt", cost: 4 });
    const known = cryptMatches(PASSWORD, hash);
    // musl and libxcrypt support it, glibc's old libcrypt does not.
    if (known) expect(cryptMatches("wrong", hash)).toBe(false);
    else console.log("bcrypt [skipped: this system's crypt(3) does not know it]");
  });

  test("yescrypt, as chpasswd leaves it in Debian's shadow file", () => {
    const hash = "$y$j9T$abcdefghijklmnopqrstu.$KRKKFMaOqMG3D2Y4//wV9Gm3hNb1tZ/tETIHLRkd18A";
    const known = cryptMatches(PASSWORD, hash);
    if (known) expect(cryptMatches("wrong", hash)).toBe(false);
    else console.log("yescrypt [skipped: this system's crypt(3) does not know it]");
  });

  test.skipIf(!openssl)("passwords are octets, as a string or as an array", () => {
    const hash = made(["openssl", "passwd", "-6", "-stdin"], "gr\xfcn\n");
    expect(cryptMatches("gr\xfcn", hash)).toBe(true);
    expect(cryptMatches(Uint8Array.of(0x67, 0x72, 0xfc, 0x6e), hash)).toBe(true);
    expect(cryptMatches("gr\xc3\xbcn", hash)).toBe(false);
    expect(cryptMatches("gr\xfcn\0", hash)).toBe(false);
    expect(cryptMatches("gr\xfcn\0more", hash)).toBe(false);
  });

  test("a text that is no hash matches no password", () => {
    const hash = "abfAXtrcha9N.";
    expect(cryptMatches(PASSWORD, hash)).toBe(true);
    for (const bad of ["", "*", "!", "!!", "x", "*0", "*1", `!${hash}`, `*${hash}`, `${hash}x`, hash.slice(0, -1)]) {
      expect([bad, cryptMatches(PASSWORD, bad)]).toEqual([bad, false]);
      expect([bad, cryptMatches("", bad)]).toEqual([bad, false]);
      expect([bad, cryptMatches(bad, bad)]).toEqual([bad, false]);
    }
    for (const bad of [
      "$6$",
      "$6$salt",
      "$6$salt$",
      "$9$salt$hash",
      "$y$",
      "\xff\xff\xff",
      "ab\0c",
      "a".repeat(10_000),
    ]) {
      expect([bad, cryptMatches(PASSWORD, bad)]).toEqual([bad, false]);
    }
  });
});
