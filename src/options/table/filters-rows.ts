// Options for the packets that pass and the packets that count as traffic.

import { decoded } from "../../bytes/text.ts";
import type { BpfInstruction } from "../../filter/bpf.ts";
import { OptionError } from "../error.ts";
import { isFailure } from "../host.ts";
import { quoted } from "../quoted.ts";
import { field, PRIORITY, row, type Row } from "../row.ts";
import { netmask } from "./ipcp-rows.ts";

/** A filter as text, and the program that libpcap made from it. */
interface FilterExpression {
  readonly expression: string;
  readonly program: readonly BpfInstruction[];
}

function filter<Key extends string>(
  name: string,
  key: Key,
  about: string,
): Row<Record<Key, FilterExpression | undefined>> {
  return row({
    name,
    rules: PRIORITY,
    about,
    fields: field<Key, FilterExpression | undefined>(key, undefined),
    shares: [netmask],
    set({ draft, host }, argument) {
      const own: Record<Key, FilterExpression | undefined> = draft;
      const expression = decoded(argument);
      const program = host.compileFilter(expression, draft.netmask ?? 0);
      if (!isFailure(program)) own[key] = { expression, program };
      else if (program.errno === "ENOENT") throw new OptionError(`the ${name} option needs ${program.reason}`);
      else throw new OptionError(`error in ${name} expression: ${program.reason}`);
    },
    value: (fields) => quoted(fields[key]?.expression ?? ""),
  });
}

export const FILTERS = [
  filter("pass-filter", "passFilter", "a filter of the packets that may pass"),
  filter("active-filter", "activeFilter", "a filter of the packets that count as traffic"),
] as const;
