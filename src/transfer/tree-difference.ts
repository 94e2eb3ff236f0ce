// What is to be done to make one tree of files like another one.

import type { Entry, Tree } from "./remote-files.ts";

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
  /**
   * Only in the target: files first, then folders, each one before those above it. Nothing that the source has in another
   * form, and no folder with something in it that a list does not describe.
   */
  readonly extra: readonly Entry[];
}

/** FAT keeps even seconds only. */
const SAME_SECONDS = 2;

export function planOf(source: Tree, target: Tree): Plan {
  const there = new Map(target.entries.map((entry) => [entry.path, entry]));
  const files: PlannedFile[] = [];
  let octets = 0;
  let same = 0;
  for (const entry of source.entries) {
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
  const extra = extraOf(source, target);
  return {
    folders: source.entries
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

/** What only the target has. */
function extraOf(source: Tree, target: Tree): Entry[] {
  if (target.others.includes("")) return [];
  const wanted = new Set(source.entries.map(({ path }) => path));
  const kept = new Set(source.others);
  const full = new Set([...source.others, ...target.others].flatMap(withFoldersAbove));
  return target.entries.filter(
    ({ path }) => !wanted.has(path) && !full.has(path) && !withFoldersAbove(path).some((one) => kept.has(one)),
  );
}

/** "a/b": "", "a" and "a/b". */
function withFoldersAbove(path: string): string[] {
  const all = [""];
  for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) all.push(path.slice(0, at));
  return [...all, path];
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
