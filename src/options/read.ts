// Reads the words of one source: separates options from their arguments, and finds the end of a command without quotes.

import { decoded } from "../bytes/text.ts";
import { assign } from "./assignment.ts";
import { OptionError } from "./error.ts";
import { isFailure, type As, type FileText, type OptionHost } from "./host.ts";
import { restOfLine, wordsOf, type Word } from "./lexer.ts";
import { curlyCommand, plain } from "./pasted.ts";
import { COMMAND } from "./row.ts";
import type { Reading, Source } from "./source.ts";
import type { Entry } from "./table.ts";
import { isAbsentDevice, unknownHints } from "./unknown-word.ts";

/** The limit of files within files. A file that includes itself must end. */
const MAX_DEPTH = 100;
/** Words after an unquoted command that are never meant as options of pppd. */
const NEVER_MEANT = new Set(["-v", "-h", "--version", "--help"]);

/** Reads the words of the command line. */
export function readCommandLine(reading: Reading, source: Source, words: readonly string[]): void {
  readList(reading, source, words, {
    unknown: (word) =>
      new OptionError(`unrecognized option '${word}'`, {
        usage: true,
        hints: unknownHints(word, reading),
      }),
    tooFew: (word) => new OptionError(`too few parameters for option ${word}`),
  });
}

/** Reads the words after `--` in a secrets file. */
export function readSecretWords(reading: Reading, source: Source, words: readonly string[]): void {
  readList(reading, source, words, {
    unknown: (word) => new OptionError(`In secrets file: unrecognized option '${word}'`),
    tooFew: (word) => new OptionError(`In secrets file: too few parameters for option '${word}'`),
  });
}

interface Complaints {
  unknown(word: string): OptionError;
  tooFew(word: string): OptionError;
}

function readList(reading: Reading, source: Source, words: readonly string[], { unknown, tooFew }: Complaints): void {
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    const entry = find(word, reading);
    if (entry === undefined) {
      takeAbsentDevice(reading, source, word, unknown(decoded(word)));
      continue;
    }
    const takesNext = entry.row.argument || follows(entry, words[at + 1]);
    const argument = takesNext ? words[++at] : word;
    if (argument === undefined) throw tooFew(decoded(word));
    // A shell does not know curly quotes, so the command came in several words.
    const command = entry.row.rules & COMMAND ? curlyCommand(words.slice(at).join(" ")) : undefined;
    if (command === undefined) {
      apply(reading, source, entry, argument);
      continue;
    }
    for (let left = command.end - argument.length; left > 0; left -= (words[at]?.length ?? 0) + 1) at++;
    warnOfCurlyQuotes(reading.host, source.name, entry);
    apply(reading, source, entry, command.text);
  }
}

/** Reads the words of a file. If an optional file cannot be opened, that is at most a warning. */
export function readFile(
  reading: Reading,
  source: Source,
  path: string,
  as: As,
  absent: "must exist" | "absent ok",
): void {
  const { host } = reading;
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
  readWords(reading, source, path, file.text);
}

/** A file that gives an ordinary user the rights of root must be writable for root only. */
function checkOwner(file: FileText, path: string, source: Source, host: OptionHost): void {
  if (host.privileged || !source.privileged) return;
  if (file.uid !== 0) throw new OptionError(`Can't safely use ${path} because it is not owned by root`);
  if (file.mode & 0o022) throw new OptionError(`Can't safely use ${path} because it is group or other writable`);
}

function readWords(reading: Reading, source: Source, path: string, text: string): void {
  const { host } = reading;
  const words = wordsOf(text, path);
  let at = 0;
  const take = (): Word | undefined => {
    const word = words[at++];
    if (word?.warning !== undefined) host.complain(word.warning);
    return word;
  };
  for (let word = take(); word !== undefined; word = take()) {
    const entry = find(word.text, reading);
    if (entry === undefined) {
      const unknown = `In file ${path}: unrecognized option '${decoded(word.text)}'`;
      const hints = unknownHints(decoded(word.text), reading);
      takeAbsentDevice(reading, source, word.text, new OptionError(unknown, { hints }));
      continue;
    }
    if (!entry.row.argument && !follows(entry, words[at]?.text)) {
      apply(reading, source, entry, word.text);
      continue;
    }
    const argument = take();
    if (argument === undefined) {
      throw new OptionError(`In file ${path}: too few parameters for option '${decoded(word.text)}'`);
    }
    const curly = entry.row.rules & COMMAND && !argument.quoted ? curlyCommand(lineAt(text, argument)) : undefined;
    if (curly !== undefined) {
      while (words[at] !== undefined && (words[at]?.start ?? 0) < argument.start + curly.end) at++;
      warnOfCurlyQuotes(host, path, entry);
      apply(reading, source, entry, curly.text);
    } else if (entry.row.rules & COMMAND && lacksQuotes(words, at, argument, reading)) {
      const rest = restOfLine(text, argument);
      while (words[at] !== undefined && (words[at]?.start ?? 0) < rest.end) at++;
      apply(reading, source, entry, rest.text);
    } else {
      apply(reading, source, entry, argument.text);
    }
  }
}

/** True when the next word is the argument of an option that may be without one. */
function follows({ row }: Entry, next: string | undefined): boolean {
  return next !== undefined && row.follows?.(next) === true;
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
 * The HOWTO has `connect chat -v -f FILE` in a file without quotes. pppd reads that as the command `chat` and an option
 * `-v`. If an unquoted command is followed on its line by a word with a dash, the rest of the line belongs to the
 * command, unless pppd could read the rest as options.
 */
function lacksQuotes(words: readonly Word[], next: number, argument: Word, reading: Reading): boolean {
  if (argument.quoted) return false;
  const rest: Word[] = [];
  for (let at = next; words[at] !== undefined && !words[at]?.newline; at++) rest.push(words[at]!);
  if (!plain(rest[0]?.text ?? "").startsWith("-")) return false;
  for (let at = 0; at < rest.length; at++) {
    const word = rest[at]?.text ?? "";
    const entry = NEVER_MEANT.has(plain(word)) ? undefined : find(word, reading);
    if (entry === undefined) return true;
    // The argument of the last option may be on a line of its own.
    if (entry.row.argument && ++at >= rest.length) return words[next + rest.length] === undefined;
  }
  return false;
}

/** To pppd, a serial port that is not plugged in is an unknown word. With `persist`, the program waits for it. */
function takeAbsentDevice(reading: Reading, source: Source, word: string, unknown: OptionError): void {
  const row = reading.table.named("device name");
  if (source.absent === undefined || row === undefined || !isAbsentDevice(decoded(word), reading.host)) throw unknown;
  source.absent.push(unknown);
  apply(reading, source, { row, leader: row }, word);
}

// ── one option ───────────────────────────────────────────────────────────────────────────────────────────────────────

function find(word: string, { table, host, draft }: Reading): Entry | undefined {
  const asHyphens = plain(word);
  return (
    table.find(word, host, draft.plugins) ??
    (asHyphens === word ? undefined : table.find(asHyphens, host, draft.plugins))
  );
}

function apply(reading: Reading, source: Source, entry: Entry, word: string): void {
  assign(reading, source, entry, word, {
    include(path, as, privileged) {
      if (source.depth >= MAX_DEPTH) throw new OptionError(`Can't open options file ${path}: Too many open files`);
      const inner = { ...source, name: path, depth: source.depth + 1, privileged };
      readFile(reading, inner, path, as, "must exist");
    },
    expand(name, text) {
      readWords(reading, { ...source, name }, name, `${text}\n`);
    },
  });
}
