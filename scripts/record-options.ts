// Runs every case of option-cases.ts through the real pppd 2.4.9 in guests of the lab and writes the output to
// fixtures/options/pppd-2.4.9.json. Usage: `bun scripts/record-options.ts`; with `new`, only cases without a recording.

import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { askReal, type Printed } from "../test/kit/real-options.ts";
import { optionCases, type OptionCase } from "./option-cases.ts";

/** A case with the answer of the real pppd. Fixed texts are shortened: see {@link shorten}. */
export interface RecordedCase extends OptionCase, Printed {}

const COMMAND_LINE = "\t\t# (from command line)\n";
const root = resolve(import.meta.dir, "..");
export const FIXTURE = join(root, "fixtures/options/pppd-2.4.9.json");
const GUESTS = 2;

/** Replaces the usage text, and the source that most lines of a dump name, by two characters. */
export function shorten(text: string, usage: string): string {
  return text.replaceAll(usage, "<USAGE>").replaceAll(COMMAND_LINE, "\x01");
}

export function lengthen(text: string, usage: string): string {
  return text.replaceAll("<USAGE>", usage).replaceAll("\x01", COMMAND_LINE);
}

/** The recorded answers by case. */
function recordedAnswers(): Map<string, Printed> {
  const { usage, cases } = JSON.parse(readFileSync(FIXTURE, "utf8")) as { usage: string; cases: RecordedCase[] };
  return new Map(
    cases.map(({ stdout, stderr, code, ...one }) => [
      JSON.stringify(one),
      { stdout: lengthen(stdout, usage), stderr: lengthen(stderr, usage), code },
    ]),
  );
}

/** Runs the cases with the real pppd in several guests at once. */
async function askAll(cases: readonly OptionCase[]): Promise<Printed[]> {
  const share = Math.max(1, Math.ceil(cases.length / GUESTS));
  const parts = Array.from({ length: GUESTS }, (_, part) => cases.slice(part * share, (part + 1) * share));
  return (await Promise.all(parts.filter((part) => part.length > 0).map((part) => askReal(part)))).flat();
}

if (import.meta.main) {
  const cases = optionCases();
  const answers = process.argv[2] === "new" ? recordedAnswers() : new Map<string, Printed>();
  const wanted = cases.filter((one) => !answers.has(JSON.stringify(one)));
  for (const [at, answer] of (await askAll(wanted)).entries()) answers.set(JSON.stringify(wanted[at]), answer);
  const answerOf = (one: OptionCase): Printed => answers.get(JSON.stringify(one))!;
  const usage = answerOf(cases.find((one) => one.name === "--help")!).stderr;
  const recorded: RecordedCase[] = cases.map((one) => {
    const { stdout, stderr, code } = answerOf(one);
    return { ...one, stdout: shorten(stdout, usage), stderr: shorten(stderr, usage), code };
  });
  const lines = recorded.map((one) => JSON.stringify(one)).join(",\n");
  writeFileSync(FIXTURE, `{"usage":${JSON.stringify(usage)},"cases":[\n${lines}\n]}\n`);
  console.log(`${wanted.length} of ${cases.length} cases recorded`);
}
