// The part of nullmodem-options(5) that is made from the option table: an entry for each option.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { argumentOf, meaningOf } from "../../src/commands/completion/option-arguments.ts";
import { REFUSED } from "../../src/options/plugins.ts";
import { GONE, INIT_ONLY, LIST, NO_INCREASE, PRIVFIX, PRIVILEGED, type Row } from "../../src/options/row.ts";
import { OPTIONS } from "../../src/options/table.ts";
import { ADDED, DIFFERENCES, differenceText, isAbout } from "./compat-tables.ts";
import { OPTION_TEXTS } from "./option-texts.ts";
import { sentence, valueText } from "./sentence.ts";

const NAMES = join(import.meta.dir, "../../fixtures/options/names.tsv");

/** The version of pppd that had each option first. */
const SINCE = new Map(
  readFileSync(NAMES, "utf8")
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => {
      const [name = "", , since = ""] = line.split("\t");
      return [name, since];
    }),
);

/** How the words are written that have no name. */
const BARE: Readonly<Record<string, string>> = {
  "device name": "_DEVICE_",
  "tty speed": "_SPEED_",
  "IP addresses": "_[OURS]:[THEIRS]_",
};

/** Defaults that a text tells better, or that are none. */
const NO_DEFAULT = new Set(["", "undefined", "oops # nothing escaped", "??????", ",", "-1", "0.0.0.0"]);

function term(row: Row): string {
  if (row.takes !== undefined) return BARE[row.name] ?? `_${row.name}_`;
  const word = argumentOf(row);
  return word === undefined ? `\`${row.name}\`` : `\`${row.name}\` ${valueText(word)}`;
}

const names = new Set(OPTIONS.entries.map(({ row }) => row.name));

/** The description of an option. It may begin with the name of another one. */
function meaning(row: Row): string {
  const text = meaningOf(row);
  const [, first = "", rest = ""] = /^([a-z-]+)((?:,| if ).*)$/.exec(text) ?? [];
  return sentence(names.has(first) ? `\`${first}\`${rest}` : text);
}

const defaults = OPTIONS.defaults("/etc/ppp");

/** Short remarks, which the page explains at its beginning. */
function remarks(row: Row, told: string): string[] {
  const { name, rules, takes, disabledBy, argument } = row;
  const found: string[] = [];
  const value = argument ? row.value(defaults) : undefined;
  if (value !== undefined && !NO_DEFAULT.has(value) && !told.includes("Default:")) found.push(`Default: ${value}.`);
  if (rules & PRIVILEGED) found.push("Root's.");
  if (rules & NO_INCREASE) found.push("Others may only lower it.");
  if (rules & PRIVFIX) found.push("Fixed by root's files.");
  if (rules & LIST) found.push("Repeatable.");
  if (rules & INIT_ONLY) found.push("Not in secrets files.");
  if (disabledBy !== undefined) found.push(`\`${disabledBy.name}\` forbids it.`);
  const since = SINCE.get(name);
  if (takes === undefined && since === undefined && row.plugin === undefined) found.push("Nullmodem's own.");
  else if (since !== undefined && /^2\.(4\.[89]|5)/.test(since)) found.push(`Since pppd ${since}.`);
  return found;
}

/** The options of one meaning. */
function entry(rows: readonly Row[]): string {
  const [first] = rows as [Row];
  const terms = [...new Set(rows.map(term))].join(", ");
  const more = rows.flatMap(({ name }) => OPTION_TEXTS[name] ?? []);
  const told = more.slice(0, 1);
  const text = [meaning(first), ...told, ...remarks(first, told.join(" "))].join(" ");
  const isNamed = (row: Parameters<typeof isAbout>[0]): boolean => rows.some(({ name }) => isAbout(row, name));
  const added = ADDED.filter(isNamed).map(({ cells }) => sentence(`${cells[0]}: ${cells[1]}`));
  const differences = DIFFERENCES.filter(isNamed).map(differenceText);
  const paragraphs = [...more.slice(1), ...added, ...differences];
  return [`- ${terms}: ${text}`, ...paragraphs.map((paragraph) => `\n  ${paragraph}`)].join("\n");
}

/** All options by their sections. Those without effect are one entry of the last. */
export function optionEntries(): string {
  const sections = OPTIONS.sections.flatMap(([title, rows]) => {
    const used = rows.filter(({ rules }) => !(rules & GONE));
    const groups = [...Map.groupBy(used, ({ set }) => set).values()];
    return groups.length === 0 ? [] : [`## ${title}\n\n${groups.map(entry).join("\n\n")}`];
  });
  const gone = OPTIONS.entries.map(({ row }) => row).filter(({ rules }) => rules & GONE);
  sections.push(
    `## Without effect\n\nThese are accepted with a warning: ${gone.map(term).join(", ")}.`,
    `## Plugins that are refused\n\n${refusals()}`,
  );
  return sections.join("\n\n");
}

function refusals(): string {
  return Object.entries(REFUSED)
    .map(
      ([name, [why, instead]]) =>
        `- \`${name}\`: ${sentence(why)}${instead === undefined ? "" : ` ${sentence(instead)}`}`,
    )
    .join("\n");
}
