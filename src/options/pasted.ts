// Undoes the changes that word processors and web pages make to commands and options: dashes for hyphens, curly quotes.
// Text is one char a byte.

import { decoded, encoded } from "../bytes/text.ts";

/** Minus signs and dashes that word processors put in place of a hyphen. The HOWTO's PDF is full of them. */
const DASHES = /[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]/g;

/** The word with hyphens in place of dashes. */
export function plain(word: string): string {
  return /[\u0080-\u00ff]/.test(word) ? encoded(decoded(word).replace(DASHES, "-")) : word;
}

/** The command with hyphens in place of the dashes before its options. */
export function withHyphens(command: string): string {
  if (!/[\u0080-\u00ff]/.test(command)) return command;
  return encoded(decoded(command).replace(/(^|\s)[\u2010-\u2015\u2212](?=\S)/g, "$1-"));
}

/** Opening and closing double and single quotes of word processors, in UTF-8, one char a byte. */
const CURLY_COMMAND =
  /^(?:\u00e2\u0080[\u009c-\u009f](.*?)\u00e2\u0080[\u009c-\u009f]|\u00e2\u0080[\u0098-\u009b](.*?)\u00e2\u0080[\u0098-\u009b])(?=[ \t\r]|$)/;

/** A command in curly quotes at the start of a text, and the place after it. Undefined: there is none. */
export function curlyCommand(text: string): { text: string; end: number } | undefined {
  const found = CURLY_COMMAND.exec(text);
  return found === null ? undefined : { text: found[1] ?? found[2] ?? "", end: found[0].length };
}
