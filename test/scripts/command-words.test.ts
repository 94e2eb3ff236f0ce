import { expect, test } from "bun:test";
import { readWords } from "../../scripts/command-words.ts";

const KNOWN = { numbers: { seed: 5, hours: 24 }, texts: ["target"], flags: ["keep"] } as const;
const read = (line: string) => readWords(line.split(" ").filter(Boolean), KNOWN);

test("words that are given, and words that are not", () => {
  expect(read("")).toMatchObject({ seed: 5, hours: 24, keep: false });
  expect(read("--hours 1e3 --keep --target link")).toEqual({ seed: 5, hours: 1000, keep: true, target: "link" });
});

test("a wrong word is answered in one line", () => {
  const known = "known are --seed N, --hours N, --target TEXT, --keep";
  expect(read("--help")).toBe(`unknown word --help; ${known}`);
  expect(read("seed 7")).toBe(`unknown word seed; ${known}`);
  expect(read("--seed")).toBe("--seed wants a value");
  expect(read("--seed many")).toBe("--seed wants a number, not many");
  expect(read("--hours -1")).toBe("--hours wants a number, not -1");
  expect(read("--toString 1")).toBe(`unknown word --toString; ${known}`);
});
