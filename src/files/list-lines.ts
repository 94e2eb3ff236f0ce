// A folder for programs: a line of JSON for each entry. A name's octets that are not UTF-8 are the escapes \udc80 to \udcff.

import { decoded, encoded } from "../bytes/text.ts";
import type { DeepEntry, Entry, UnknownEntry } from "./folder-entries.ts";
import type { Stat } from "./folder.ts";

export function* listLines(entries: Iterable<Entry>): Generator<string> {
  for (const { name, stat } of entries) yield line(name, stat);
}

/**
 * The name is a path, its parts separated by slashes. What is left out is of the kind "unknown", by which a program knows that
 * its own copy of it may not be deleted. The last line says that the list is whole.
 */
export function* deepLines(entries: Iterable<DeepEntry | UnknownEntry>): Generator<string> {
  let count = 0;
  for (const { path, stat } of entries) {
    const name = path.join("/");
    yield stat === undefined ? jsonLine({ name: decoded(name), kind: "unknown" }) : line(name, stat);
    if (++count % 256 === 0) yield "";
  }
  yield jsonLine({ kind: "end" });
}

function line(name: string, { kind, size, mtime }: Stat): string {
  return jsonLine({ name: decoded(name), size: kind === "file" ? size : 0, mtime, kind });
}

function jsonLine(value: object): string {
  return encoded(`${JSON.stringify(value)}\n`);
}
