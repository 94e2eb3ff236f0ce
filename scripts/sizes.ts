// The sizes of functions and files, and their names, as a program. The formatter has laid out the text, so that indentation
// shows where a function begins and ends.

import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { readSource } from "./source-text.ts";

const MOST_LINES = 60;
const MOST_PARAMETERS = 6;
/** The aim is 300 lines. */
const MOST_FILE_LINES = 400;

/** Functions and files that may be larger, and why. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  "src/filter/bpf.ts run": "an interpreter with one switch; arithmetic and jumps in functions took 1.3 times as long",
  "src/chat/engine.ts": "one state machine, whose states share their fields",
  "scripts/option-cases.ts": "a list of command lines for pppd",
};

export interface FunctionSize {
  /** "decode", or the header's words when it has no name. */
  readonly name: string;
  readonly line: number;
  readonly lines: number;
  readonly parameters: number;
}

const CONTROL =
  /^(?:\} )?(?:if|else|for|while|do|switch|try|catch|finally|class|interface|type|enum|return|export class|export interface|export abstract class|export type|case)\b/;
const FUNCTION = /^(?:export )?(?:async )?function\*? ?([\w$]*)/;
const METHOD = /^(?:(?:static|async|get|set|private|protected|public|override)\s+)*(\*?\[?[#\w$.]+\]?)(?:<[^(]*>)?\(/;
const ARROW = /^(?:export )?(?:const|let|readonly)?\s*([#\w$]*)/;

/** The functions with a body in braces that takes more than one line. */
export function functionsIn(text: string): FunctionSize[] {
  const lines = readSource(text).code.split("\n");
  const indentOf = (line: string): number => line.length - line.trimStart().length;
  const found: FunctionSize[] = [];
  for (const [at, line] of lines.entries()) {
    if (!line.trimEnd().endsWith("{")) continue;
    const indent = indentOf(line);
    const isSame = (other: string): boolean => other.trim() !== "" && indentOf(other) === indent;
    let first = at;
    while (first > 0 && /^[)}\]>]/.test(lines[first]!.trim())) {
      do first--;
      while (first > 0 && !isSame(lines[first]!));
    }
    const header = lines
      .slice(first, at + 1)
      .join(" ")
      .trim()
      .replace(/\s+/g, " ");
    const parameters = CONTROL.test(header) ? undefined : parametersOf(header);
    if (parameters === undefined) continue;
    const last = lines.findIndex((other, index) => index > at && isSame(other));
    const [, name = ""] = FUNCTION.exec(header) ?? METHOD.exec(header) ?? ARROW.exec(header) ?? [];
    found.push({ name: name || header.slice(0, 40), line: first + 1, lines: last - first + 1, parameters });
  }
  return found;
}

/** The number of parameters in the header of a function, which ends with its brace. Undefined: it is no function. */
function parametersOf(header: string): number | undefined {
  const isArrow = header.endsWith("=> {");
  for (let at = header.indexOf("("); at >= 0; at = header.indexOf("(", at + 1)) {
    const end = closing(header, at);
    const rest = header.slice(end + 1);
    if (isArrow ? /^(?:: [^=]*)? ?=> \{$/.test(rest) : /^(?:: .*)? \{$/.test(rest))
      return isArrow || FUNCTION.test(header) || METHOD.test(header) ? countParts(header, at + 1, end) : undefined;
  }
  return undefined;
}

/** The place of the bracket that closes the one at `at`. */
function closing(text: string, at: number): number {
  let depth = 0;
  for (; at < text.length; at++) {
    if ("([{".includes(text[at]!)) depth++;
    else if (")]}".includes(text[at]!) && --depth === 0) return at;
  }
  return at;
}

/** The number of parts between commas in text[from, to), where a last comma adds none. */
function countParts(text: string, from: number, to: number): number {
  let parts = 0,
    depth = 0,
    isEmpty = true;
  for (let at = from; at < to; at++) {
    const char = text[at]!;
    if ("([{<".includes(char)) depth++;
    else if (")]}".includes(char) || (char === ">" && text[at - 1] !== "=")) depth--;
    if (char === "," && depth === 0) isEmpty = true;
    else if (char !== " " && isEmpty) {
      parts++;
      isEmpty = false;
    }
  }
  return parts;
}

/** Complaints about one file. `file` is its path. */
export function sizeComplaints(file: string, text: string, exceptions = EXCEPTIONS): string[] {
  const complaints: string[] = [];
  const lines = text.split("\n").length - 1;
  if (lines > MOST_FILE_LINES && exceptions[file] === undefined)
    complaints.push(`${file}: ${lines} lines, ${MOST_FILE_LINES} at most`);
  for (const { name, line, lines, parameters } of functionsIn(text)) {
    if (exceptions[`${file} ${name}`] !== undefined) continue;
    if (lines > MOST_LINES) complaints.push(`${file}:${line}: ${name} has ${lines} lines, ${MOST_LINES} at most`);
    if (parameters > MOST_PARAMETERS)
      complaints.push(`${file}:${line}: ${name} has ${parameters} parameters, ${MOST_PARAMETERS} at most`);
  }
  return complaints;
}

/** Complaints about files of one name in several folders. */
export function nameComplaints(files: readonly string[]): string[] {
  const paths = Map.groupBy(files, (file) => basename(file));
  return [...paths]
    .filter(([, same]) => same.length > 1)
    .map(([, same]) => `these have the same name: ${same.join(", ")}`);
}

if (import.meta.main) {
  const root = join(import.meta.dir, "..");
  const files = [...new Bun.Glob("{src,scripts}/**/*.ts").scanSync(root)].sort();
  const complaints = files.flatMap((file) => sizeComplaints(file, readFileSync(join(root, file), "utf8")));
  complaints.push(...nameComplaints(files.filter((file) => file.startsWith("src/"))));
  for (const complaint of complaints) console.error(complaint);
  const outcome = complaints.length === 0 ? "all in order" : `${complaints.length} complaints`;
  console.log(`sizes: ${files.length} files, ${outcome}`);
  process.exit(complaints.length === 0 ? 0 : 1);
}
