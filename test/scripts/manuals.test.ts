// The manual pages: that nothing is missing in them, that two formatters and man itself have no complaints, and that the
// same sources give the same pages.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { manuals, PAGE_LINKS, sourceDate, writeFiles } from "../../scripts/manuals.ts";
import { commandTexts } from "../../scripts/manuals/command-entries.ts";
import { ADDED, DIFFERENCES } from "../../scripts/manuals/compat-tables.ts";
import { VARIABLES } from "../../scripts/manuals/environment-texts.ts";
import { OPTION_TEXTS } from "../../scripts/manuals/option-texts.ts";
import { page } from "../../scripts/manuals/roff.ts";
import { appletHelp } from "../../src/applets/applet-help.ts";
import { COMMANDS } from "../../src/commands/commands.ts";
import { APPLET_WORDS } from "../../src/commands/completion/applet-flags.ts";
import { knownApplets, knownCommands } from "../../src/commands/completion/known-words.ts";
import { STATUS_FIELDS } from "../../src/commands/status-fields.ts";
import { OPTIONS } from "../../src/options/table.ts";
import { Exit } from "../../src/run/exit.ts";
import { PATIENCE_MS } from "../kit/patience.ts";

const DATE = "2026-11-30";
const SRC = join(import.meta.dir, "../../src");

let pages = new Map<string, string>();
let folder = "";
beforeAll(async () => {
  pages = await manuals(DATE);
  folder = mkdtempSync(join(tmpdir(), "nullmodem-manuals-"));
  writeFiles(folder, pages, Object.entries(PAGE_LINKS));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The text of a page without roff's marks. */
function plain(path: string): string {
  const marks = pages.get(path)!.replaceAll(/\\f[BIR]|\\%/g, "");
  return marks.replaceAll("\\-", "-").replaceAll("\\(aq", "'").replaceAll("\\e", "\\");
}

/** The terms of a page's lists. */
function terms(path: string): string[] {
  return plain(path)
    .split("\n.TP\n")
    .slice(1)
    .map((item) => item.slice(0, item.indexOf("\n")));
}

test("every option is explained in nullmodem-options(5)", () => {
  const words = terms("man5/nullmodem-options.5").flatMap((term) => term.split(/,? /));
  const mentioned = new Set([...words, ...plain("man5/nullmodem-options.5").split(/[\s,.]+/)]);
  const rows = OPTIONS.entries.map(({ row }) => row).filter(({ takes }) => takes === undefined);
  expect(rows.map(({ name }) => name).filter((name) => !mentioned.has(name))).toEqual([]);
  for (const word of ["DEVICE", "SPEED", "[OURS]:[THEIRS]"]) expect(words).toContain(word);
});

test("every command, flag and value is explained, and so is each program", async () => {
  const own = plain("man8/nullmodem.8");
  for (const { name, flags, places } of await knownCommands(COMMANDS)) {
    const part = own.split(`.SS "nullmodem ${name}"\n`)[1]?.split(/^\.S[HS] /m)[0] ?? "";
    const words = [...flags.flatMap(({ names }) => names), ...places.map(({ word }) => word.split("|")[0]!)];
    expect([name, words.filter((word) => word !== "--help" && !part.includes(word))]).toEqual([name, []]);
  }
  for (const { name, flags } of knownApplets()) {
    expect(terms("man8/nullmodem.8")).toContain(name);
    const path = ["pon", "poff", "plog"].includes(name) ? "man1/pon.1" : `man8/${name}.8`;
    const known = name === "pppd" ? [] : flags.flatMap(({ names }) => names);
    expect([name, known.filter((flag) => !terms(path).some((term) => term.split(/,? /).includes(flag)))]).toEqual([
      name,
      [],
    ]);
  }
});

test("the flags of programs are those of their help", () => {
  for (const applet of ["chat", "pppstats", "pppdump"] as const) {
    const help = appletHelp(applet, ["--help"])!;
    const flags = APPLET_WORDS[applet].flags.flatMap(({ names }) => names);
    const known = [...help.matchAll(/(?<=^ {2}|[,;] |\[)-{1,2}[a-zA-Z][a-z]*/gm)].map(([flag]) => flag);
    expect([applet, flags.filter((flag) => !help.includes(flag))]).toEqual([applet, []]);
    expect([applet, known.filter((flag) => !flags.some((one) => flag.startsWith(one)))]).toEqual([applet, []]);
  }
});

test("every exit code, variable of the scripts, field of status and difference has its place", () => {
  for (const code of Object.values(Exit)) expect(terms("man8/pppd.8")).toContain(String(code));
  const set = [...new Bun.Glob("run/**/*.ts").scanSync(SRC)].flatMap((file) => {
    const text = readFileSync(join(SRC, file), "utf8");
    return [...text.matchAll(/(?:env|\))\s*\.set\("([A-Z_]+)"/g)].map(([, name]) => name!);
  });
  expect(set.length).toBeGreaterThan(15);
  expect(set.filter((name) => !Object.hasOwn(VARIABLES, name))).toEqual([]);
  for (const name of Object.keys(VARIABLES)) expect(terms("man8/pppd.8")).toContain(name);
  for (const { path } of STATUS_FIELDS) expect(terms("man8/nullmodem.8")).toContain(path);
  const differences = ["man8/pppd.8", "man8/chat.8"].flatMap((path) => pages.get(path)!.match(/^nullmodem:/gm) ?? []);
  expect(DIFFERENCES.length).toBeGreaterThan(100);
  expect(differences.length).toBe(DIFFERENCES.length);
  expect(ADDED.length).toBeGreaterThan(30);
});

test("the hand-written parts are about options and commands that exist", () => {
  expect(Object.keys(OPTION_TEXTS).filter((name) => OPTIONS.named(name) === undefined)).toEqual([]);
  expect([...commandTexts().keys()].filter((name) => !Object.hasOwn(COMMANDS, name))).toEqual([]);
});

test("a command has one hand-written part", () => {
  expect(() => commandTexts("# Parts\n\n## get\n\nOne.\n\n## put\n\n## get\n")).toThrow("two parts for get");
});

test("the same sources give the same pages, whose day is that of the sources", async () => {
  const again = await manuals(DATE);
  expect([...again.keys()]).toEqual([...pages.keys()]);
  for (const [path, text] of pages) {
    expect([path, again.get(path) === text]).toEqual([path, true]);
    expect(text.split("\n")[1]).toContain(` ${DATE} "nullmodem `);
  }
  const before = process.env["SOURCE_DATE_EPOCH"];
  process.env["SOURCE_DATE_EPOCH"] = "86400";
  expect(sourceDate()).toBe("1970-01-02");
  if (before === undefined) delete process.env["SOURCE_DATE_EPOCH"];
  else process.env["SOURCE_DATE_EPOCH"] = before;
});

/** Text that roff would take for its own. */
const NASTY = [
  ".SH is text, and 'so is this. `C:\\dir` is \\fB not bold; \"quotes\" and `a-b --c ~ ^ ' \\``.",
  "- `-x` _FILE_: .TP is text. é and … stay; `_a_b_` is typed.",
  "- .IP without a term",
  "    .EX 'example' \\n --flag ~",
];
const SHOWN = [
  ".SH is text, and 'so is this.",
  "C:\\dir is \\fB not bold;",
  "a-b --c ~ ^ ' \\",
  ".TP is text.",
  "é and ... stay; _a_b_ is typed.",
  ".IP without a term",
  ".EX 'example' \\n --flag ~",
];

function missing(command: string): string | undefined {
  return Bun.which(command) === null ? `no ${command}` : undefined;
}

describe.each([
  { name: "groff", warn: ["groff", "-man", "-ww", "-Tutf8", "-z"], show: ["groff", "-man", "-Tutf8", "-P-cbou"] },
  { name: "mandoc", warn: ["mandoc", "-T", "lint"], show: ["mandoc", "-Tutf8"] },
  { name: "man", warn: ["man", "--warnings=w", "-l"], show: ["man", "-l"] },
])("$name", ({ name, warn, show }) => {
  const absent = missing(name);
  const title = (text: string): string => (absent === undefined ? text : `${text} [skipped: ${absent}]`);
  const env = { ...process.env, LC_ALL: "C.UTF-8", MANWIDTH: "200", MANPAGER: "cat", MAN_KEEP_FORMATTING: "" };

  test.skipIf(absent !== undefined)(
    title("has nothing to say about any page"),
    () => {
      for (const path of [...pages.keys(), ...Object.keys(PAGE_LINKS)]) {
        const { stderr, stdout } = Bun.spawnSync([...warn, join(folder, path)], { env });
        expect([path, stderr.toString(), name === "man" ? "" : stdout.toString()]).toEqual([path, "", ""]);
      }
    },
    PATIENCE_MS,
  );

  test.skipIf(absent !== undefined)(title("shows what is written, whatever roff makes of it"), () => {
    const file = join(folder, "nasty.1");
    const text = page({ name: "nasty", section: 1, date: DATE, version: "0" }, `# NAME\n\n${NASTY.join("\n\n")}\n`);
    writeFiles(folder, new Map([["nasty.1", text]]), []);
    const { stdout } = Bun.spawnSync([...show, file], { env });
    // A letter over itself or over a line is bold or underlined.
    const shown = stdout.toString().replaceAll(/.\x08/g, "").replaceAll(/\s+/g, " ");
    expect(SHOWN.filter((part) => !shown.includes(part))).toEqual([]);
  });
});

test("poff and plog are the page of pon", () => {
  expect(readFileSync(join(folder, "man1/poff.1"), "utf8")).toBe(pages.get("man1/pon.1")!);
});
