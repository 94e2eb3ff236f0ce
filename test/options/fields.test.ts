// Which fields of the Config each option sets, to which value, and that it sets no other one.

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseOptions } from "../../src/options/parse.ts";
import { GONE } from "../../src/options/row.ts";
import { OPTIONS } from "../../src/options/table.ts";
import { fakeHost } from "../kit/optionhost.ts";

const FIXTURES = join(import.meta.dir, "../../fixtures/options");
const rowsOf = (name: string): string[][] =>
  readFileSync(join(FIXTURES, name), "utf8")
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => line.split("\t"));

/** The options before, the options, and as JSON the fields that change. The first line has the defaults. */
const [DEFAULTS = [], ...LINES] = rowsOf("fields.tsv");
const FILES = { "/tmp/f": "idle 7", "/etc/ppp/peers/kit": "idle 7", "/tmp/ua": "me\nsecret\n" };

/** As in the fixture: null for undefined, and "5n" for a bigint. */
const shown = (value: unknown): string =>
  JSON.stringify(value, (_, one: unknown) => (typeof one === "bigint" ? `${one}n` : (one ?? null)));

function fieldsAfter(words: string): Record<string, unknown> {
  const changes = { openLogfile: () => 9, inGroup: () => true, compileFilter: () => [{ code: 6, jt: 0, jf: 0, k: 1 }] };
  const host = fakeHost({ files: FILES, changes });
  const {
    facts: _,
    given: __,
    ...fields
  } = parseOptions(["ttyS0", ...words.split(" ").filter((word) => word !== "")], host);
  return fields;
}

test("the defaults of all fields of pppd", () => {
  const wanted: unknown = JSON.parse(DEFAULTS[2] ?? "");
  expect(JSON.parse(shown(OPTIONS.defaults("/etc/ppp")))).toMatchObject(wanted as object);
});

test.each(LINES)("after '%s', the option %s sets %s", (before = "", words = "", wanted = "") => {
  const old = fieldsAfter(before);
  const now = fieldsAfter(`${before} ${words}`);
  const changed = Object.keys(now).filter((key) => shown(old[key]) !== shown(now[key]));
  const found: unknown = JSON.parse(shown(Object.fromEntries(changed.map((key) => [key, now[key]]))));
  expect(found).toEqual(JSON.parse(wanted));
});

test("every option of pppd is in the fixture, except those that print something or do nothing", () => {
  const here = new Set(LINES.map(([, words = ""]) => words.split(" ")[0]));
  const printing = ["--help", "-h", "--version", "-v"];
  const missing = rowsOf("names.tsv").filter(([name = ""]) => {
    const row = OPTIONS.named(name);
    return (
      row !== undefined && !(row.rules & GONE) && row.takes === undefined && !printing.includes(name) && !here.has(name)
    );
  });
  expect(missing).toEqual([]);
});
