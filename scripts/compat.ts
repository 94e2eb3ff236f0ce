// Makes the list of options in COMPAT.md from the option table and fixtures/options/names.tsv, so that no option of any
// pppd is missing. `bun scripts/compat.ts` writes it. A test checks that it is up to date.

import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { REFUSED } from "../src/options/plugins.ts";
import { GONE, type Row } from "../src/options/row.ts";
import { OPTIONS } from "../src/options/table.ts";

const root = resolve(import.meta.dir, "..");
const FILE = join(root, "COMPAT.md");
const NAMES = join(root, "fixtures/options/names.tsv");
const NO_MORE = "no effect any more";
export const TITLE = "## Every option\n";
const INTRODUCTION = `
Every option of pppd 2.3 to 2.5 and its plugins, and ours, with its other names (written by \`bun scripts/compat.ts\`). It works as
in pppd unless a remark follows. "See above" means that a row of the tables above is about it.
`;

/** Options that we accept and that have no effect here, or that we only refuse. */
const STATES: Readonly<Record<string, string>> = {
  kdebug: "accepted, without effect: no PPP in the kernel",
  master_detach: "accepted, without effect: one process has all links",
  sync: "refused, exit 2: a UART is not synchronous",
};

/** An option of pppd's plugins without a row in our table. */
interface PluginOption {
  readonly name: string;
  readonly plugin: string;
}

export function pluginOptions(): PluginOption[] {
  const known = new Set(OPTIONS.sections.flatMap(([, rows]) => rows.map(({ name }) => name)));
  const lines = readFileSync(NAMES, "utf8").trimEnd().split("\n").slice(1);
  return lines.flatMap((line) => {
    const [name = "", , , plugin = ""] = line.split("\t");
    return known.has(name) ? [] : [{ name, plugin }];
  });
}

/** `above` is the part of COMPAT.md before this list. */
export function optionSection(above: string): string {
  const mentioned = (row: Row): boolean =>
    new RegExp(`(^| )${RegExp.escape(row.name)}( |$)`).test(
      [...above.matchAll(/`([^`]*)`/g)].map(([, code]) => code).join(" "),
    );
  const lines = OPTIONS.sections.flatMap(([title, rows]) => {
    const options = Map.groupBy(rows, ({ set, about }) => (about === NO_MORE ? NO_MORE : set));
    const items = [...options.values()].map((names) => {
      const [first] = names as [Row];
      const shown = names.map(({ name, takes, argument }) =>
        takes ? `<${name}>` : `\`${name}${argument ? " …" : ""}\``,
      );
      const state =
        STATES[first.name] ??
        (first.rules & GONE ? "accepted with a warning" : names.some(mentioned) ? "see above" : "");
      return `- ${shown.join(", ")}: ${first.about}${state === "" ? "" : ` **(${state})**`}`;
    });
    return [`\n### ${title}\n`, ...items];
  });
  lines.push("\n### Plugins that are refused\n");
  for (const [plugin, names] of Map.groupBy(pluginOptions(), (option) => option.plugin))
    lines.push(
      `- ${names.map(({ name }) => `\`${name}\``).join(", ")}: of \`${plugin}.so\`: ${REFUSED[`${plugin}.so`]?.[0]}`,
    );
  return `${TITLE}${INTRODUCTION}${lines.join("\n")}\n`;
}

/** The up-to-date text of COMPAT.md. */
export function current(): string {
  const text = readFileSync(FILE, "utf8");
  const at = text.indexOf(TITLE);
  const above = (at < 0 ? text : text.slice(0, at)).trimEnd();
  return `${above}\n\n${optionSection(above)}`;
}

if (import.meta.main) {
  writeFileSync(FILE, current());
  const { exitCode } = Bun.spawnSync([process.execPath, "fmt", FILE], { stdio: ["ignore", "inherit", "inherit"] });
  process.exit(exitCode);
}
