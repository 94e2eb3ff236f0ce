import { expect, test } from "bun:test";
import { decoded, encoded } from "../../src/bytes/text.ts";
import { Rng } from "../kit/rng.ts";

test("UTF-8 is decoded, and every other octet comes back unchanged", () => {
  expect(decoded("\xc3\xa9t\xc3\xa9")).toBe("été");
  expect(encoded("été")).toBe("\xc3\xa9t\xc3\xa9");
  // A character whose second half looks like an octet that was kept.
  expect(decoded(encoded("💀"))).toBe("💀");
  const random = new Rng(7);
  for (let nth = 0; nth < 2000; nth++) {
    const octets = Array.from({ length: 1 + (nth % 9) }, () => String.fromCharCode(random.u32() & 0xff)).join("");
    expect(encoded(decoded(octets))).toBe(octets);
  }
});
