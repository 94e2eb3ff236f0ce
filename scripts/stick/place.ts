// The target folder of the stick's files. It is checked before the build, and written so that no incomplete file stays.

import { accessSync, constants, existsSync, mkdirSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const MB = 1_000_000;

/** The reason why the folder cannot take this many octets. Undefined: it can. Files called `names` will be replaced. */
export function placeTrouble(folder: string, octets: number, names: readonly string[]): string | undefined {
  const found = nearest(folder);
  if (!statSync(found).isDirectory()) return `${found} is a file, not a folder`;
  try {
    accessSync(found, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = statfsSync(found);
    const free = bavail * bsize + replaced(folder, names);
    if (free < octets)
      return `${folder} has room for ${Math.floor(free / MB)} MB, and ${Math.ceil(octets / MB)} are needed`;
    return undefined;
  } catch (error) {
    return `${found} cannot be written to: ${error instanceof Error ? error.message.replace(/,.*/, "") : String(error)}`;
  }
}

/** The folder itself, or its nearest parent that exists. */
function nearest(folder: string): string {
  for (let at = folder; ; at = dirname(at)) if (existsSync(at)) return at;
}

function replaced(folder: string, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0), 0);
}

/** Replaces the files called `names` by the given ones: all of them or none. Throws errors of node:fs. */
export function writeAllOrNone(
  folder: string,
  files: ReadonlyMap<string, Uint8Array | string>,
  names: readonly string[],
): void {
  const made = mkdirSync(folder, { recursive: true });
  try {
    for (const name of names) rmSync(join(folder, name), { force: true });
    for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
  } catch (error) {
    for (const name of files.keys()) rmSync(join(folder, name), { force: true });
    if (made !== undefined) rmSync(made, { recursive: true, force: true });
    throw error;
  }
}
