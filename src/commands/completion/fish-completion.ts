// The completion for fish: the functions, and the tables that they look into.

import FUNCTIONS from "./functions.fish" with { type: "text" };
import type { Programs } from "./known-words.ts";
import { firstWords, flagRows, optionTakers, placeRows, valueRows } from "./shell-rows.ts";

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

/** A word and its description, for printf. */
function described({ name, about }: { readonly name: string; readonly about: string }): string {
  return ` \\\n            ${quoted(name)} ${quoted(about)}`;
}

export function fishCompletion(programs: Programs): string {
  const names = ["nullmodem", ...programs.applets.map(({ name }) => name)];
  const flags = flagRows(programs).map(
    (row) => `        case ${row.program}\n            printf '%s\\t%s\\n'${row.flags.map(described).join("")}\n`,
  );
  const found = (kind: string, choices: string): string =>
    `            set kind ${kind}\n            set choices${choices === "" ? "" : ` ${choices}`}\n`;
  const values = valueRows(programs).map(
    ({ of, kind, choices }) => `        case ${of.map(quoted).join(" ")}\n${found(kind, choices)}`,
  );
  const places = placeRows(programs).map(
    ({ program, at, kind, choices }) => `        case ${quoted(`${program} ${at}`)}\n${found(kind, choices)}`,
  );
  return `# Words of ${names.join(", ")} for fish. This file was made by: nullmodem completion fish

function __nullmodem_first
    printf '%s\\t%s\\n'${firstWords(programs).map(described).join("")}
end

function __nullmodem_flags
    switch $argv[1]
${flags.join("")}    end
end

# The kind of a flag's value, and the choices. Fails for a word without a value.
function __nullmodem_value --no-scope-shadowing
    switch "$argv[1] $argv[2]"
${values.join("")}        case '*'
            return 1
    end
    return 0
end

# The same for the words that are no flags, by their number.
function __nullmodem_place --no-scope-shadowing
    set kind any
    set choices
    switch "$argv[1] $argv[2]"
${places.join("")}    end
end

# Do options of pppd follow -- ?
function __nullmodem_takes_options
    contains -- $argv[1] ${optionTakers(programs).join(" ")}
end

${FUNCTIONS}
for program in ${names.join(" ")}
    complete -c $program -f -a '(__nullmodem_complete)'
end
`;
}
