import { expect, test } from "bun:test";
import { KeyReader } from "../../../src/commands/watch/keys.ts";
import { OctetBudget } from "../../../src/commands/watch/octet-budget.ts";
import { progressBar, roundMost, sparkline } from "../../../src/commands/watch/sparkline.ts";
import { terminalKind } from "../../../src/commands/watch/terminal-kind.ts";

test("keys are the same however their octets come", () => {
  const text = "j\x1b[A\x1bOB\x1b[1~\x1b[F\r\t\x1b[?2026;2$y\x03\x1b[5~qé";
  const keys = ["up", "down", "first", "last", "enter", "tab", "whole-updates", "end"] as const;
  const wanted = [{ char: "j" }, ...keys, { char: "q" }, { char: "é" }];
  expect(new KeyReader().take(text)).toEqual(wanted);
  const reader = new KeyReader();
  const found = [...text].flatMap((char) => reader.take(char));
  expect(found).toEqual(wanted);
  expect(reader.isPending).toBe(false);
});

test("Escape is a key when nothing follows, and a terminal that sends nonsense is no trouble", () => {
  const reader = new KeyReader();
  expect(reader.take("\x1b")).toEqual([]);
  expect(reader.isPending).toBe(true);
  expect(reader.settle()).toEqual(["escape"]);
  expect(reader.take("\x1b[")).toEqual([]);
  expect(reader.settle()).toEqual([]);
  expect(reader.take(`\x1b[${"1;".repeat(100)}`)).toEqual([]);
  expect(reader.isPending).toBe(false);
  expect(reader.take("\x1bx")).toEqual(["escape", { char: "x" }]);
});

test("a sparkline has its newest value at the right, blanks for what is not known, and rows for more height", () => {
  expect(sparkline([0, 1, NaN, 4, 8], 8, 1, 8, true)).toEqual(["    ▁ ▄█"]);
  expect(sparkline([1, 2, 3], 2, 1, 3, true)).toEqual(["▅█"]);
  expect(sparkline([0.001, 16], 2, 2, 16, true)).toEqual([" █", "▁█"]);
  expect(sparkline([0, 1, 2, 8], 4, 1, 8, false)).toEqual([" .:@"]);
  expect(sparkline([1], 3, 1, 0, true)).toEqual(["   "]);
  expect([0, 1, 1.5, 3, 7, 11, 4999].map(roundMost)).toEqual([1, 1, 2, 5, 10, 20, 5000]);
  expect([0, 0.5, 1, 3].map((part) => progressBar(part, 4))).toEqual(["[----]", "[##--]", "[####]", "[####]"]);
});

test("the budget holds for any stretch of a second", () => {
  const budget = new OctetBudget(100);
  budget.spend(60, 0);
  budget.spend(40, 700);
  expect(budget.room(999)).toBe(0);
  expect(budget.nextRoomAt(999)).toBe(1000);
  expect(budget.room(1000)).toBe(60);
  expect(budget.room(1700)).toBe(100);
});

test("what a terminal can do is told by its name and the locale", () => {
  const of = (env: Record<string, string>, isTerminal = true) => terminalKind(env, isTerminal);
  for (const TERM of ["dumb", "", "unknown", "vt52"]) expect(of({ TERM }).isDumb).toBe(true);
  expect(of({}).isDumb).toBe(true);
  expect(of({ TERM: "xterm" }, false).isDumb).toBe(true);
  expect(of({ TERM: "vt100" })).toMatchObject({ isDumb: false, hidesCursor: false, canShift: false, hasColour: false });
  expect(of({ TERM: "linux", LANG: "de_DE.UTF-8" })).toMatchObject({
    isUnicode: true,
    hasBlocks: false,
    hasAlternate: false,
    hasColour: true,
  });
  expect(of({ TERM: "tmux-256color", LANG: "C", LC_ALL: "C.utf8" })).toMatchObject({
    hasBlocks: true,
    hasAlternate: true,
  });
  expect(of({ TERM: "xterm", LC_ALL: "C", LANG: "C.UTF-8" }).isUnicode).toBe(false);
  expect(of({ TERM: "xterm", NO_COLOR: "1" }).hasColour).toBe(false);
});
