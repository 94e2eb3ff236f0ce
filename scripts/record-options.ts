// Runs every case of option-cases.ts through the real pppd 2.4.9 in guests of the lab and writes what it printed to
// fixtures/options/pppd-2.4.9.json. `bun scripts/record-options.ts`

import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { askReal, type Printed } from "../test/kit/real-options.ts";
import { optionCases, type OptionCase } from "./option-cases.ts";

/** A case with what the real pppd answered. Fixed texts are shortened: see {@link shorten}. */
export interface RecordedCase extends OptionCase, Printed {}

const COMMAND_LINE = "\t\t# (from command line)\n";
const root = resolve(import.meta.dir, "..");
export const FIXTURE = join(root, "fixtures/options/pppd-2.4.9.json");
const GUESTS = 2;

/** Usage text and the source that nearly every line of a dump has, in two characters. */
export function shorten(text: string, usage: string): string {
  return text.replaceAll(usage, "<USAGE>").replaceAll(COMMAND_LINE, "\x01");
}

export function lengthen(text: string, usage: string): string {
  return text.replaceAll("<USAGE>", usage).replaceAll("\x01", COMMAND_LINE);
}

if (import.meta.main) {
  const cases = optionCases();
  const share = Math.ceil(cases.length / GUESTS);
  const parts = Array.from({ length: GUESTS }, (_, part) => cases.slice(part * share, (part + 1) * share));
  const answers = (await Promise.all(parts.map(askReal))).flat();
  const usage = answers[cases.findIndex((one) => one.name === "--help")]!.stderr;
  const recorded: RecordedCase[] = cases.map((one, at) => {
    const { stdout, stderr, code } = answers[at]!;
    return { ...one, stdout: shorten(stdout, usage), stderr: shorten(stderr, usage), code };
  });
  const lines = recorded.map((one) => JSON.stringify(one)).join(",\n");
  writeFileSync(FIXTURE, `{"usage":${JSON.stringify(usage)},"cases":[\n${lines}\n]}\n`);
  console.log(`${cases.length} cases recorded`);
}
