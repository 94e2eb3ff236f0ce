import { expect, test } from "bun:test";
import { Command, SmbPeer } from "../../kit/smb-peer.ts";
import { isTooLong, matches, patternOfDos } from "../../../src/files/smb/wildcards.ts";

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

test("a folder is not searched for patterns that take long", () => {
  expect(isTooLong(`${"*a".repeat(120)}z`)).toBe(true);
  expect(isTooLong(`${"?".repeat(65)}`)).toBe(true);
  expect(isTooLong(`${"a".repeat(200)}*.txt`)).toBe(false);
  expect(isTooLong("*".repeat(200))).toBe(false);
  expect(matches("***a**", "bab")).toBe(true);
  const peer = new SmbPeer().begin();
  const find = (pattern: string): number =>
    peer.transaction2(1, (out) => {
      out.u16(0x16, 1000, 6, 0x104);
      out.u32(0);
      out.put(Buffer.from(`\\${pattern}\0`, "utf16le"));
    }).status;
  peer.folder.put("a", "x");
  expect([find("*"), find("*a".repeat(120)), peer.named(Command.DELETE, [6], `\\${"*a".repeat(120)}`).status]).toEqual([
    0, 0xc0000033, 0xc0000033,
  ]);
});
