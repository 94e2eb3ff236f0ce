// The marked part of a file: put in, replaced, and taken out with all else as it was.

import { expect, test } from "bun:test";
import { partIn, placePart, withoutPart } from "../../../src/commands/setup/marked-part.ts";

const HAD = ["", "lock\n", "lock", "# >>> nullmodem setup ttyS10: nullmodem setup --undo takes this part back", "\n\n"];

test.each(HAD)("%j: the part is at the end, and goes without a trace", (before) => {
  const { text, part, replaced } = placePart(before, "ttyS1", ["115200", "local"]);
  expect(text).toBe(before + part);
  expect(replaced).toBe("");
  expect(partIn(text, "ttyS1")).toBe(part.trimStart());
  expect(text.split("\n")).toContain("115200");
  expect(withoutPart(text, part, replaced)).toBe(before);
  expect(withoutPart(`${text}auth\n`, part, replaced)).toBe(`${before}auth\n`);
});

test.each(["a * b\n", "a * b", "", "\xef\xbb\xbfa * b\n"])("%j: the part goes before all else", (before) => {
  const { text, part, replaced } = placePart(before, "ttyS1", ["x * y *"], "first");
  expect(text.replace("\xef\xbb\xbf", "")).toStartWith("# >>> nullmodem setup ttyS1:");
  expect(text.startsWith("\xef")).toBe(before.startsWith("\xef"));
  expect(partIn(text, "ttyS1")).toBe(part);
  expect(withoutPart(text, part, replaced)).toBe(before);
  const again = placePart(text, "ttyS1", ["x * z *"], "first");
  expect(again.text).toBe(text.replace("x * y *", "x * z *"));
});

test("a second part of that name takes the place of the first; one of another name stands beside it", () => {
  const one = placePart("lock\n", "ttyS1", ["9600"]);
  const other = placePart(`${one.text}# mine\n`, "ttyS2", ["$& $1"]);
  const again = placePart(other.text, "ttyS1", ["$& 115200"]);
  expect(again.text.split("\n")).toEqual([
    "lock",
    "# >>> nullmodem setup ttyS1: nullmodem setup --undo takes this part back",
    "$& 115200",
    "# <<< nullmodem setup ttyS1",
    "# mine",
    "# >>> nullmodem setup ttyS2: nullmodem setup --undo takes this part back",
    "$& $1",
    "# <<< nullmodem setup ttyS2",
    "",
  ]);
  expect(withoutPart(again.text, again.part, again.replaced)).toBe(other.text);
  expect(withoutPart(again.text.replace("115200", "300"), again.part, again.replaced)).toBeUndefined();
  expect(withoutPart(again.text + again.part, again.part, "")).toBeUndefined();
});

test("a part whose last line is gone is an error, not half a file", () => {
  const { text } = placePart("lock\n", "ttyS1", ["9600"]);
  expect(() => placePart(text.replace("# <<< nullmodem setup ttyS1\n", ""), "ttyS1", [])).toThrow(
    /has lost its last line/,
  );
});
