// The help of every command fits a terminal of 80 columns.

import { expect, test } from "bun:test";
import { join } from "node:path";
import { COMMANDS } from "../../src/commands/commands.ts";
import { usageText } from "../../src/commands/usage-text.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");

test.each(Object.keys(COMMANDS))("%s --help", (name) => {
  const { stdout, exitCode } = Bun.spawnSync([process.execPath, MAIN, name, "--help"]);
  expect(exitCode).toBe(0);
  const lines = stdout.toString().split("\n");
  expect(lines.length).toBeGreaterThan(5);
  expect(lines.filter((line) => line.length > 80 || line !== line.trimEnd())).toEqual([]);
});

test("a long description goes on below its beginning, and paragraphs are filled anew", async () => {
  const word = "word ".repeat(30).trim();
  const args = { long: { type: "boolean", description: word } } as const;
  const text = await usageText({ meta: { name: "x", description: "y" }, args }, `one\ntwo\n  as it  is\n\n${word}\n`);
  expect(text).toMatch(/^ *--long {4}word word/m);
  expect(text).toMatch(/\n {12}word/);
  expect(text).toContain("one two\n  as it  is\n\nword word");
  expect(text.match(/word/g)).toHaveLength(60);
});
