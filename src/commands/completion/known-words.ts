// What each program of the executable takes: its flags, their values and the other words. It is made from the option
// table, from the definitions of our own commands and from the rows of the classic programs, for the completions of the
// shells and for the manual.

import type { ArgDef } from "citty";
import { type Applet, APPLETS } from "../../applets/applets.ts";
import { GONE } from "../../options/row.ts";
import { PRESETS } from "../../options/presets.ts";
import { OPTIONS } from "../../options/table.ts";
import { VERBS } from "../../run/control/control-verbs.ts";
import type { CommandTable, Definition } from "../command-program.ts";
import { APPLET_WORDS, type FlagRow, PPPD_FLAGS } from "./applet-flags.ts";
import { argumentOf, meaningOf } from "./option-arguments.ts";

/** What a word may be, as the shells look for it. "options": options of pppd from here on. "": anything. */
export type Kind = "file" | "folder" | "command" | "peer" | "device" | "link" | "options" | "choice" | "";

/** A word and how it is completed. */
export interface Value {
  /** As the manual writes it: "FILE", "rtscts|none". */
  readonly word: string;
  readonly kind: Kind;
  /** For "choice". */
  readonly choices: readonly string[];
}

export interface Flag {
  readonly names: readonly string[];
  readonly value: Value | undefined;
  readonly about: string;
}

export interface Place extends Value {
  /** The name of the word, for a line that has no room for choices. */
  readonly name: string;
  readonly about: string;
  readonly required: boolean;
}

export interface Known {
  readonly name: string;
  readonly about: string;
  readonly flags: readonly Flag[];
  /** The words that are no flags, in order. The last one may be repeated. */
  readonly places: readonly Place[];
  /** Words that are no flags and have words of their own, as a verb of ctl has. */
  readonly verbs?: readonly Flag[];
  /** Options of pppd follow `--`. */
  readonly takesOptions: boolean;
}

const KINDS: Readonly<Record<string, Kind>> = {
  FILE: "file",
  FOLDER: "folder",
  DIR: "folder",
  COMMAND: "command",
  PEER: "peer",
  DEVICE: "device",
  PORT: "device",
  LINK: "link",
  INTERFACE: "link",
  FROM: "file",
  TO: "file",
  RECORD: "file",
  OPTION: "options",
};
const CHOICES = /^[a-z0-9.+-]+(\|[a-z0-9.+-]+)+$/;

/** The meaning of a word of the manual. */
function valueOf(word: string): Value {
  if (word === "PRESET") return { word, kind: "choice", choices: PRESETS.map(({ name }) => name) };
  if (CHOICES.test(word)) return { word, kind: "choice", choices: word.split("|") };
  return { word, kind: word.startsWith("/dev/") ? "device" : (KINDS[word] ?? ""), choices: [] };
}

/** pppd's options. Those without effect are not offered. */
function pppdFlags(): Flag[] {
  const rows = OPTIONS.entries
    .map(({ row }) => row)
    .filter(({ takes, rules }) => takes === undefined && !(rules & GONE));
  return rows.map((row) => {
    const word = argumentOf(row);
    return { names: [row.name], value: word === undefined ? undefined : valueOf(word), about: meaningOf(row) };
  });
}

function flagOf({ names, value, about }: FlagRow): Flag {
  return { names, value: value === undefined ? undefined : valueOf(value), about };
}

function placeOf(word: string): Place {
  return { ...valueOf(word), name: word, about: "", required: false };
}

function applet(name: Applet): Known {
  if (name === "pppd") {
    const flags = [...PPPD_FLAGS.map(flagOf), ...pppdFlags()];
    const about = "bring up a PPP link on a serial line";
    // A port is a TCP port elsewhere.
    return { name, about, flags, places: [placeOf("DEVICE")], takesOptions: false };
  }
  const { about, flags, places } = APPLET_WORDS[name];
  return { name, about, flags: flags.map(flagOf), places: places.map(placeOf), takesOptions: false };
}

/** The words for values that a definition gives no hint of. */
const NAMED: Readonly<Record<string, string>> = {
  "password-file": "FILE",
  speed: "N",
  port: "N",
  quota: "SIZE",
  user: "NAME",
  socks: "[ADDRESS:]PORT",
  record: "FILE",
  output: "FILE",
};
/** The commands whose words may end with `--` and options of pppd. */
const WITH_OPTIONS: readonly string[] = ["serve", "join"];

async function resolved<Value>(value: Value | Promise<Value> | (() => Value | Promise<Value>)): Promise<Value> {
  return await (typeof value === "function" ? (value as () => Value | Promise<Value>)() : value);
}

async function command(name: string, { meta, args }: Definition): Promise<Known> {
  const { description = "" } = (await resolved(meta)) ?? {};
  const words = Object.entries(((await resolved(args)) ?? {}) as Record<string, ArgDef>);
  const places = words.flatMap(([word, arg]) => (arg.type === "positional" ? [placeOfArgument(word, arg)] : []));
  const flags = words.flatMap(([word, arg]) => (arg.type === "positional" ? [] : flagsOfArgument(word, arg)));
  flags.push({ names: ["--help"], value: undefined, about: "show a help text" });
  const verbs = name === "ctl" ? controlVerbs() : [];
  return { name, about: description, flags, places, verbs, takesOptions: WITH_OPTIONS.includes(name) };
}

/** Each verb of ctl that has words, with the choices for the first of them. */
function controlVerbs(): Flag[] {
  return VERBS.flatMap(({ name, words, about }) => {
    const [word = ""] = words.replace(/[[\]]/g, "").split(" ");
    const choices = word.split("|").filter((choice) => /^[a-z0-9]+$/.test(choice));
    return word === "" ? [] : [{ names: [name], value: { word, kind: "choice" as const, choices }, about }];
  });
}

function placeOfArgument(word: string, { description = "", valueHint, required }: ArgDef): Place {
  const name = word.toUpperCase();
  return { ...valueOf(valueHint ?? name), name, about: description, required: required !== false };
}

function flagsOfArgument(word: string, arg: ArgDef): Flag[] {
  const { type, description = "", valueHint } = arg;
  const aliases = "alias" in arg && arg.alias !== undefined ? [arg.alias].flat() : [];
  const names = [...aliases.map((one) => `-${one}`), `--${word}`];
  if (type === "boolean") {
    const no = "negativeDescription" in arg ? arg.negativeDescription : undefined;
    const flag: Flag = { names, value: undefined, about: description };
    return no === undefined ? [flag] : [flag, { names: [`--no-${word}`], value: undefined, about: no }];
  }
  const options = "options" in arg ? arg.options?.join("|") : undefined;
  const hint = options ?? valueHint ?? NAMED[word] ?? word.toUpperCase();
  return [{ names, value: valueOf(hint), about: description }];
}

/** What a completion is made of. */
export interface Programs {
  readonly applets: readonly Known[];
  readonly commands: readonly Known[];
}

/** The classic programs. */
export function knownApplets(): Known[] {
  return (Object.keys(APPLETS) as Applet[]).map(applet);
}

/** Our own commands. */
export async function knownCommands(commands: CommandTable): Promise<Known[]> {
  const names = Object.entries(commands);
  return await Promise.all(names.map(async ([name, load]) => await command(name, (await load()).definition)));
}
