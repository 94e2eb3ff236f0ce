// Writes the manual pages into a folder: bun scripts/manuals.ts DIR makes DIR/man8/nullmodem.8 and so on.
//
// Options, flags, exit codes and differences from pppd come from the tables of the program and from COMPAT.md; the rest
// is in scripts/manuals/. The same commit gives the same pages.

import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { VERSION } from "../src/options/version.ts";
import { parts } from "./manuals/parts.ts";
import { page } from "./manuals/roff.ts";

const ROOT = join(import.meta.dir, "..");
const TEXTS = join(import.meta.dir, "manuals");

/** The pages, with their sections. The text of each is in NAME.md. */
export const PAGES = [
  ["nullmodem", 8],
  ["pppd", 8],
  ["chat", 8],
  ["pppstats", 8],
  ["pppdump", 8],
  ["pon", 1],
  ["nullmodem-options", 5],
] as const;
/** Other names of a page, as links to it. */
export const PAGE_LINKS: Readonly<Record<string, string>> = { "man1/poff.1": "pon.1", "man1/plog.1": "pon.1" };

/** The day of the last change: SOURCE_DATE_EPOCH, or that of the commit. */
export function sourceDate(): string {
  const { SOURCE_DATE_EPOCH: given } = process.env;
  const git = ["git", "log", "-1", "--format=%ct"];
  const seconds = given ?? Bun.spawnSync(git, { cwd: ROOT, stderr: "ignore" }).stdout.toString().trim();
  const time = /^\d+$/.test(seconds) ? Number(seconds) : 0;
  return new Date(time * 1000).toISOString().slice(0, 10);
}

/** A line `<!-- name -->` stands for a part that is made from a table. */
function withParts(text: string, made: ReadonlyMap<string, string>): string {
  return text.replaceAll(/^<!-- (.*) -->$/gm, (_, name: string) => {
    const part = made.get(name);
    if (part === undefined) throw new Error(`no part has the name ${JSON.stringify(name)}`);
    return part;
  });
}

/** All pages by their paths: "man8/pppd.8". */
export async function manuals(date = sourceDate()): Promise<Map<string, string>> {
  const made = await parts();
  const files = new Map<string, string>();
  for (const [name, section] of PAGES) {
    const text = withParts(readFileSync(join(TEXTS, `${name}.md`), "utf8"), made);
    files.set(`man${section}/${name}.${section}`, page({ name, section, date, version: VERSION }, text));
  }
  return files;
}

/** Writes files into a folder, and then the links. */
export function writeFiles(
  folder: string,
  files: ReadonlyMap<string, string>,
  links: readonly (readonly [path: string, target: string])[],
): void {
  for (const [path, text] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  for (const [path, target] of links) {
    rmSync(join(folder, path), { force: true });
    symlinkSync(target, join(folder, path));
  }
}

if (import.meta.main) {
  const [folder, ...more] = process.argv.slice(2);
  if (folder === undefined || folder.startsWith("-") || more.length > 0) {
    console.error("bun scripts/manuals.ts DIR");
    process.exit(2);
  }
  const files = await manuals();
  writeFiles(resolve(folder), files, Object.entries(PAGE_LINKS));
  console.log(`${folder}: ${[...files.keys(), ...Object.keys(PAGE_LINKS)].join(", ")}`);
}
