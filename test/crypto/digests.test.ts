import { expect, test } from "bun:test";
import { bytesOf, fromHex, toHex } from "../../src/bytes/text.ts";
import { desBlock, md4, md5, sha1 } from "../../src/crypto/digests.ts";

test("the digests are those of their RFCs, in one part or several", () => {
  const parts = [bytesOf("message "), bytesOf(""), bytesOf("digest")];
  const whole = [bytesOf("message digest")];
  for (const text of [parts, whole]) {
    // RFC 1320 §A.5, RFC 1321 §A.5.
    expect(toHex(md4(...text))).toBe("d9130a8164549fe818874806e1c7014b");
    expect(toHex(md5(...text))).toBe("f96b697d7cb7938d525a2f31aaf161d0");
  }
  // RFC 3174 §7.3.
  expect(toHex(sha1(bytesOf("abc")))).toBe("a9993e364706816aba3e25717850c26c9cd0d89d");
  expect(toHex(md4())).toBe("31d6cfe0d16ae931b73c59d7e0c089c0");
});

/** A key of 8 octets without its parity bits. */
function withoutParity(hex: string): Uint8Array {
  const bits = Array.from(fromHex(hex), (octet) => (octet >>> 1).toString(2).padStart(7, "0")).join("");
  return Uint8Array.from({ length: 7 }, (_, at) => parseInt(bits.slice(8 * at, 8 * at + 8), 2));
}

test("DES encrypts the worked examples", () => {
  // FIPS 81 table B1, the example of the Handbook of Applied Cryptography, and the weak key that undoes itself.
  expect(toHex(desBlock(withoutParity("0123456789abcdef"), bytesOf("Now is t")))).toBe("3fa40e8a984d4815");
  expect(toHex(desBlock(withoutParity("133457799bbcdff1"), fromHex("0123456789abcdef")))).toBe("85e813540f0ab405");
  const weak = withoutParity("0101010101010101");
  expect(weak).toEqual(new Uint8Array(7));
  expect(desBlock(weak, desBlock(weak, bytesOf("12345678")))).toEqual(bytesOf("12345678"));
});
