import { expect, test } from "bun:test";
import { matches, patternOfDos } from "../../../src/files/smb/wildcards.ts";

test("patterns of NT", () => {
  for (const [pattern, name, isOne] of [
    ["*", "", true],
    ["*.txt", "A.TXT", true],
    ["*.txt", "a.txt.gz", false],
    ["a?c", "abc", true],
    ["a?c", "ac", false],
    ["<.gz", "a.tar.gz", true],
    ["<.tar", "a.tar.gz", false],
    ["<", "a.tar", false],
    ["<", "a.", true],
    ['a"', "a", true],
    ['a"b', "a.b", true],
    ["a>>>.txt", "a.txt", true],
    ["a>>>.txt", "abcde.txt", false],
    ["\u00e4*", "\u00c4rger", true],
    ["strasse", "stra\u00dfe", false],
  ] as const)
    expect([pattern, name, matches(pattern, name)]).toEqual([pattern, name, isOne]);
  expect(matches("*a".repeat(120), "a".repeat(119))).toBe(false);
});

test("patterns of DOS", () => {
  for (const [pattern, name, isOne] of [
    ["*.*", "README", true],
    ["????????.???", "README", true],
    ["????????.???", "A.TXT", true],
    ["*.", "README", true],
    ["*.", "A.TXT", false],
    ["A*.T?T", "ABC.TXT", true],
  ] as const)
    expect([pattern, name, matches(patternOfDos(pattern), name)]).toEqual([pattern, name, isOne]);
});
