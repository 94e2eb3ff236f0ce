// The completion for bash: the functions, and the tables that they look into.

import FUNCTIONS from "./functions.bash" with { type: "text" };
import type { Programs } from "./known-words.ts";
import { firstWords, flagRows, optionTakers, placeRows, valueRows } from "./shell-rows.ts";

const listed = (words: readonly { readonly name: string }[]): string => words.map(({ name }) => name).join(" ");

export function bashCompletion(programs: Programs): string {
  const names = ["nullmodem", ...programs.applets.map(({ name }) => name)];
  const flags = flagRows(programs).map((row) => `    ${row.program}) flags='${listed(row.flags)}' ;;\n`);
  const values = valueRows(programs).map(({ of, kind, choices }) => {
    const patterns = of.map((word) => `'${word}'`).join(" | ");
    return `    ${patterns}) kind=${kind} choices='${choices}' ;;\n`;
  });
  const places = placeRows(programs).map(({ program, at, kind, choices }) => {
    const pattern = at === "*" ? `'${program} '*` : `'${program} ${at}'`;
    return `    ${pattern}) kind=${kind} choices='${choices}' ;;\n`;
  });
  return `# Words of ${names.join(", ")} for bash. This file was made by: nullmodem completion bash
# shellcheck shell=bash

_nullmodem_first='${listed(firstWords(programs))}'

_nullmodem_flags() {
  flags=''
  case $1 in
${flags.join("")}  esac
}

# The kind of a flag's value, and the choices. Fails for a word without a value.
_nullmodem_value() {
  case "$1 $2" in
${values.join("")}    *) return 1 ;;
  esac
}

# The same for the words that are no flags, by their number.
_nullmodem_place() {
  kind=any choices=''
  case "$1 $2" in
${places.join("")}  esac
}

# Do options of pppd follow -- ?
_nullmodem_takes_options() {
  case $1 in
    ${optionTakers(programs).join(" | ")}) ;;
    *) return 1 ;;
  esac
}

${FUNCTIONS}
complete -F _nullmodem ${names.join(" ")}
`;
}
