// Paths of short names (short-names.ts) in a real folder.

import { type Folder, isTrouble, type Path } from "./folder.ts";
import { isShortName, shortNames } from "./short-names.ts";
import { isHidden } from "./uploads.ts";

/** Folders with more names than this have no short ones. */
const MOST_NAMES = 20_000;

/** The short name of each name in a folder that needs one. */
export function aliasesIn(folder: Folder, path: Path): Map<string, string> {
  const listing = folder.list(path);
  if (isTrouble(listing)) return new Map();
  const names: string[] = [];
  for (let name; (name = listing.next()) !== undefined && names.length < MOST_NAMES;)
    if (!isHidden(name)) names.push(name);
  listing.close();
  return names.length < MOST_NAMES ? shortNames(names) : new Map();
}

function longName(folder: Folder, path: Path, short: string): string | undefined {
  for (const [name, alias] of aliasesIn(folder, path)) if (alias === short) return name;
  return undefined;
}

/** The path with the names that the short ones in it stand for. Undefined: a name is none of the folder's. */
export function longPath(folder: Folder, path: Path): Path | undefined {
  const found: string[] = [];
  for (const name of path) {
    const isThere = !isTrouble(folder.stat([...found, name]));
    // A large folder takes long to read.
    const mayBeAlias = !isThere && isShortName(name);
    const long = isThere ? name : mayBeAlias ? longName(folder, found, name) : undefined;
    if (long === undefined) return undefined;
    found.push(long);
  }
  return found;
}
