// The parts of the pages that are made from the words of the programs: an entry for each flag and each word.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { COMMANDS } from "../../src/commands/commands.ts";
import { VERBS } from "../../src/run/control/control-verbs.ts";
import { type Flag, type Known, knownApplets, knownCommands } from "../../src/commands/completion/known-words.ts";
import { sentence, valueText } from "./sentence.ts";

const TEXTS = join(import.meta.dir, "commands.md");

function flagTerm({ names, value }: Flag): string {
  return names.map((name) => `\`${name}\`${value === undefined ? "" : ` ${valueText(value.word)}`}`).join(", ");
}

function flagItems(flags: readonly Flag[]): string[] {
  return flags.map((flag) => `- ${flagTerm(flag)}: ${sentence(flag.about)}`);
}

/** "nullmodem serve PORT... [--speed N] [-- OPTIONS]" */
function synopsis({ name, flags, places, takesOptions }: Known): string {
  const words = places.map(({ word, choices, name: itsName, required }) => {
    const shown = choices.length > 0 ? `_${itsName}_` : valueText(word);
    return required ? shown : `[${shown}]`;
  });
  const asked = flags.filter(({ names }) => !names.includes("--help")).map((flag) => `[${flagTerm(flag)}]`);
  return [`\`nullmodem ${name}\``, ...words, ...asked, ...(takesOptions ? ["[`--` _pppd's options_]"] : [])].join(" ");
}

/** The verbs of `nullmodem ctl`. */
function verbItems(): string {
  return VERBS.map(({ name, words, about }) => {
    const term = words === "" ? `\`${name}\`` : `\`${name}\` _${words}_`;
    return `- ${term}: ${sentence(about)}`;
  }).join("\n");
}

/** The hand-written parts of a text like commands.md, by the name of the command. */
export function commandTexts(text = readFileSync(TEXTS, "utf8")): Map<string, string> {
  const texts = new Map<string, string>();
  for (const section of text.split(/^## /m).slice(1)) {
    const at = section.indexOf("\n");
    const name = section.slice(0, at).trim();
    if (texts.has(name)) throw new Error(`commands.md has two parts for ${name}`);
    texts.set(name, section.slice(at).trim());
  }
  return texts;
}

function commandEntry(known: Known, more: string | undefined): string {
  const { name, about, flags, places } = known;
  const words = places.filter((place) => place.about !== "");
  const items = [
    ...words.map(({ word, choices, name: itsName, about: meaning }) => {
      const shown = choices.length > 0 ? `_${itsName}_ (${valueText(word)})` : valueText(word);
      return `- ${shown}: ${sentence(meaning)}`;
    }),
    ...flagItems(flags.filter(({ names }) => !names.includes("--help"))),
  ];
  const verbs = name === "ctl" ? verbItems() : "";
  return [`## nullmodem ${name}`, synopsis(known), sentence(about), items.join("\n"), verbs, more ?? ""]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** All parts, by the names that the pages use. */
export async function commandParts(): Promise<Map<string, string>> {
  const applets = knownApplets();
  const commands = await knownCommands(COMMANDS);
  const texts = commandTexts();
  const made = new Map<string, string>();
  made.set("commands", commands.map((known) => commandEntry(known, texts.get(known.name))).join("\n\n"));
  made.set("programs", applets.map(({ name, about }) => `- \`${name}\`: ${sentence(about)}`).join("\n"));
  for (const { name, flags } of applets) if (name !== "pppd") made.set(`flags ${name}`, flagItems(flags).join("\n"));
  return made;
}
