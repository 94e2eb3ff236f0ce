// One row of the option table: an option's name, the rules for who may use it and when, the fields of the Config that
// it owns, and the values it sets. A row does not know the whole Config, which is made of the fields of all rows
// (config.ts).

import type { Facts, GivenOptions } from "./facts.ts";
import type { As, OptionHost } from "./host.ts";
import type { PluginName } from "./plugins.ts";

/** A source of lower priority does not override one of higher priority. */
export const PRIORITY = 1;
/**
 * Belongs to the group of the nearest row above without this mark. A group has one priority, one winner, and one line
 * in a dump.
 */
export const GROUP = 2;
/** Only root or a file of root may give it. */
export const PRIVILEGED = 4;
/** A user's command line cannot override the value from a file of root. */
export const PRIVFIX = 8;
/** Not allowed after the start (in the options of a secrets file). */
export const INIT_ONLY = 16;
/** Chooses the device, which is fixed once the command line has been read. */
export const DEVICE = 32;
/** Takes a command, which readers of the HOWTO write without quotes. */
export const COMMAND = 64;
/** Not shown in a dump. */
export const HIDDEN = 128;
/** An ordinary user may only lower the value. */
export const NO_INCREASE = 256;
/** May be given several times. A dump shows every value. */
export const LIST = 512;
/** Has no effect any more. A warning says so. */
export const GONE = 1024;

// The priorities of sources. A word of lower priority does not override one of higher priority.
export const FILE = 1;
export const COMMAND_LINE = 2;
export const SECRETS = 3;

/** What an option's function works with: the fields, the machine, and the rights and priority of the source. */
export interface Setting<Fields extends object = object> {
  /** The Config under construction, with the fields of this row and of the rows that it shares fields with. */
  readonly draft: Fields;
  readonly facts: Facts;
  readonly given: GivenOptions;
  readonly host: OptionHost;
  /** 1, 2 or 3, without the 100 of PRIVFIX. */
  readonly priority: number;
  readonly privileged: boolean;
  /** Reads the options of a file that must exist, at this place. */
  include(path: string, as: As, privileged: boolean): void;
  /** Reads the options of a text at this place, as if a file of this name had them. */
  expand(name: string, text: string): void;
}

/** A row that owns the fields `Own`. */
export interface Row<Own extends object = object> {
  readonly name: string;
  readonly rules: number;
  /** The description in show-options, one line. */
  readonly about: string;
  readonly argument: boolean;
  /** True for a word that is the argument if it follows the option. For an option whose argument may be left out. */
  readonly follows?: ((word: string) => boolean) | undefined;
  /** True for a bare word that this row takes: the device, the speed, the addresses. */
  readonly takes?: ((word: string, host: OptionHost) => boolean) | undefined;
  /** While that option is in force, this one is forbidden. */
  readonly disabledBy?: Row | undefined;
  /** The option exists only when this plugin is loaded. */
  readonly plugin?: PluginName | undefined;
  /**
   * The fields of the Config that it owns, with their defaults. `etc` is the folder of configuration files, "/etc/ppp".
   */
  readonly fields: (etc: string) => Own;
  /** The rows that own the other fields that it reads or sets. */
  readonly shares: readonly Row[];
  /** Sets the option. `word` is the argument, or without one the word itself. Throws OptionError. */
  readonly set: (setting: Setting, word: string) => void;
  /** The argument as a dump shows it, "" without one. Undefined when the option turns out not to be in force. */
  readonly value: (fields: object) => string | undefined;
  /** The same for an option with several values. */
  readonly values?: ((fields: object) => readonly string[]) | undefined;
}

type OwnOf<Some> = Some extends Row<infer Own> ? Own : never;
type AllOf<Each> = (Each extends unknown ? (fields: Each) => void : never) extends (fields: infer All) => void
  ? All
  : never;
/** The fields of all these rows. */
export type FieldsOf<Rows extends readonly Row[]> = AllOf<OwnOf<Rows[number]>>;

/** The definition of a row, with its types. */
export interface RowDefinition<Own extends object, Shared extends readonly Row[]> {
  readonly name: string;
  readonly rules?: number;
  readonly about: string;
  /** Default: true. */
  readonly argument?: boolean;
  readonly follows?: Row["follows"];
  readonly takes?: Row["takes"];
  readonly disabledBy?: Row | undefined;
  /** The fields that this row owns, with their defaults. Comments here give their units and meaning. */
  readonly fields?: Own | undefined;
  /** The same for paths in the folder of configuration files. */
  readonly fieldsIn?: ((etc: string) => Own) | undefined;
  /** The rows that own the other fields that it reads or sets. */
  readonly shares?: Shared | undefined;
  set(setting: Setting<Own & FieldsOf<Shared>>, word: string): void;
  value?(fields: Own & FieldsOf<Shared>): string | undefined;
  values?(fields: Own & FieldsOf<Shared>): readonly string[];
}

// Three functions assert a type that the compiler cannot derive. No other code of the option table does.
//
// A table holds rows of all types, so the functions of a row take any object. That is safe, because the draft has the
// fields of all rows of the table (see fieldsOf), including those of this row and of the rows that it shares fields
// with. A test checks that the rows in `shares` are in the table.

/** Makes a row of the table from its definition. */
export function row<Own extends object = object, const Shared extends readonly Row[] = readonly []>(
  definition: RowDefinition<Own, Shared>,
): Row<Own> {
  const {
    name,
    rules = 0,
    about,
    argument = true,
    follows,
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
    follows,
    takes,
    disabledBy,
    fields: fieldsIn ?? (() => ({ ...fields }) as Own),
    shares: shares ?? [],
    set: set as Row["set"],
    value: (value ?? ((): undefined => undefined)) as Row["value"],
    values: values as Row["values"],
  };
}

/**
 * The fields of all rows with their defaults. `Rows` is the type of the list. Throws when two rows own the same field.
 */
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

/** A record with one field. */
export function field<Key extends string, Value>(key: Key, value: Value): Record<Key, Value> {
  return { [key]: value } as Record<Key, Value>;
}

// ── the types of fields whose default does not say them ─────────────────────────────────────────────────────────────

/** A field without a value until the option is given. */
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
