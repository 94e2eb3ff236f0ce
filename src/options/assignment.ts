// Assigns one option from a source: checks whether the source may give it and whether it overrides earlier sources, and
// sets its fields.

import { decoded } from "../bytes/text.ts";
import { OptionError } from "./error.ts";
import { withHyphens } from "./pasted.ts";
import {
  COMMAND,
  COMMAND_LINE,
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
import type { Reading, Source } from "./source.ts";
import type { Entry } from "./table.ts";

/** This is added to the priority of a PRIVFIX option from a privileged source, so that it overrides all others. */
const ROOT = 100;

/** Assigns an option to the draft. `inner` reads the options of a file or text at this place. Throws OptionError. */
export function assign(
  { draft, host }: Reading,
  source: Source,
  { row, leader }: Entry,
  word: string,
  inner: Pick<Setting, "include" | "expand">,
): void {
  const { privileged } = source;
  const { given, facts } = draft;
  const priority = source.priority + (row.rules & PRIVFIX && privileged ? ROOT : 0);
  const before = given[leader.name];
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
  checkAllowed(draft, source, row, label);

  const argument = row.rules & COMMAND ? withHyphens(word) : word;
  row.set({ draft, facts, given, host, priority: source.priority, privileged, ...inner }, argument);

  const value = { value: decoded(argument), source: source.name };
  given[leader.name] = {
    winner: row.name,
    source: source.name,
    priority,
    values: row.rules & LIST ? [...(before?.values ?? []), value] : [],
  };
  if (row.rules & GONE) host.warn(`the ${row.name} option has no effect any more`);
}

function checkAllowed(draft: object, source: Source, row: Row, label: string): void {
  if (row.rules & INIT_ONLY && source.started) {
    throw new OptionError(`${label} cannot be changed after initialization`);
  }
  if (row.rules & PRIVILEGED && !source.privileged) throw new OptionError(`using the ${label} requires root privilege`);
  if (row.disabledBy?.value(draft) !== undefined) throw new OptionError(`${label} is disabled`);
  if (row.rules & DEVICE && source.deviceFixed) {
    throw new OptionError(`the ${label} may not be changed in ${source.name}`);
  }
}
