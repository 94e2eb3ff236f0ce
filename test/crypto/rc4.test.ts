import { expect, test } from "bun:test";
import { createCipheriv } from "node:crypto";
import { bytesOf, fromHex, toHex } from "../../src/bytes/text.ts";
import { Rc4 } from "../../src/crypto/rc4.ts";
import { withRng } from "../kit/rng.ts";

function crypted(rc4: Rc4, bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length);
  rc4.crypt(bytes, 0, bytes.length, out, 0);
  return out;
}

test("the well-known examples of a key and a text", () => {
  const rc4 = new Rc4();
  for (const [key, text, cipher] of [
    ["Key", "Plaintext", "bbf316e8d940af0ad3"],
    ["Wiki", "pedia", "1021bf0420"],
    ["Secret", "Attack at dawn", "45a01f645fc35b383552544b9bf5"],
  ] as const) {
    rc4.setKey(bytesOf(key));
    expect(toHex(crypted(rc4, bytesOf(text)))).toBe(cipher);
    rc4.setKey(bytesOf(`${key} and more`), key.length);
    expect(crypted(rc4, fromHex(cipher))).toEqual(bytesOf(text));
  }
});

test("the stream is that of node:crypto, in any pieces and at any offset", () =>
  withRng((rng) => {
    const rc4 = new Rc4();
    for (let round = 0; round < 200; round++) {
      const key = rng.bytes(rng.pick([8, 16]));
      const plain = rng.bytes(1 + rng.below(2000));
      const cipher = createCipheriv("rc4", key, null).update(plain);
      rc4.setKey(key);
      // In place, with other octets around it.
      const buffer = Uint8Array.from([0xa5, ...plain, 0xa5]);
      for (let from = 1, to = 1; from <= plain.length; from = to) {
        to = Math.min(plain.length + 1, from + 1 + rng.below(500));
        rc4.crypt(buffer, from, to, buffer, from);
      }
      expect(buffer).toEqual(Uint8Array.from([0xa5, ...cipher, 0xa5]));
      rc4.setKey(key);
      expect(crypted(rc4, Uint8Array.from(cipher))).toEqual(plain);
    }
  }));
