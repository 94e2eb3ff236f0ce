// What a command of `nullmodem` is: a program that knows its own words.

import type { CommandDef } from "citty";
import type { Program } from "../applets/applets.ts";

/** What a command has to tell of its words, for its help, the manual and the completions of the shells. */
export interface Definition {
  readonly meta?: CommandDef["meta"];
  readonly args?: CommandDef["args"];
}

export interface CommandProgram {
  (argv: string[]): ReturnType<Program>;
  readonly definition: Definition;
}

/** The commands by their names. Each one is loaded only when it is used. */
export type CommandTable = Readonly<Record<string, () => Promise<CommandProgram>>>;
