import { expect, test } from "bun:test";
import { readLcov, reachedFrom } from "../../scripts/covered-lines.ts";
import { isOfTypesOnly, mutantsOf } from "../../scripts/mutate.ts";

const changes = (text: string): string[] => mutantsOf("x.ts", text).map(({ before, after }) => `${before} -> ${after}`);

test("a mutant for each operator, and none in texts, comments and imports", () => {
  expect(changes('const a = b < c; // d < e\nconst f = "g < h";\n')).toEqual([
    "const a = b < c; // d < e -> const a = b <= c; // d < e",
  ]);
  expect(changes('import { a } from "./b.ts";\n')).toEqual([]);
  expect(changes("  if (!a) b();\n")).toEqual(["if (!a) b(); -> if (a) b();"]);
  expect(changes("  this.#a(1);\n")).toEqual(["this.#a(1); -> this.#a(2);", "this.#a(1); -> ;"]);
  expect(changes("return a + 1 === 2;\n").sort()).toEqual([
    "return a + 1 === 2; -> return a + 1 !== 2;",
    "return a + 1 === 2; -> return a + 1 === 3;",
    "return a + 1 === 2; -> return a + 2 === 2;",
    "return a + 1 === 2; -> return a - 1 === 2;",
  ]);
});

test("a mutant says where it is", () => {
  expect(mutantsOf("x.ts", "one();\nconst a = true;\n")).toMatchObject([
    { file: "x.ts", line: 2, text: "one();\nconst a = false;\n" },
  ]);
});

test("a change of a type is no mutant", () => {
  expect(isOfTypesOnly("let a: number | undefined;", "let a: number & undefined;")).toBe(true);
  expect(isOfTypesOnly("let a = b | c;", "let a = b & c;")).toBe(false);
  expect(isOfTypesOnly("let a = 1;", "let a = ;")).toBe(false);
});

test("the lines that ran come from a coverage report", () => {
  expect(readLcov("SF:src/a.ts\nFNF:1\nDA:3,0\nDA:4,17\nend_of_record\nSF:test/b.ts\nDA:1,1\n")).toEqual({
    ran: { "src/a.ts": [4] },
    counted: { "src/a.ts": [3, 4] },
  });
});

test("a file reaches what its imports import, the nearest first", () => {
  const graph = new Map([
    ["a", ["b", "c"]],
    ["b", ["d", "a"]],
    ["c", ["d"]],
  ]);
  expect(reachedFrom("a", graph)).toEqual(["a", "b", "c", "d"]);
});
