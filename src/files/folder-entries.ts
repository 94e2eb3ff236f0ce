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

/** In the order of their small letters. */
function sorted(names: readonly string[]): string[] {
  const keyed = names.map((name) => ({ name, key: name.toLowerCase() }));
  keyed.sort((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : one.name < other.name ? -1 : 1));
  return keyed.map(({ name }) => name);
}

/** In the order of names, without regard to case. */
export function* entriesOf(listing: Listing): Generator<Entry> {
  for (const name of namesOf(listing)) {
    const stat = listing.stat(name);
    if (!isTrouble(stat)) yield { name, stat };
  }
}

function* namesOf(listing: Listing): Generator<string> {
  let name: string | undefined;
  const names: string[] = [];
  while (names.length < MOST_SORTED && (name = listing.next()) !== undefined) if (!isHidden(name)) names.push(name);
  yield* sorted(names);
  if (name === undefined) return;
  while ((name = listing.next()) !== undefined) if (!isHidden(name)) yield name;
}

export interface DeepEntry {
  /** From the folder where it began. */
  readonly path: Path;
  readonly stat: EntryStat;
}

/** What is there, or may be, and is left out: a device, a link, a folder that cannot be read to its end. */
export interface UnknownEntry {
  readonly path: Path;
  readonly stat: undefined;
}

/** A folder and all that is below it, each folder before what is in it. Links to folders are not followed. */
export function* deepEntries(folder: Folder, start: Path, below: Path = []): Generator<DeepEntry | UnknownEntry> {
  const listing = below.length > DEEPEST ? "failed" : folder.list([...start, ...below]);
  if (isTrouble(listing)) {
    yield { path: below, stat: undefined };
    return;
  }
  try {
    for (const name of namesOf(listing)) {
      const path = [...below, name];
      const stat = listing.stat(name);
      const isUnknown = isTrouble(stat) || (stat.kind === "folder" && stat.isLink);
      yield isUnknown ? { path, stat: undefined } : { path, stat };
      if (!isUnknown && stat.kind === "folder") yield* deepEntries(folder, start, path);
    }
    if (listing.hasFailed) yield { path: below, stat: undefined };
  } finally {
    listing.close();
  }
}
