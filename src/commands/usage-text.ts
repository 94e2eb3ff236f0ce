// The help of a command, made of its definition, for a terminal of 80 columns.

import { type CommandDef, renderUsage } from "citty";

const WIDTH = 80;
/** Of a row: what comes before its description. */
const BEFORE = /^( *\S.*? {2,})(?=\S)/;

/** Plain text that ends with a newline. `after` follows it: paragraphs are filled anew, and indented lines are as they are. */
export async function usageText(command: CommandDef<any>, after = ""): Promise<string> {
  const rows = Bun.stripANSI(await renderUsage(command))
    .trimEnd()
    .split("\n");
  const text = rows.map((row) => wrapped(row.trimEnd())).join("\n");
  return after === "" ? `${text}\n` : `${text}\n\n${filled(after.trim())}\n`;
}

/** A long description goes on below its beginning. */
function wrapped(row: string): string {
  const before = BEFORE.exec(row)?.[1] ?? "";
  return before + fill(row.slice(before.length), WIDTH - before.length).join(`\n${" ".repeat(before.length)}`);
}

function filled(text: string): string {
  return text.replace(/^\S.*(?:\n\S.*)*/gm, (paragraph) => fill(paragraph.replaceAll("\n", " "), WIDTH).join("\n"));
}

function fill(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines.at(-1)!;
    const longer = last === "" ? word : `${last} ${word}`;
    if (last === "" || longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
