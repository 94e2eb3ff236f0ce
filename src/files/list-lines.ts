// A folder for programs: a line of JSON for each entry. A name's octets that are not UTF-8 are the escapes \udc80 to \udcff.

import { decoded, encoded } from "../bytes/text.ts";
import type { DeepEntry, Entry } from "./folder-entries.ts";
import type { Stat } from "./folder.ts";

export function* listLines(entries: Iterable<Entry>): Generator<string> {
  for (const { name, stat } of entries) yield line(name, stat);
}

/** The name is a path, its parts separated by slashes. */
export function* deepLines(entries: Iterable<DeepEntry>): Generator<string> {
  let count = 0;
  for (const { path, stat } of entries) {
    yield line(path.join("/"), stat);
    if (++count % 256 === 0) yield "";
  }
}

function line(name: string, { kind, size, mtime }: Stat): string {
  return encoded(`${JSON.stringify({ name: decoded(name), size: kind === "file" ? size : 0, mtime, kind })}\n`);
}
