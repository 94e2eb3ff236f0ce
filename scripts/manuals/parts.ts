// The parts of the pages that are made from tables. A line `<!-- NAME -->` in a page stands for one of them.

import { STATUS_FIELDS } from "../../src/commands/status-fields.ts";
import { commandParts } from "./command-entries.ts";
import { DIFFERENCES } from "./compat-tables.ts";
import { environment } from "./environment-texts.ts";
import { exitCodes } from "./exit-texts.ts";
import { optionEntries } from "./option-entries.ts";

/** Differences of these tables are in the pages of the programs that they are about. */
function differences(titles: readonly string[], words?: RegExp): string {
  return titles
    .flatMap((title) => {
      const rows = DIFFERENCES.filter((row) => row.title === title && (words?.test(row.cells.join(" ")) ?? true));
      const items = rows.map(
        ({ cells: [real = "", ours = "", why = ""] }) =>
          `- ${real}\n\n  nullmodem: ${ours}.${why === "" ? "" : ` Why: ${why}.`}`,
      );
      return items.length === 0 ? [] : [...(titles.length > 1 ? [`## ${title}`] : []), ...items];
    })
    .join("\n\n");
}

/** The fields of `nullmodem status --json`. */
function statusFields(): string {
  return STATUS_FIELDS.map(({ path, type, unit, meaning }) => {
    const kind = type === "truth" ? "true or false" : unit === "" ? type : unit;
    return `- \`${path}\`: ${meaning} (${kind}).`;
  }).join("\n");
}

const CHAT = "chat and connect scripts";

export async function parts(): Promise<Map<string, string>> {
  const titles = [...new Set(DIFFERENCES.map(({ title }) => title))];
  const made = await commandParts();
  made.set("options", optionEntries());
  made.set("status fields", statusFields());
  made.set("environment", environment());
  made.set("exit codes", exitCodes());
  made.set("differences", differences(titles.filter((title) => title !== CHAT)));
  made.set("differences chat", differences([CHAT]));
  for (const name of ["pppstats", "pppdump"])
    made.set(`differences ${name}`, differences(["Logs, services and companions"], new RegExp(`\\b${name}\\b`)));
  return made;
}
