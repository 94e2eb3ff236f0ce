// What all tables of options share, whatever their rows hold.

import type { OptionText, ValueText } from "./text-part.ts";

/** Finds the text function of a protocol's option by its type. */
export function textOfRows(rows: readonly { readonly type: number; readonly describe?: ValueText }[]): OptionText {
  const texts = new Map(rows.map(({ type, describe }) => [type, describe]));
  return (type, packet, at, length) => texts.get(type)?.(packet, at, length);
}

/** The intersection of a union's members: a table needs what all of its rows need. */
export type Intersection<Union> = (Union extends unknown ? (one: Union) => void : never) extends (
  all: infer All,
) => void
  ? All
  : never;
