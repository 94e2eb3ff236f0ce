import { expect, test } from "bun:test";
import { mutantsOf } from "../../scripts/mutate.ts";

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
