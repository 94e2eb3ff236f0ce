// The options in effect, as one plain read-only record. Its fields are those of the options' rows (table/*.ts), which
// give their units and defaults.
//
// Texts are of two kinds. `name`, `user`, `password`, `remotename` and everything in the secrets files are byte strings
// (one char a byte, bytes/text.ts), because they are sent unchanged. Paths, commands and all other words are text.
//
// Where pppd 2.4.9 accepts any number, so do we: seconds and counts without a lower limit may be negative, with the
// meaning of 0.

import type { Facts, GivenOptions } from "./facts.ts";
import type { ConfigOf, OPTIONS, OptionTable } from "./table.ts";

type Fields = ConfigOf<typeof OPTIONS>;

/** The table of all options, or one with more options. */
export type ConfigTable = { defaults(etc: string): Fields } & OptionTable;

/** How the fields got their values, as the parser knows it. */
interface Origin {
  given: GivenOptions;
  facts: Facts;
}

/** A Config under construction. Only the parser uses it. */
export interface Draft extends Fields, Origin {}

export interface Config extends Readonly<Fields> {
  readonly given: Readonly<GivenOptions>;
  readonly facts: Readonly<Facts>;
}

/** A draft that starts with the values of a Config. */
export function draftOf(config: Config): Draft {
  return { ...config, given: { ...config.given }, facts: { ...config.facts } };
}

/** Makes a draft a Config. From now on, writing to it or to a list in it throws a TypeError. */
export function finished(draft: Draft): Config {
  freeze(draft);
  return draft;
}

/** The same Config except for these fields. */
export function withFields(config: Config, fields: Partial<Readonly<Fields>>): Config {
  return finished({ ...draftOf(config), ...fields });
}

function freeze(record: object): void {
  Object.freeze(record);
  for (const value of Object.values(record)) {
    if (typeof value === "object" && value !== null && !Object.isFrozen(value)) freeze(value);
  }
}
