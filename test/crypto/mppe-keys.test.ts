// The worked examples of RFC 3079 §2.5 and §3.5.

import { expect, test } from "bun:test";
import { createCipheriv, createHash } from "node:crypto";
import { bytesOf, fromHex, toHex } from "../../src/bytes/text.ts";
import { type MppeBits, mppeMasterKey, mppeStartKeys, mppeStartKeyV1, SessionKey } from "../../src/crypto/mppe-keys.ts";
import { Rc4 } from "../../src/crypto/rc4.ts";
import { Rng } from "../kit/rng.ts";

const HASH_HASH = fromHex("41c00c584bd2d91c4017a2a12fa59f3f");
const NT_RESPONSE = fromHex("82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df");
const MASTER = fromHex("fdece3717a8c838cb388e527ae3cdd31");

function encrypted(key: SessionKey, text: string): string {
  const rc4 = new Rc4();
  rc4.setKey(key.key);
  const out = bytesOf(text);
  rc4.crypt(out, 0, out.length, out, 0);
  return toHex(out);
}

test("master key and start keys of MS-CHAPv2", () => {
  expect(toHex(mppeMasterKey(HASH_HASH, NT_RESPONSE))).toBe(toHex(MASTER));
  const server = mppeStartKeys(MASTER, true);
  expect(toHex(server.send)).toBe("8b7cdc149b993a1ba118cb153f56dccb");
  expect(toHex(server.receive)).toBe("d5f0e9521e3ea9589645e86051c82226");
  const client = mppeStartKeys(MASTER, false);
  expect([toHex(client.receive), toHex(client.send)]).toEqual([toHex(server.send), toHex(server.receive)]);
});

for (const [bits, first, message, second] of [
  [40, "d1269ec49fa62e3e", "929137917e5803d668d75898", "d1269ece4d98d181"],
  [56, "d15c00c49fa62e3e", "3f106833fa448da842bc57b8", undefined],
  [128, "405cb2247a7956e6e211007ae27b22d4", "81848317df68846272fb5abe", "726f10500e2b54135b1b74d7682f0471"],
] as const)
  test(`session keys of ${bits} bits after MS-CHAPv2`, () => {
    const key = new SessionKey(mppeStartKeys(MASTER, true).send, bits);
    expect(toHex(key.key)).toBe(first);
    expect(encrypted(key, "test message")).toBe(message);
    key.change();
    if (second !== undefined) expect(toHex(key.key)).toBe(second);
    expect(toHex(key.key, 0, 1)).toBe(bits === 128 ? "72" : "d1");
  });

test("keys after MS-CHAPv1: from the NT hash for 128 bits, from the LAN Manager hash for less", () => {
  const start = mppeStartKeyV1(HASH_HASH, fromHex("102db5df085d3041"));
  expect(toHex(start)).toBe("a8947850cfc0acc1d1789fb62ddcddb0");
  const key = new SessionKey(start, 128);
  expect(toHex(key.key)).toBe("59d159bc09f76f1da2a86a28ffec0b1e");
  expect(encrypted(key, "test message")).toBe("fae90688f985f313c7d367c3");
  const lanManager = fromHex("76a152936096d7830e2390227404afd2");
  expect(toHex(new SessionKey(lanManager, 40).key)).toBe("d1269e538cec4a08");
  expect(toHex(new SessionKey(lanManager, 56).key)).toBe("d10801538cec4a08");
});

test("a thousand keys in a row, of each strength, are those of node:crypto", () => {
  const rng = new Rng(3078);
  const weak = { 40: [0xd1, 0x26, 0x9e], 56: [0xd1], 128: [] } satisfies Record<MppeBits, number[]>;
  for (const bits of [40, 56, 128] as const) {
    const length = bits === 128 ? 16 : 8;
    const start = rng.bytes(16);
    const key = new SessionKey(start, bits);
    const copy = new SessionKey(rng.bytes(16), bits);
    let expected = start.subarray(0, length);
    for (let changes = 0; changes < 1000; changes++) {
      const hash = createHash("sha1");
      for (const part of [start.subarray(0, length), new Uint8Array(40), expected, new Uint8Array(40).fill(0xf2)])
        hash.update(part);
      const interim = hash.digest().subarray(0, length);
      expected = Uint8Array.from(changes === 0 ? interim : createCipheriv("rc4", interim, null).update(interim));
      expected.set(weak[bits]);
      if (changes > 0) key.change();
      expect(key.key).toEqual(expected);
      copy.copy(key);
      expect(copy.key).toEqual(expected);
    }
  }
});

test("a start key that is too short throws", () => {
  expect(() => new SessionKey(new Uint8Array(8), 128)).toThrow(RangeError);
});
