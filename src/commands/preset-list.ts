// nullmodem presets [NAME…]: lists the kinds of peers that pppd's option `peer` knows, and what each of them sets.

import { defineCommand } from "citty";
import { consola } from "consola";
import { print } from "../os/log/print.ts";
import { type Preset, presetHint, presetNamed, PRESETS, presetWords } from "../options/presets.ts";
import { usageText } from "./usage-text.ts";

const command = defineCommand({
  meta: { name: "nullmodem presets", description: "Show what pppd's option peer NAME sets" },
  args: {
    name: { type: "positional", description: "with the reasons and sources of these", required: false },
  },
});

const AFTER = `\nUse one as an option of pppd: pppd /dev/ttyS1 115200 noauth peer palm
Options that follow it override it. nullmodem presets NAME gives the reasons.
`;

/** Runs presets with the words after its name. Returns the exit code. */
export async function presets(argv: readonly string[]): Promise<number> {
  consola.level = 3;
  const flag = argv.find((word) => word.startsWith("-"));
  if (flag !== undefined) {
    const isAsked = flag === "--help" || flag === "-h";
    if (!isAsked) consola.error(`there is no option ${JSON.stringify(flag)}`);
    const usage = await usageText(command, AFTER);
    if (isAsked) print(usage);
    else process.stderr.write(usage);
    return isAsked ? 0 : 2;
  }
  const found = argv.map((name) => presetNamed(name));
  const wrong = found.indexOf(undefined);
  if (wrong >= 0) {
    const name = argv[wrong] ?? "";
    consola.error(`there is no preset ${JSON.stringify(name)}`);
    process.stderr.write(`${presetHint(name)}\n`);
    return 2;
  }
  const asked = found.filter((preset) => preset !== undefined);
  print(asked.length === 0 ? presetList() : asked.map(presetText).join("\n"));
  return 0;
}
presets.definition = command;

/** Two lines for each preset. */
export function presetList(): string {
  const lines = PRESETS.map((preset) => `${preset.name.padEnd(10)} ${preset.about}\n  ${presetWords(preset)}\n`);
  return `${lines.join("")}${AFTER}`;
}

/** A preset with the reason for each option, and its sources. */
export function presetText(preset: Preset): string {
  const { name, about, options, sources } = preset;
  return [
    `${name}: ${about}`,
    ...options.map(([words, because]) => `  ${words}\n      ${because}`),
    "  sources",
    ...sources.map((source) => `      ${source}`),
    "",
  ].join("\n");
}
