// Everything the program was told: one plain record that nobody can write. Its fields are those of the options' rows
// (table/*.ts), where their units and defaults are.
//
// There are two kinds of text. `name`, `user`, `password`, `remotename` and everything in the secrets files are byte strings
// (one char a byte, bytes/text.ts): they go onto the wire as they stand. Paths, commands and all other words are text.
//
// Numbers are as given where pppd 2.4.9 takes any: seconds and counts without a lower limit may be negative, like 0.

import type { Facts, GivenOptions } from "./facts.ts";
import type { ConfigOf, OPTIONS, OptionTable } from "./table.ts";

type Fields = ConfigOf<typeof OPTIONS>;

/** The table of all options, or one that has more. */
export type ConfigTable = { defaults(etc: string): Fields } & OptionTable;

/** What the parser knows of how the fields came about. */
interface Origin {
  given: GivenOptions;
  facts: Facts;
}

/** A Config that is still being made, by the parser alone. */
export interface Draft extends Fields, Origin {}

export interface Config extends Readonly<Fields> {
  readonly given: Readonly<GivenOptions>;
  readonly facts: Readonly<Facts>;
}

/** A draft of another Config that begins as this one. */
export function draftOf(config: Config): Draft {
  return { ...config, given: { ...config.given }, facts: { ...config.facts } };
}

/** The Config that a draft has become. To write it, or a list in it, throws a TypeError from now on. */
export function finished(draft: Draft): Config {
  freeze(draft);
  return draft;
}

/** The same Config but for these fields. */
export function withFields(config: Config, fields: Partial<Readonly<Fields>>): Config {
  return finished({ ...draftOf(config), ...fields });
}

function freeze(record: object): void {
  Object.freeze(record);
  for (const value of Object.values(record)) {
    if (typeof value === "object" && value !== null && !Object.isFrozen(value)) freeze(value);
  }
}
