// A change as the terminal shows it before anything is written: a unified diff without passwords.

import { decoded, inert } from "../../bytes/text.ts";
import { wordsOf } from "../../options/lexer.ts";
import type { Change } from "./setup-journal.ts";
import { unifiedDiff } from "./unified-diff.ts";

const HIDDEN = "********";
/** The place of the secret in a line of a secrets file. */
const SECRET_WORD = 2;

export function shownChange({ path, before, after }: Change): string {
  const hide = path.endsWith("-secrets") ? withoutSecrets : withoutPasswords;
  const diff = unifiedDiff(path, before && hide(before.text), hide(after.text));
  if (diff === "") return `--- ${path}\n+++ ${path}\n(only a password changes)\n`;
  return decoded(diff)
    .split("\n")
    .map((line) => line.split("\t").map(inert).join("\t"))
    .join("\n");
}

function withoutSecrets(text: string): string {
  let place = 0;
  let at = 0;
  let shown = "";
  for (const word of wordsOf(text, "")) {
    place = word.newline ? 0 : place + 1;
    if (place !== SECRET_WORD || word.text === "") continue;
    shown += text.slice(at, word.start) + HIDDEN;
    at = word.end;
  }
  return shown + text.slice(at);
}

/** An options file may have the option `password`. */
function withoutPasswords(text: string): string {
  const words = wordsOf(text, "");
  const secrets = words.filter((_, at) => words[at - 1]?.text === "password");
  return secrets.reduceRight((shown, { start, end }) => shown.slice(0, start) + HIDDEN + shown.slice(end), text);
}
