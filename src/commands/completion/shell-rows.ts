// The tables that the completions of all shells have in common: of each program its flags, the values of flags, and the
// other words.

import type { Known, Programs, Value } from "./known-words.ts";

/** A word and its description. */
export interface Described {
  readonly name: string;
  readonly about: string;
}

/** What a word may be. */
interface Found {
  /** One of Kind, and "any" when nothing is offered. */
  readonly kind: string;
  /** With blanks between them. */
  readonly choices: string;
}

function all({ applets, commands }: Programs): readonly Known[] {
  return [...applets, ...commands];
}

function found({ kind, choices }: Value): Found {
  return { kind: kind === "" ? "any" : kind, choices: choices.join(" ") };
}

/** Each program with its flags. */
export function flagRows(programs: Programs): { program: string; flags: Described[] }[] {
  return all(programs).map(({ name: program, flags }) => ({
    program,
    flags: flags.flatMap(({ names, about }) => names.map((name) => ({ name, about }))),
  }));
}

/** The flags and verbs that have a value, as "pppd call". Those with equal values are in one row. */
export function valueRows(programs: Programs): (Found & { of: string[] })[] {
  const pairs = all(programs).flatMap(({ name: program, flags, verbs = [] }) =>
    [...flags, ...verbs].flatMap(({ names, value }) =>
      value === undefined ? [] : names.map((name) => ({ of: `${program} ${name}`, value: found(value) })),
    ),
  );
  const groups = Map.groupBy(pairs, ({ value }) => `${value.kind} ${value.choices}`);
  return [...groups.values()].map((group) => ({ ...group[0]!.value, of: group.map(({ of }) => of) }));
}

/** The words that are no flags, from 0 on. "*": this one and all that follow. */
export function placeRows(programs: Programs): (Found & { program: string; at: number | "*" })[] {
  return all(programs).flatMap(({ name: program, places }) =>
    places.map((value, at) => ({ ...found(value), program, at: at === places.length - 1 ? ("*" as const) : at })),
  );
}

/** The programs after whose `--` options of pppd follow. */
export function optionTakers(programs: Programs): string[] {
  return all(programs).flatMap(({ name, takesOptions }) => (takesOptions ? [name] : []));
}

/** The first words of `nullmodem`. */
export function firstWords({ applets, commands }: Programs): Described[] {
  return [
    ...commands,
    ...applets,
    { name: "help", about: "show a help text" },
    { name: "--help", about: "show a help text" },
    { name: "--version", about: "show the version" },
    { name: "--config-dir", about: "the files of a folder instead of those in /etc/ppp" },
  ];
}
