// The words of one source, option by option: what a word means, whether this source may say it and whether it wins over
// what other sources said.

import { nearestNames } from "../bytes/nearest.ts";
import type { Config } from "./config.ts";
import { OptionError } from "./error.ts";
import { isFailure, type As, type FileText, type OptionHost } from "./host.ts";
import { restOfLine, wordsOf, type Word } from "./lexer.ts";
import {
  decoded,
  DEVICE,
  GONE,
  INIT_ONLY,
  LIST,
  PRIORITY,
  PRIVFIX,
  PRIVILEGED,
  type Row,
  type Setting,
} from "./row.ts";
import { curlyCommand, plain, withHyphens } from "./pasted.ts";
import { findOption, optionNames, rowNamed, type Entry } from "./table.ts";
import type { PluginName } from "./plugins.ts";

// What a source weighs: a word of lower priority does not override one of higher.
export const FILE = 1;
export const COMMAND_LINE = 2;
export const SECRETS = 3;
/** Files within files; a file that names itself must come to an end. */
const MAX_DEPTH = 100;
/** What a privileged source's PRIVFIX option outweighs the rest by. */
const ROOT = 100;

/** The options that take a command, where the HOWTO's readers leave the quotes out. */
const COMMANDS = new Set(["init", "connect", "disconnect", "welcome", "pty"]);
/** Words after an unquoted command that nobody means as options of pppd. */
const NEVER_MEANT = new Set(["-v", "-h", "--version", "--help"]);

/** Where the words being read come from. */
export interface Source {
  readonly name: string;
  readonly priority: number;
  /** Read with root's rights: a file of root's, or one of a user who is root or in a privgroup when it is begun. */
  readonly privileged: boolean;
  readonly depth: number;
  /** The command line has been read: what the device is stays. */
  readonly deviceFixed: boolean;
  /** After the start: only what the options of a secrets file may still change. */
  readonly started: boolean;
  /**
   * Collects devices that are not there, each as the error that the word is without `persist`, which may come later.
   * Undefined: such a word is an error at once.
   */
  readonly absent?: OptionError[];
}

/** The words of the command line. */
export function readCommandLine(config: Config, host: OptionHost, source: Source, words: readonly string[]): void {
  readList(config, host, source, words, {
    unknown: (word) =>
      new OptionError(`unrecognized option '${word}'`, {
        usage: true,
        hints: unknownHints(word, host, config.plugins),
      }),
    tooFew: (word) => new OptionError(`too few parameters for option ${word}`),
  });
}

/** The words after `--` in a secrets file. */
export function readSecretWords(config: Config, host: OptionHost, source: Source, words: readonly string[]): void {
  readList(config, host, source, words, {
    unknown: (word) => new OptionError(`In secrets file: unrecognized option '${word}'`),
    tooFew: (word) => new OptionError(`In secrets file: too few parameters for option '${word}'`),
  });
}

interface Complaints {
  unknown(word: string): OptionError;
  tooFew(word: string): OptionError;
}

function readList(
  config: Config,
  host: OptionHost,
  source: Source,
  words: readonly string[],
  { unknown, tooFew }: Complaints,
): void {
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    const entry = find(word, host, config.plugins);
    if (entry === undefined) {
      takeAbsentDevice(config, host, source, word, unknown(decoded(word)));
      continue;
    }
    const argument = entry.row.argument ? words[++at] : word;
    if (argument === undefined) throw tooFew(decoded(word));
    // A shell knows no curly quotes: the command has come in pieces.
    const command = COMMANDS.has(entry.row.name) ? curlyCommand(words.slice(at).join(" ")) : undefined;
    if (command === undefined) {
      apply(config, host, source, entry, argument);
      continue;
    }
    for (let left = command.end - argument.length; left > 0; left -= (words[at]?.length ?? 0) + 1) at++;
    warnOfCurlyQuotes(host, source.name, entry);
    apply(config, host, source, entry, command.text);
  }
}

/** The words of a file; one that may be absent and cannot be opened is a warning at most. */
export function readFile(
  config: Config,
  host: OptionHost,
  source: Source,
  path: string,
  as: As,
  absent: "must exist" | "absent ok",
): void {
  const file = host.readFile(path, as);
  if (isFailure(file)) {
    if (file.errno === "EISDIR") throw new OptionError(`Error reading ${path}: ${file.reason}`, { code: 1 });
    if (absent === "must exist") throw new OptionError(`Can't open options file ${path}: ${file.reason}`);
    if (file.errno !== "ENOENT" && file.errno !== "ENOTDIR") {
      host.warn(`Warning: can't open options file ${path}: ${file.reason}`);
    }
    return;
  }
  checkOwner(file, path, source, host);
  readWords(config, host, source, path, file.text);
}

/** A file that gives an ordinary user root's rights must be root's alone to write. */
function checkOwner(file: FileText, path: string, source: Source, host: OptionHost): void {
  if (host.privileged || !source.privileged) return;
  if (file.uid !== 0) throw new OptionError(`Can't safely use ${path} because it is not owned by root`);
  if (file.mode & 0o022) throw new OptionError(`Can't safely use ${path} because it is group or other writable`);
}

function readWords(config: Config, host: OptionHost, source: Source, path: string, text: string): void {
  const words = wordsOf(text, path);
  let at = 0;
  const take = (): Word | undefined => {
    const word = words[at++];
    if (word?.warning !== undefined) host.complain(word.warning);
    return word;
  };
  for (let word = take(); word !== undefined; word = take()) {
    const entry = find(word.text, host, config.plugins);
    if (entry === undefined) {
      const unknown = `In file ${path}: unrecognized option '${decoded(word.text)}'`;
      const hints = unknownHints(decoded(word.text), host, config.plugins);
      takeAbsentDevice(config, host, source, word.text, new OptionError(unknown, { hints }));
      continue;
    }
    if (!entry.row.argument) {
      apply(config, host, source, entry, word.text);
      continue;
    }
    const argument = take();
    if (argument === undefined) {
      throw new OptionError(`In file ${path}: too few parameters for option '${decoded(word.text)}'`);
    }
    const curly = COMMANDS.has(entry.row.name) && !argument.quoted ? curlyCommand(lineAt(text, argument)) : undefined;
    if (curly !== undefined) {
      while (words[at] !== undefined && (words[at]?.start ?? 0) < argument.start + curly.end) at++;
      warnOfCurlyQuotes(host, path, entry);
      apply(config, host, source, entry, curly.text);
    } else if (COMMANDS.has(entry.row.name) && lacksQuotes(words, at, argument, config, host)) {
      const rest = restOfLine(text, argument);
      while (words[at] !== undefined && (words[at]?.start ?? 0) < rest.end) at++;
      apply(config, host, source, entry, rest.text);
    } else {
      apply(config, host, source, entry, argument.text);
    }
  }
}

/** The text from a word to the end of its line. */
function lineAt(text: string, word: Word): string {
  const end = text.indexOf("\n", word.start);
  return text.slice(word.start, end < 0 ? text.length : end);
}

function warnOfCurlyQuotes(host: OptionHost, source: string, { row }: Entry): void {
  host.warn(`the curly quotes around the ${row.name} command are taken as quotes (from ${source})`);
}

/**
 * The HOWTO has `connect chat -v -f FILE` in a file without quotes, which pppd reads as the command `chat` and an option
 * `-v`. A word with a dash after an unquoted command on the same line makes the rest of the line the command, except
 * where pppd can read the rest as options and would.
 */
function lacksQuotes(words: readonly Word[], next: number, argument: Word, config: Config, host: OptionHost): boolean {
  if (argument.quoted) return false;
  const rest: Word[] = [];
  for (let at = next; words[at] !== undefined && !words[at]?.newline; at++) rest.push(words[at]!);
  if (!plain(rest[0]?.text ?? "").startsWith("-")) return false;
  for (let at = 0; at < rest.length; at++) {
    const word = rest[at]?.text ?? "";
    const entry = NEVER_MEANT.has(plain(word)) ? undefined : find(word, host, config.plugins);
    if (entry === undefined) return true;
    // The last one's argument may be on a line of its own.
    if (entry.row.argument && ++at >= rest.length) return words[next + rest.length] === undefined;
  }
  return false;
}

/** A serial port that is not plugged in is an unknown word to pppd; with `persist` it is waited for. */
function takeAbsentDevice(config: Config, host: OptionHost, source: Source, word: string, unknown: OptionError): void {
  const row = rowNamed("device name");
  if (source.absent === undefined || row === undefined || !isAbsentDevice(decoded(word), host)) throw unknown;
  source.absent.push(unknown);
  apply(config, host, source, { row, leader: row }, word);
}

/** Does a word name a serial port, by its looks? */
function looksLikeDevice(name: string): boolean {
  return name.startsWith("/dev/") || /^(tty[A-Z]|rfcomm|cua)\w*\d/.test(name);
}

function isAbsentDevice(name: string, host: OptionHost): boolean {
  return looksLikeDevice(name) && isFailure(host.statDevice(name.startsWith("/") ? name : `/dev/${name}`));
}

/** What to add about a word that is no option: it may be a device, or misspelt. */
function unknownHints(word: string, host: OptionHost, plugins: readonly PluginName[]): string[] {
  if (looksLikeDevice(word)) return missingDevice(word, host);
  const ports = host.serialPorts().flatMap((port) => {
    const path = port.split(" ")[0] ?? "";
    return [path, path.replace("/dev/", "")];
  });
  const near = nearestNames(plain(word), [...optionNames(plugins), ...ports]);
  return near.length === 0 ? [] : [`Did you mean ${near.join(" or ")}?`];
}

function missingDevice(name: string, host: OptionHost): string[] {
  const path = name.startsWith("/") ? name : `/dev/${name}`;
  const found = host.statDevice(path);
  if (!isFailure(found)) return [`${path}: not a serial port`];
  const ports = host.serialPorts().map((port) => `    ${port}`);
  return [
    `${path}: no such device`,
    ...(ports.length === 0 ? ["No serial ports here"] : ["Serial ports here:", ...ports]),
  ];
}

// ── one option ───────────────────────────────────────────────────────────────────────────────────────────────────────

function find(word: string, host: OptionHost, plugins: readonly PluginName[]): Entry | undefined {
  const asHyphens = plain(word);
  return findOption(word, host, plugins) ?? (asHyphens === word ? undefined : findOption(asHyphens, host, plugins));
}

function apply(config: Config, host: OptionHost, source: Source, { row, leader }: Entry, word: string): void {
  const { privileged } = source;
  const priority = source.priority + (row.rules & PRIVFIX && privileged ? ROOT : 0);
  const before = config.given.get(leader.name);
  const label = row.takes === undefined ? `${row.name} option` : row.name;
  if (leader.rules & PRIORITY && before !== undefined) {
    if (priority < before.priority) {
      if (priority === COMMAND_LINE && before.priority > ROOT) {
        throw new OptionError(`${label} set in ${before.source} cannot be overridden`);
      }
      return;
    }
    if (priority > ROOT && before.priority === COMMAND_LINE) {
      host.warn(`${label} from ${source.name} overrides command line`);
    }
  }
  checkAllowed(config, source, row, label);

  const argument = COMMANDS.has(row.name) ? withHyphens(word) : word;
  row.set(settingFor(config, host, source), argument);

  const value = { value: decoded(argument), source: source.name };
  config.given.set(leader.name, {
    winner: row.name,
    source: source.name,
    priority,
    values: row.rules & LIST ? [...(before?.values ?? []), value] : [],
  });
  if (row.rules & GONE) host.warn(`the ${row.name} option has no effect any more`);
}

function checkAllowed(config: Config, source: Source, row: Row, label: string): void {
  if (row.rules & INIT_ONLY && source.started) {
    throw new OptionError(`${label} cannot be changed after initialization`);
  }
  if (row.rules & PRIVILEGED && !source.privileged) throw new OptionError(`using the ${label} requires root privilege`);
  if (row.disabledBy !== undefined && config[row.disabledBy]) throw new OptionError(`${label} is disabled`);
  if (row.rules & DEVICE && source.deviceFixed) {
    throw new OptionError(`the ${label} may not be changed in ${source.name}`);
  }
}

function settingFor(config: Config, host: OptionHost, source: Source): Setting {
  return {
    config,
    host,
    priority: source.priority,
    privileged: source.privileged,
    include(path, as, privilegedThere) {
      if (source.depth >= MAX_DEPTH) throw new OptionError(`Can't open options file ${path}: Too many open files`);
      const inner = { ...source, name: path, depth: source.depth + 1, privileged: privilegedThere };
      readFile(config, host, inner, path, as, "must exist");
    },
  };
}
