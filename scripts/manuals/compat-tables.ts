// The tables of COMPAT.md as data: what nullmodem adds to pppd and chat, and where it differs on purpose.

import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface CompatRow {
  /** The heading above its table: "The line". */
  readonly title: string;
  /** The cells. Of a difference: real pppd, nullmodem, why. Of an addition: the option, what it does. */
  readonly cells: readonly string[];
}

const FILE = join(import.meta.dir, "../../COMPAT.md");

/** The rows above the list of options, in their order. */
export function compatRows(text = readFileSync(FILE, "utf8")): CompatRow[] {
  const above = text.slice(0, text.indexOf("\n## Every option"));
  const rows: CompatRow[] = [];
  let title = "";
  let isBody = false;
  for (const line of above.split("\n")) {
    if (line.startsWith("#")) title = line.replace(/^#+ /, "");
    if (!line.startsWith("|")) isBody = false;
    else if (/^\|[ :|-]+\|$/.test(line)) isBody = true;
    else if (isBody) {
      const cells = line.split(/(?<!\\)\|/).slice(1, -1);
      rows.push({ title, cells: cells.map((cell) => cell.trim().replaceAll("\\|", "|")) });
    }
  }
  return rows;
}

/** The additions and the differences. */
export const ADDED = compatRows().filter(({ title }) => title === "Added");
export const DIFFERENCES = compatRows().filter(({ cells }) => cells.length === 3);

/** The words that a cell begins with, as "`share` or `usernet` without …". */
const BEGINNING = /^(?:`[^`]*`(?:, | and | or )?)+/;

/** True when the row's first cell is about the option: it begins with it, or begins with none and names it. */
export function isAbout({ cells: [cell = ""] }: CompatRow, option: string): boolean {
  const part = BEGINNING.exec(cell)?.[0] ?? cell;
  return [...part.matchAll(/`([^`]*)`/g)].some(([, code = ""]) => code.split(" ")[0] === option);
}

/** A difference as sentences. */
export function differenceText({ cells: [real = "", ours = "", why = ""] }: CompatRow): string {
  return `pppd: ${real}. nullmodem: ${ours}.${why === "" ? "" : ` Why: ${why}.`}`;
}
