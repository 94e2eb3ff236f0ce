// Gives every option case that scripts/record-options.ts recorded from the real pppd 2.4.9 to our parser. Output,
// errors and exit code must be the same, except for the differences in option-differences.ts.

import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { FIXTURE, type RecordedCase } from "../../scripts/record-options.ts";
import { differenceOf, DIFFERENCES, ours, real } from "./option-differences.ts";

const { cases } = JSON.parse(readFileSync(FIXTURE, "utf8")) as { cases: RecordedCase[] };

function disagreements(some: readonly RecordedCase[]): unknown[] {
  return some.flatMap((one) => {
    const expected = differenceOf(one)?.ours(real(one), one) ?? real(one);
    const found = ours(one);
    return Bun.deepEquals(found, expected) ? [] : [{ name: one.name, expected, found }];
  });
}

describe("the real pppd's answers", () => {
  const groups: readonly (readonly [string, (name: string) => boolean])[] = [
    ["an ordinary user's options", (name) => name.startsWith("user: ")],
    ["a missing argument", (name) => name.startsWith("missing: ")],
    ["the grammar of files", (name) => name.startsWith("file: ")],
    ["secrets at the start", (name) => name.startsWith("secrets: ")],
  ];
  const rest = (name: string): boolean => !groups.some(([, is]) => is(name));
  for (const [title, is] of [...groups, ["words, precedence and checks", rest] as const]) {
    const some = cases.filter(({ name }) => is(name));
    test(`${title} (${some.length} cases)`, () => {
      expect(some.length).toBeGreaterThan(20);
      expect(disagreements(some)).toEqual([]);
    });
  }

  test("every difference on purpose is one", () => {
    const idle = DIFFERENCES.filter(({ cases: is, ours: changed }) => {
      const some = cases.filter(({ name }) => is.test(name));
      return some.length === 0 || some.every((one) => Bun.deepEquals(changed(real(one), one), real(one)));
    });
    expect(idle.map(({ why }) => why)).toEqual([]);
  });
});
