import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { current, pluginOptions } from "../../scripts/compat.ts";
import { OPTIONS } from "../../src/options/table.ts";

const ROOT = join(import.meta.dir, "../..");
const text = readFileSync(join(ROOT, "COMPAT.md"), "utf8");

test("COMPAT.md's list of options is the program's (bun scripts/compat.ts writes it)", () => {
  expect(text).toBe(current());
});

test("no option of any pppd is missing in COMPAT.md's list", () => {
  const list = text.slice(text.indexOf("## Every option"));
  const listed = new Set([...list.matchAll(/`([^` ]+)(?: …)?`/g)].map(([, name]) => name));
  const named = OPTIONS.entries.flatMap(({ row }) => (row.takes === undefined ? [row.name] : []));
  const all = [...named, ...pluginOptions().map(({ name }) => name)];
  expect(all.length).toBeGreaterThan(310);
  expect(all.filter((name) => !listed.has(name))).toEqual([]);
});
