// The options part of a run of pppd, up to a dry run: its output and its exit code.

import { dumpLines, USAGE_TEXT, VERSION_TEXT } from "../../src/options/dump.ts";
import { OptionError, OptionExit } from "../../src/options/error.ts";
import { checkOptions } from "../../src/options/check.ts";
import { parseOptions } from "../../src/options/parse.ts";
import type { FakeHost } from "./optionhost.ts";

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
  /** Our own lines after an error. */
  readonly hints: readonly string[];
}

export function dryRun(args: readonly string[], host: FakeHost): Outcome {
  const lines = (list: readonly string[], prefix = ""): string => list.map((line) => `${prefix}${line}\n`).join("");
  const outcome = (code: number, out = "", err = "", hints: readonly string[] = []): Outcome => ({
    stdout: lines(host.logged) + out,
    stderr: lines(host.complaints, "pppd: ") + err,
    code,
    hints,
  });
  try {
    let config = parseOptions(args, host);
    if (config.showOptions) return outcome(0, "<options>");
    config = checkOptions(config, host);
    return outcome(0, config.logfd === 1 ? lines(dumpLines(config)) : "");
  } catch (error) {
    if (error instanceof OptionExit) {
      return error.asked === "version" ? outcome(0, VERSION_TEXT) : outcome(0, "", USAGE_TEXT);
    }
    if (!(error instanceof OptionError)) throw error;
    return outcome(error.code, "", lines(error.lines, "pppd: ") + (error.usage ? USAGE_TEXT : ""), error.hints);
  }
}
