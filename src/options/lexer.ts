// The words of an options or secrets file: blanks, comments, two kinds of quotes, backslashes. Text is one char a byte.

/** The longest word that pppd keeps. */
const MAX_WORD = 1023;

export interface Word {
  readonly text: string;
  /** The line where it starts, counted from 1. */
  readonly line: number;
  /** A line end precedes it. In a secrets file it starts an entry. */
  readonly newline: boolean;
  /** It has a quote, so its end is intended. */
  readonly quoted: boolean;
  /** Where its raw form is in the text. */
  readonly start: number;
  readonly end: number;
  /** The warning to give when the word is used: it is too long, or its quote is not closed. */
  readonly warning: string | undefined;
}

const ESCAPES: Readonly<Record<string, string>> = { a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", s: " ", t: "\t" };
const isBlank = (char: string): boolean => char === " " || (char >= "\t" && char <= "\r");
const isOctal = (char: string | undefined): boolean => char !== undefined && char >= "0" && char <= "7";
const isHex = (char: string | undefined): boolean => char !== undefined && /^[0-9a-fA-F]$/.test(char);

/** All words of a file. The file's name is for the warnings. */
export function wordsOf(text: string, file: string): Word[] {
  const words: Word[] = [];
  let at = 0;
  let line = 1;
  for (;;) {
    const gap = skipBlanks(text, at);
    const newline = gap.newline;
    line += lineEnds(text, at, gap.end);
    const word = readWord(text, gap.end, file);
    if (word === undefined) return words;
    words.push({ ...word, line, newline, start: gap.end });
    line += lineEnds(text, gap.end, word.end);
    at = word.end;
  }
}

/** The raw text from a word to the end of its line, or to a comment outside quotes. */
export function restOfLine(text: string, word: Word): { readonly text: string; readonly end: number } {
  let at = word.start;
  let quote = "";
  for (; at < text.length; at++) {
    const char = text[at]!;
    if (quote === "" && (char === "\n" || char === "#")) break;
    if (char === quote) quote = "";
    else if (quote === "" && (char === "'" || char === '"')) quote = char;
    else if (char === "\\") at++;
  }
  return { text: text.slice(word.start, at).trim(), end: at };
}

function lineEnds(text: string, start: number, end: number): number {
  let count = 0;
  for (let at = text.indexOf("\n", start); at >= 0 && at < end; at = text.indexOf("\n", at + 1)) count++;
  return count;
}

/** Skips blanks, comments and escaped newlines. `newline`: there was a newline that was not escaped. */
function skipBlanks(text: string, start: number): { end: number; newline: boolean } {
  let at = start;
  let newline = false;
  while (at < text.length) {
    const char = text[at]!;
    if (char === "#") {
      const end = text.indexOf("\n", at);
      at = end < 0 ? text.length : end;
    } else if (char === "\\" && text[at + 1] === "\n") {
      at += 2;
    } else if (isBlank(char)) {
      if (char === "\n") newline = true;
      at++;
    } else {
      break;
    }
  }
  return { end: at, newline };
}

function readWord(
  text: string,
  start: number,
  file: string,
): Pick<Word, "text" | "quoted" | "end" | "warning"> | undefined {
  let at = start;
  let word = "";
  let quote = "";
  let quoted = false;
  while (at < text.length) {
    const char = text[at]!;
    if (char === "\\") {
      const escape = readEscape(text, at + 1);
      word += escape.char;
      at = escape.end;
    } else if (quote !== "" ? char === quote : char === "'" || char === '"') {
      quote = quote === "" ? char : "";
      quoted = true;
      at++;
    } else if (quote === "" && (isBlank(char) || char === "#")) {
      break;
    } else {
      word += char;
      at++;
    }
  }
  // A quirk of pppd: an empty word is lost when nothing follows its quotes, not even a newline.
  const runsToEnd = at >= text.length;
  if (runsToEnd && word === "") return undefined;
  let warning: string | undefined;
  if (runsToEnd && quote !== "") {
    // pppd prints the first 20 characters of the file here, not the word.
    warning = `warning: quoted word runs to end of file (${file.slice(0, 20)}...)`;
  }
  if (word.length > MAX_WORD) {
    warning = `warning: word in file ${file} too long (${word.slice(0, 20)}...)`;
    word = word.slice(0, MAX_WORD);
  }
  return { text: cString(word), quoted, end: at, warning };
}

/** The replacement for the characters after a backslash. An escaped newline is replaced by nothing. */
function readEscape(text: string, at: number): { char: string; end: number } {
  const char = text[at];
  if (char === undefined) return { char: "", end: at };
  if (char === "\n") return { char: "", end: at + 1 };
  if (char === "x") {
    let end = at + 1;
    while (end < at + 3 && isHex(text[end])) end++;
    return { char: String.fromCharCode(parseInt(text.slice(at + 1, end) || "0", 16)), end };
  }
  if (isOctal(char)) {
    let end = at;
    while (end < at + 3 && isOctal(text[end])) end++;
    return { char: String.fromCharCode(parseInt(text.slice(at, end), 8) & 0xff), end };
  }
  return { char: ESCAPES[char] ?? char, end: at + 1 };
}

/** C ends a string at its first NUL. */
function cString(text: string): string {
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}
