import { expect, test } from "bun:test";
import { functionsIn, nameComplaints, sizeComplaints } from "../../scripts/sizes.ts";

const long = (count: number): string => "  act();\n".repeat(count);

test("functions of every form are found with their lines and parameters", () => {
  const text = `
export function one(a: Map<string, number>, { b, c }: Pair, d = () => [1, 2]): { x: number } {
${long(3)}}

const two = async (a: string): Promise<void> => {
${long(1)}};

export class Three {
  constructor(
    a: number,
    b: (c: number, d: number) => void,
  ) {
    if (a > 1) {
      b(a, 2);
    } else {
      b(a, 3);
    }
  }

  get #four(): string {
    return "(a, b) {";
  }
}

export function five({
  a,
  b,
}: Pair): void {
  list.forEach((one) => {
    act(one);
  });
}
`;
  expect(functionsIn(text).map(({ name, lines, parameters }) => [name, lines, parameters])).toEqual([
    ["one", 5, 3],
    ["two", 3, 1],
    ["constructor", 10, 2],
    ["#four", 3, 0],
    ["five", 8, 1],
    ["list.forEach", 3, 1],
  ]);
});

test("a function of 61 lines and one of seven parameters are complained of, unless an exception has the reason", () => {
  const text = `function one(): void {\n${long(59)}}\nfunction two(a: A, b: B, c: C, d: D, e: E, f: F, g: G): void {\n  act();\n}\n`;
  expect(sizeComplaints("src/a.ts", text)).toEqual([
    "src/a.ts:1: one has 61 lines, 60 at most",
    "src/a.ts:62: two has 7 parameters, 6 at most",
  ]);
  expect(sizeComplaints("src/a.ts", text, { "src/a.ts one": "measured" })).toHaveLength(1);
  expect(sizeComplaints("src/a.ts", text.replace("  act();\n", "").replace(", g: G", ""))).toEqual([]);
  expect(sizeComplaints("src/a.ts", "\n".repeat(401))).toEqual(["src/a.ts: 401 lines, 400 at most"]);
});

test("two files of one name are complained of", () => {
  const files = ["src/os/log.ts", "src/run/log.ts", "src/link/link.ts"];
  expect(nameComplaints(files)).toEqual(["these have the same name: src/os/log.ts, src/run/log.ts"]);
});
