// The completion for zsh: the functions, and the tables that they look into.

import FUNCTIONS from "./functions.zsh" with { type: "text" };
import type { Programs } from "./known-words.ts";
import { firstWords, flagRows, optionTakers, placeRows, valueRows } from "./shell-rows.ts";

/** 'name:description' for _describe. */
function described({ name, about }: { readonly name: string; readonly about: string }): string {
  const text = `${name.replaceAll(":", "\\:")}:${about}`;
  return `'${text.replaceAll("'", "'\\''")}'`;
}

export function zshCompletion(programs: Programs): string {
  const names = ["nullmodem", ...programs.applets.map(({ name }) => name)];
  const flags = flagRows(programs).map(
    (row) =>
      `    (${row.program}) flags=(\n${row.flags.map((flag) => `      ${described(flag)}\n`).join("")}    ) ;;\n`,
  );
  const values = valueRows(programs).map(
    ({ of, kind, choices }) =>
      `    (${of.map((word) => `'${word}'`).join("|")}) kind=${kind} choices='${choices}' ;;\n`,
  );
  const places = placeRows(programs).map(({ program, at, kind, choices }) => {
    const pattern = at === "*" ? `'${program} '*` : `'${program} ${at}'`;
    return `    (${pattern}) kind=${kind} choices='${choices}' ;;\n`;
  });
  return `#compdef ${names.join(" ")}
# This file was made by: nullmodem completion zsh

typeset -ga _nullmodem_first=(
${firstWords(programs)
  .map((word) => `  ${described(word)}\n`)
  .join("")})

_nullmodem_flags() {
  case $1 in
${flags.join("")}    (*) flags=() ;;
  esac
}

# The kind of a flag's value, and the choices. Fails for a word without a value.
_nullmodem_value() {
  case "$1 $2" in
${values.join("")}    (*) return 1 ;;
  esac
}

# The same for the words that are no flags, by their number.
_nullmodem_place() {
  kind=any choices=
  case "$1 $2" in
${places.join("")}  esac
}

# Do options of pppd follow -- ?
_nullmodem_takes_options() {
  case $1 in
    (${optionTakers(programs).join("|")}) ;;
    (*) return 1 ;;
  esac
}

${FUNCTIONS}
# The first call loads this file, and has words to complete.
_nullmodem "$@"
`;
}
