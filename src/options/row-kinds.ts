// The kinds of most rows: a flag, a number, a text, a name, a file of scripts or secrets.

import { decoded } from "../bytes/text.ts";
import { field, GONE, HIDDEN, NO_INCREASE, row, type FieldsOf, type Row, type Setting } from "./row.ts";
import { OptionError } from "./error.ts";
import type { PluginName } from "./plugins.ts";
import { quoted } from "./quoted.ts";
import { numberWithin, type Limits } from "./whole-number.ts";

/** An option without an argument. Its field is false, and true once the option is given. */
export function flag<Key extends string>(
  name: string,
  key: Key,
  rules: number,
  about: string,
): Row<Record<Key, boolean>> {
  return row({
    name,
    rules,
    about,
    argument: false,
    fields: field<Key, boolean>(key, false),
    set({ draft }) {
      draft[key] = true;
    },
    value: (fields) => (fields[key] ? "" : undefined),
  });
}

/**
 * An option without an argument that sets fields to the values in `makes`: its own fields, those of other rows, or
 * both.
 */
export function sets<Own extends object = object, const Shared extends readonly Row[] = readonly []>(
  name: string,
  rules: number,
  about: string,
  makes: Partial<NoInfer<Own & FieldsOf<Shared>>>,
  more: { readonly fields?: Own; readonly shares?: Shared; readonly disabledBy?: Row },
): Row<Own> {
  return row<Own, Shared>({
    name,
    rules,
    about,
    argument: false,
    ...more,
    set({ draft }) {
      Object.assign(draft, makes);
    },
    value(fields) {
      const now = new Map<string, unknown>(Object.entries(fields));
      return Object.entries(makes).every(([key, value]) => now.get(key) === value) ? "" : undefined;
    },
  });
}

/** An option without an argument that runs its own code. */
export function word<Own extends object = object>(
  name: string,
  rules: number,
  about: string,
  set: (setting: Setting<Own>) => void,
  more: { readonly fields?: Own; readonly value?: (fields: Own) => string | undefined } = {},
): Row<Own> {
  return row<Own>({ name, rules, about, argument: false, ...more, set });
}

/** An option with a whole number. */
export function number<Key extends string, Default extends number | undefined>(
  name: string,
  key: Key,
  preset: Default,
  rules: number,
  about: string,
  limits: Limits = {},
): Row<Record<Key, number | Default>> {
  return row({
    name,
    rules,
    about,
    fields: field<Key, number | Default>(key, preset),
    set(setting, argument) {
      const { draft, host } = setting;
      const value = numberWithin(name, argument, limits, host);
      if (rules & NO_INCREASE) checkNotIncreased(name, value, draft[key], setting);
      draft[key] = value;
    },
    value: (fields) => String(fields[key]),
  });
}

/** Allows an ordinary user to lower a limit that is set, and nothing else. Throws OptionError. */
export function checkNotIncreased(name: string, value: number, old: number | undefined, { privileged }: Setting): void {
  // 0 means no limit.
  if (!privileged && old && (value === 0 || value > old)) throw new OptionError(`${name} value cannot be increased`);
}

/** An option with a text: a path, a command, or a word for scripts. */
export function text<Key extends string>(
  name: string,
  key: Key,
  rules: number,
  about: string,
): Row<Record<Key, string | undefined>> {
  return row({
    name,
    rules,
    about,
    fields: field<Key, string | undefined>(key, undefined),
    set({ draft }, argument) {
      draft[key] = decoded(argument);
    },
    value: (fields) => quoted(fields[key] ?? ""),
  });
}

/** A name. The empty word removes it: pppd keeps the name in a buffer and cannot distinguish the two. */
export function name<Key extends string>(
  option: string,
  key: Key,
  rules: number,
  about: string,
): Row<Record<Key, string | undefined>> {
  return row({
    name: option,
    rules,
    about,
    fields: field<Key, string | undefined>(key, undefined),
    set({ draft }, argument) {
      draft[key] = decoded(argument) || undefined;
    },
    value: (fields) => quoted(fields[key] ?? ""),
  });
}

/** A path. Without the option it is `file` in the folder of configuration files. */
export function path<Key extends string>(
  name: string,
  key: Key,
  file: string,
  rules: number,
  about: string,
): Row<Record<Key, string>> {
  return row({
    name,
    rules,
    about,
    fieldsIn: (etc) => field(key, `${etc}/${file}`),
    set({ draft }, argument) {
      draft[key] = decoded(argument);
    },
    value: (fields) => quoted(fields[key]),
  });
}

/** The same option, which is unknown without that plugin. */
export function ofPlugin<Own extends object>(plugin: PluginName, own: Row<Own>): Row<Own> {
  return { ...own, plugin, about: `with ${plugin}: ${own.about}` };
}

/** The same option under another name. `rules` are those of the first one, or GROUP when both share one priority. */
export function alias(owner: Row, name: string, rules = owner.rules): Row {
  return { ...owner, name, rules, fields: () => ({}), shares: [...owner.shares, owner] };
}

/** An option that has no effect any more. */
export function gone(name: string, argument: boolean): Row {
  return row({ name, rules: HIDDEN | GONE, about: "no effect any more", argument, set() {} });
}
