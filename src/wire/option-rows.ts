// What all tables of options have in common, whatever else their rows hold.

import type { OptionText, ValueText } from "./text-part.ts";

/** The texts of a protocol's options, found by their types. */
export function textOfRows(rows: readonly { readonly type: number; readonly describe?: ValueText }[]): OptionText {
  const texts = new Map(rows.map(({ type, describe }) => [type, describe]));
  return (type, packet, at, length) => texts.get(type)?.(packet, at, length);
}

/** The intersection of a union's members: what a table needs is what all of its rows need. */
export type Intersection<Union> = (Union extends unknown ? (one: Union) => void : never) extends (
  all: infer All,
) => void
  ? All
  : never;
