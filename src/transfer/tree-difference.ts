// What is to be done to make one tree of files like another one.

import type { Entry } from "./remote-files.ts";

export interface PlannedFile {
  readonly entry: Entry;
  /** The target has an older file of this name. */
  readonly isThere: boolean;
}

export interface Plan {
  /** To be made, each one after those above it. */
  readonly folders: readonly string[];
  /** Small files first: most of them are whole soon, even if the line goes down. */
  readonly files: readonly PlannedFile[];
  /** Octets of the files. */
  readonly octets: number;
  /** Files that need nothing. */
  readonly same: number;
  /** Only in the target: files first, then folders, each one before those above it. */
  readonly extra: readonly Entry[];
}

/** FAT keeps even seconds only. */
const SAME_SECONDS = 2;

export function planOf(source: readonly Entry[], target: readonly Entry[]): Plan {
  const there = new Map(target.map((entry) => [entry.path, entry]));
  const wanted = new Set(source.map(({ path }) => path));
  const files: PlannedFile[] = [];
  let octets = 0;
  let same = 0;
  for (const entry of source) {
    if (entry.kind !== "file") continue;
    const old = there.get(entry.path);
    if (old?.kind === "file" && isSame(entry, old)) {
      same++;
      continue;
    }
    files.push({ entry, isThere: old?.kind === "file" });
    octets += entry.size;
  }
  const isMissing = ({ path, kind }: Entry): boolean => kind === "folder" && there.get(path)?.kind !== "folder";
  const extra = target.filter(({ path }) => !wanted.has(path));
  return {
    folders: source
      .filter(isMissing)
      .map(({ path }) => path)
      .sort(),
    files: files.sort((a, b) => a.entry.size - b.entry.size || (a.entry.path < b.entry.path ? -1 : 1)),
    octets,
    same,
    extra: [
      ...extra.filter(({ kind }) => kind === "file"),
      ...extra.filter(({ kind }) => kind === "folder").sort((a, b) => (a.path < b.path ? 1 : -1)),
    ],
  };
}

function isSame(a: Entry, b: Entry): boolean {
  return a.size === b.size && Math.abs(a.mtime - b.mtime) <= SAME_SECONDS;
}

/** The end of a partial file's name that no file of the plan has. */
export function partSuffix(path: string, names: ReadonlySet<string>): string {
  let suffix = ".part";
  while (names.has(`${path}${suffix}`) || names.has(`${path}${suffix}.json`)) suffix += "~";
  return suffix;
}
