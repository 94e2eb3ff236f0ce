import { expect, test } from "bun:test";
import { isDamage } from "../../src/front/damage.ts";
import { bytesOf } from "../../src/bytes/text.ts";

test("what a login sends to erase a long line is text, and backspaces alone are damage", () => {
  expect(isDamage([...bytesOf(`login: ${"\b \b".repeat(40)}`)])).toBe(false);
  expect(isDamage([...bytesOf("\b".repeat(30))])).toBe(true);
});
