// What is in a folder, for listings and archives: without partial files, devices and links that lead out.

import { type EntryStat, type Folder, isTrouble, type Listing, type Path } from "./folder.ts";
import { isHidden } from "./uploads.ts";

export interface Entry {
  readonly name: string;
  readonly stat: EntryStat;
}

/** More names than these are not sorted: they would have to be in memory. */
const MOST_SORTED = 20_000;
const DEEPEST = 100;

function compared(one: string, other: string): number {
  const [a, b] = [one.toLowerCase(), other.toLowerCase()];
  return a < b ? -1 : a > b ? 1 : one < other ? -1 : 1;
}

/** In the order of names, without regard to case. */
export function* entriesOf(listing: Listing): Generator<Entry> {
  let name: string | undefined;
  const names: string[] = [];
  while (names.length < MOST_SORTED && (name = listing.next()) !== undefined) if (!isHidden(name)) names.push(name);
  for (const one of names.sort(compared)) {
    const entry = entryOf(listing, one);
    if (entry !== undefined) yield entry;
  }
  if (name === undefined) return;
  while ((name = listing.next()) !== undefined) {
    const entry = isHidden(name) ? undefined : entryOf(listing, name);
    if (entry !== undefined) yield entry;
  }
}

function entryOf(listing: Listing, name: string): Entry | undefined {
  const stat = listing.stat(name);
  return isTrouble(stat) ? undefined : { name, stat };
}

export interface DeepEntry {
  /** From the folder where it began. */
  readonly path: Path;
  readonly stat: EntryStat;
}

/** A folder and all that is below it, each folder before what is in it. Links to folders are not followed. */
export function* deepEntries(folder: Folder, start: Path, below: Path = []): Generator<DeepEntry> {
  const listing = below.length > DEEPEST ? "failed" : folder.list([...start, ...below]);
  if (isTrouble(listing)) return;
  try {
    for (const { name, stat } of entriesOf(listing)) {
      const path = [...below, name];
      if (stat.kind === "folder" && stat.isLink) continue;
      yield { path, stat };
      if (stat.kind === "folder") yield* deepEntries(folder, start, path);
    }
  } finally {
    listing.close();
  }
}
