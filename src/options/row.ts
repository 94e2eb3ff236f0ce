// One row of the option table: what an option is called, who may use it and when, and what it does to the Config.

import { decoded } from "../bytes/text.ts";
import type { Config } from "./config.ts";
import { OptionError } from "./error.ts";
import type { As, OptionHost } from "./host.ts";
import { scanNumber, toUint32 } from "./numbers.ts";
import type { PluginName } from "./plugins.ts";

export { decoded, encoded } from "../bytes/text.ts";

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
/** Not in a dump. */
export const HIDDEN = 128;
/** An ordinary user may only lower the value. */
export const NO_INCREASE = 256;
/** May be given again and again; a dump shows every value. */
export const LIST = 512;
/** Had its day: understood, without effect, and a warning says so. */
export const GONE = 1024;

/** What an option is set in: the Config, the machine, and the rights and weight of the words. */
export interface Setting {
  readonly config: Config;
  readonly host: OptionHost;
  /** 1, 2 or 3, without the 100 of PRIVFIX. */
  readonly priority: number;
  readonly privileged: boolean;
  /** Reads the options in a file that must exist, in place. */
  include(path: string, as: As, privileged: boolean): void;
}

export interface Row {
  readonly name: string;
  readonly rules: number;
  /** In one line, for show-options. */
  readonly about: string;
  readonly argument: boolean;
  /** Bare words this row takes, for those that are not a name: the device, the speed, the addresses. */
  readonly takes?: (word: string, host: OptionHost) => boolean;
  /** The flag that forbids it. */
  readonly disabledBy?: "nodefaultroute" | "nodefaultroute6" | "noproxyarp";
  /** It is there only once this plugin is loaded. */
  readonly plugin?: PluginName;
  /** `word` is the argument, or the bare word itself. Throws OptionError. */
  readonly set: (setting: Setting, word: string) => void;
  /** The argument as a dump shows it ("" without one), or undefined when the option is not in force after all. */
  readonly value: (config: Config) => string | undefined;
  /** The same for an option that is in force as often as it was given. */
  readonly values?: (config: Config) => readonly string[];
}

type KeysOf<T> = { [K in keyof Config]: Config[K] extends T ? (T extends Config[K] ? K : never) : never }[keyof Config];
type NumberKey = KeysOf<number> | KeysOf<number | undefined>;
type TextKey = KeysOf<string> | KeysOf<string | undefined>;

/** An option without an argument, and what it makes true. */
export function flag(
  name: string,
  rules: number,
  about: string,
  makes: Partial<Config>,
  disabledBy?: NonNullable<Row["disabledBy"]>,
): Row {
  const facts = Object.entries(makes);
  return {
    name,
    rules,
    about,
    argument: false,
    ...(disabledBy && { disabledBy }),
    set: ({ config }) => void Object.assign(config, makes),
    value: (config) => (facts.every(([key, value]) => config[key as keyof Config] === value) ? "" : undefined),
  };
}

export interface Limits {
  readonly min?: number;
  readonly max?: number;
  /** A value outside is not refused but brought to the nearest limit, with a warning: pppd before 2.5.4 takes any. */
  readonly outside?: "moved";
}

/** An option with a whole number. */
export function number(name: string, key: NumberKey, rules: number, about: string, limits: Limits = {}): Row {
  return {
    name,
    rules,
    about,
    argument: true,
    set({ config, host, privileged }, word) {
      const value = within(name, wholeNumber(name, word), limits, host);
      const old = config[key];
      // 0 stands for no limit.
      if (rules & NO_INCREASE && !privileged && old && (value === 0 || value > old)) {
        throw new OptionError(`${name} value cannot be increased`);
      }
      config[key] = value;
    },
    value: (config) => String(config[key]),
  };
}

/** An option with a text: a path, a command, a word for scripts. */
export function text(name: string, key: TextKey, rules: number, about: string): Row {
  return {
    name,
    rules,
    about,
    argument: true,
    set({ config }, word) {
      config[key] = decoded(word);
    },
    value: (config) => quoted(config[key] ?? ""),
  };
}

/** A name that the empty word takes back: pppd keeps it in a buffer and cannot tell the two apart. */
export function name(
  option: string,
  key: "ifname" | "linkname" | "remotenumber" | "vrf",
  rules: number,
  about: string,
): Row {
  return {
    ...text(option, key, rules, about),
    set({ config }, word) {
      config[key] = decoded(word) || undefined;
    },
  };
}

/** An option that runs code of its own. */
export function special(
  name: string,
  rules: number,
  about: string,
  set: Row["set"],
  value: Row["value"] = () => undefined,
): Row {
  return { name, rules, about, argument: true, set, value };
}

/** The same option under another name. `rules` as for the first, GROUP where the two are one in precedence. */
export function alias(row: Row, name: string, rules = row.rules): Row {
  return { ...row, name, rules };
}

export function wholeNumber(name: string, word: string): number {
  const number = scanNumber(word);
  if (number === undefined) throw new OptionError(`invalid numeric parameter '${decoded(word)}' for ${name} option`);
  return toUint32(number.value) | 0;
}

/** The value, or the limit it is moved to. Throws OptionError. */
function within(name: string, value: number, limits: Limits, host: OptionHost): number {
  const { min = -Infinity, max = Infinity, outside } = limits;
  const nearest = Math.min(Math.max(value, min), max);
  if (nearest === value) return value;
  if (outside !== "moved") checkLimits(name, value, limits);
  const wrong = max === Infinity ? `below ${min}` : `not between ${min} and ${max}`;
  host.warn(`${name} value ${value} is ${wrong}: using ${nearest}`);
  return nearest;
}

export function checkLimits(name: string, value: number, { min, max }: Limits): void {
  const low = min !== undefined && value < min;
  const high = max !== undefined && value > max;
  if (!low && !high) return;
  if (min === undefined) throw new OptionError(`${name} value must be <= ${max}`);
  if (max === undefined) throw new OptionError(`${name} value must be >= ${min}`);
  throw new OptionError(`${name} value must be between ${min} and ${max}`);
}

/** A word as a dump shows it: quotes and backslashes escaped, and what cannot be printed. */
export function quoted(word: string): string {
  return word.replace(/["\\\x00-\x1f\x7f-\x9f\udc80-\udcff]/gu, (char) => `\\${SHOWN[char] ?? octet(char)}`);
}

const SHOWN: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "\b": "b",
  "\f": "f",
  "\n": "n",
  "\t": "t",
};

function octet(char: string): string {
  return `x${(char.charCodeAt(0) & 0xff).toString(16).padStart(2, "0")}`;
}
