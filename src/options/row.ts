// One row of the option table: what an option is called, who may use it and when, which fields of the Config are its own, and
// what it sets them to. A row knows nothing of the Config as a whole: that is made of the rows' fields (config.ts).

import type { Facts, GivenOptions } from "./facts.ts";
import type { As, OptionHost } from "./host.ts";
import type { PluginName } from "./plugins.ts";

/** A source of lower priority does not override one of higher. */
export const PRIORITY = 1;
/** Belongs to the group of the nearest row above without this mark: one priority, one winner, one line of a dump. */
export const GROUP = 2;
/** Only root, or a file of root's, may give it. */
export const PRIVILEGED = 4;
/** What a file of root's says, a user's command line cannot override. */
export const PRIVFIX = 8;
/** Not after the start (in the options of a secrets file). */
export const INIT_ONLY = 16;
/** Says what the device is, which is fixed once the command line is read. */
export const DEVICE = 32;
/** Takes a command, which the readers of the HOWTO write without quotes. */
export const COMMAND = 64;
/** Not in a dump. */
export const HIDDEN = 128;
/** An ordinary user may only lower the value. */
export const NO_INCREASE = 256;
/** May be given again and again; a dump shows every value. */
export const LIST = 512;
/** Understood, without effect any more, and a warning says so. */
export const GONE = 1024;

/** What an option is set in: the fields, the machine, and the rights and weight of the words. */
export interface Setting<Fields extends object = object> {
  /** The Config while it is being made: the fields of the row and of the rows that it shares fields with. */
  readonly draft: Fields;
  readonly facts: Facts;
  readonly given: GivenOptions;
  readonly host: OptionHost;
  /** 1, 2 or 3, without the 100 of PRIVFIX. */
  readonly priority: number;
  readonly privileged: boolean;
  /** Reads the options in a file that must exist, in place. */
  include(path: string, as: As, privileged: boolean): void;
}

/** A row that owns the fields `Own`. */
export interface Row<Own extends object = object> {
  readonly name: string;
  readonly rules: number;
  /** In one line, for show-options. */
  readonly about: string;
  readonly argument: boolean;
  /** Bare words this row takes, for those that are not a name: the device, the speed, the addresses. */
  readonly takes?: ((word: string, host: OptionHost) => boolean) | undefined;
  /** The row that forbids this one when it is in force. */
  readonly disabledBy?: Row | undefined;
  /** It is there only once this plugin is loaded. */
  readonly plugin?: PluginName | undefined;
  /** Its fields of the Config and their defaults. `etc` is the folder of configuration files, "/etc/ppp". */
  readonly fields: (etc: string) => Own;
  /** The rows that own the other fields it reads or sets. */
  readonly shares: readonly Row[];
  /** `word` is the argument, or the bare word itself. Throws OptionError. */
  readonly set: (setting: Setting, word: string) => void;
  /** The argument as a dump shows it ("" without one), or undefined when the option is not in force after all. */
  readonly value: (fields: object) => string | undefined;
  /** The same for an option that is in force as often as it was given. */
  readonly values?: ((fields: object) => readonly string[]) | undefined;
}

type OwnOf<Some> = Some extends Row<infer Own> ? Own : never;
type AllOf<Each> = (Each extends unknown ? (fields: Each) => void : never) extends (fields: infer All) => void
  ? All
  : never;
/** The fields of all of these rows together. */
export type FieldsOf<Rows extends readonly Row[]> = AllOf<OwnOf<Rows[number]>>;

/** A row before its types are forgotten. */
export interface RowDefinition<Own extends object, Shared extends readonly Row[]> {
  readonly name: string;
  readonly rules?: number;
  readonly about: string;
  /** Default: true. */
  readonly argument?: boolean;
  readonly takes?: Row["takes"];
  readonly disabledBy?: Row | undefined;
  /** The fields that this row owns, with their defaults. Their units and meaning are said here. */
  readonly fields?: Own | undefined;
  /** The same for paths in the folder of configuration files. */
  readonly fieldsIn?: ((etc: string) => Own) | undefined;
  /** The rows that own the other fields it reads or sets. */
  readonly shares?: Shared | undefined;
  set(setting: Setting<Own & FieldsOf<Shared>>, word: string): void;
  value?(fields: Own & FieldsOf<Shared>): string | undefined;
  values?(fields: Own & FieldsOf<Shared>): readonly string[];
}

// Three functions state a type that the compiler cannot derive, and no other code of the option table does.
//
// A table holds rows of all types, so a row's functions take any object. That is safe: the draft has the fields of all
// rows of the table (see fieldsOf), and so those of this row and of the rows that it shares fields with. A test checks
// that the rows in `shares` are in the table.

/** A row of the table, made of its definition. */
export function row<Own extends object = object, const Shared extends readonly Row[] = readonly []>(
  definition: RowDefinition<Own, Shared>,
): Row<Own> {
  const {
    name,
    rules = 0,
    about,
    argument = true,
    takes,
    disabledBy,
    fields,
    fieldsIn,
    shares,
    set,
    value,
    values,
  } = definition;
  return {
    name,
    rules,
    about,
    argument,
    takes,
    disabledBy,
    fields: fieldsIn ?? (() => ({ ...fields }) as Own),
    shares: shares ?? [],
    set: set as Row["set"],
    value: (value ?? ((): undefined => undefined)) as Row["value"],
    values: values as Row["values"],
  };
}

/** The fields of all rows, which are `Rows`, with their defaults. Throws when two rows own one field. */
export function fieldsOf<Rows extends readonly Row[]>(rows: readonly Row[], etc: string): FieldsOf<Rows> {
  const all: Record<string, unknown> = {};
  for (const { name, fields } of rows) {
    for (const [key, value] of Object.entries(fields(etc))) {
      if (key in all) throw new Error(`the ${name} option owns a field that another one owns: ${key}`);
      all[key] = value;
    }
  }
  return all as FieldsOf<Rows>;
}

/** A record of one field. */
export function field<Key extends string, Value>(key: Key, value: Value): Record<Key, Value> {
  return { [key]: value } as Record<Key, Value>;
}

// ── the types of fields whose default does not say them ─────────────────────────────────────────────────────────────

/** A field that has no value until the option is given. */
export function unset<Value>(): Value | undefined {
  return undefined;
}

/** A list that is empty until the option is given. */
export function list<Value>(): readonly Value[] {
  return [];
}

/** A field with one of several values. */
export function oneOf<Value>(value: Value): Value {
  return value;
}
