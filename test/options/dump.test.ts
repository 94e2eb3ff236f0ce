import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { dumpLines, showOptionsText, USAGE_TEXT } from "../../src/options/dump.ts";
import { checkOptions } from "../../src/options/check.ts";
import { parseOptions } from "../../src/options/parse.ts";
import { quoted } from "../../src/options/quoted.ts";
import { OPTIONS } from "../../src/options/table.ts";
import { fakeHost } from "../kit/optionhost.ts";

function dump(args: readonly string[], files: Record<string, string> = {}): string[] {
  const host = fakeHost({ files });
  return dumpLines(checkOptions(parseOptions(args, host), host));
}

test("a line for each option in force, with its source, in the order of the table", () => {
  expect(
    dump(["local", "ttyS0", "10.0.0.1:10.0.0.2", "connect", "true"], {
      "/etc/ppp/options": "lock idle 5",
      "/etc/ppp/options.ttyS0": "115200 crtscts modem",
    }),
  ).toEqual([
    "pppd options in effect:",
    "idle 5\t\t# (from /etc/ppp/options)",
    "/dev/ttyS0\t\t# (from command line)",
    "115200\t\t# (from /etc/ppp/options.ttyS0)",
    "lock\t\t# (from /etc/ppp/options)",
    "connect true\t\t# (from command line)",
    "crtscts\t\t# (from /etc/ppp/options.ttyS0)",
    "local\t\t# (from command line)",
    "10.0.0.1:10.0.0.2\t\t# (from command line)",
  ]);
});

test("an option that is not in force after all is left out", () => {
  expect(dump(["lock", "modem", "pty", "cat"]).slice(1)).toEqual(["pty cat\t\t# (from command line)"]);
});

test("a password is never shown", () => {
  const text = dump(["ttyS0", "password", "gargleBlaster"]).join("\n");
  expect(text).toContain("password ??????\t");
  expect(text).not.toContain("gargle");
});

test("values are quoted as pppd does", () => {
  expect(quoted('a "b" \\ \n\t\b\f\r\x01\x7f\u0085é')).toBe('a \\"b\\" \\\\ \\n\\t\\b\\f\\x0d\\x01\\x7f\\x85é');
});

test("usage starts with the version, as scripts expect", () => {
  const lines = USAGE_TEXT.split("\n");
  expect(lines[0]).toBe("pppd version 2.5.2-compatible (nullmodem 0.1.0)");
  expect(lines[1]).toBe("Usage: pppd [ options ], where options are:");
  const { usage } = JSON.parse(readFileSync(join(import.meta.dir, "../../fixtures/options/pppd-2.4.9.json"), "utf8"));
  expect(lines.slice(1)).toEqual(usage.split("\n").slice(1));
});

test("show-options has every option", () => {
  const text = showOptionsText();
  const lines = text.split("\n");
  for (const { row } of OPTIONS.entries) {
    const name = row.takes === undefined ? row.name : `<${row.name}>`;
    expect([name, lines.some((line) => line.trimStart().startsWith(`${name} `))]).toEqual([name, true]);
  }
  expect(text).toMatch(/^ {4}persist +(?!.*not in this release)/m);
});

test("set and unset are dumped as they stand in the end", () => {
  const words = ["/dev/ttyS0", "set", "A=1", "set", "B=2", "set", "A=3", "unset", "C", "unset", "A", "set", "C=x y"];
  const config = parseOptions(words, fakeHost());
  expect(dumpLines(config).filter((line) => /^(un)?set/.test(line))).toEqual([
    "set B=2\t\t# (from command line)",
    "set C=x y\t\t# (from command line)",
    "unset A\t\t# (from command line)",
  ]);
});
