// The names that Windows sees of what is in a folder: the real one where Windows can have such a name, else a short one
// (stable-names.ts). A client's name means a file whose real or short name is the same without regard to case.

import { decoded, encoded } from "../../bytes/text.ts";
import { type Folder, isTrouble, type Path } from "../folder.ts";
import { isHidden } from "../uploads.ts";
import { fitsOem } from "./smb-text.ts";
import { stableNames } from "./stable-names.ts";
import { folded, hasWildcard, isTooLong } from "./wildcards.ts";

/** Folders with more names than this show these, and have no short names. */
export const MOST_NAMES = 20_000;

export interface ShownName {
  /** One character an octet. */
  readonly real: string;
  readonly long: string;
  /** Eight and three characters. Undefined: the long name is one, or the folder has too many names. */
  readonly short: string | undefined;
}

/** Characters that no name of Windows has: its own signs, controls, and octets that are not UTF-8. */
const UNFIT = /[\0-\x1f"*/:<>?\\|]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|[. ]$/;

/** A name that Windows can give to a file. */
function isGivable(name: string): boolean {
  return name !== "" && !UNFIT.test(name) && !isHidden(name) && encoded(name).length <= 255;
}

/** What names a client knows. */
export interface NameView {
  /** Those with letters of a code page only. */
  readonly isOem: boolean;
  /** Those of eight and three characters only. */
  readonly isDos: boolean;
}

/** What a folder shows. */
export function shownNames(folder: Folder, path: Path, { isOem, isDos }: NameView): ShownName[] {
  const real = realNames(folder, path);
  const aliases = real.length < MOST_NAMES ? stableNames(real) : new Map<string, string>();
  return real.flatMap((name) => {
    const text = decoded(name);
    const short = aliases.get(name);
    const isFit = isGivable(text) && (!isOem || fitsOem(text)) && (!isDos || isPlain(text));
    const long = isFit ? text : short;
    return long === undefined ? [] : [{ real: name, long, short: isPlain(text) ? undefined : short }];
  });
}

/** Lower-case letters make no difference to DOS. */
function isPlain(text: string): boolean {
  return /^[^. ]{1,8}(?:\.[^. ]{1,3})?$/.test(text) && !/[^!-~]|[+,;=[\]]/.test(text) && isGivable(text);
}

function realNames(folder: Folder, path: Path): string[] {
  const listing = folder.list(path);
  if (isTrouble(listing)) return [];
  const names: string[] = [];
  for (let name; (name = listing.next()) !== undefined && names.length < MOST_NAMES;)
    if (!isHidden(name)) names.push(name);
  listing.close();
  return names.sort();
}

export interface Found {
  readonly path: Path;
  readonly isThere: boolean;
}

/**
 * The path that the names mean. Undefined: there is no folder for the last one. The last one may be the name of what is not
 * there yet.
 */
export function findPath(folder: Folder, names: readonly string[]): Found | undefined {
  const path: string[] = [];
  for (const [at, name] of names.entries()) {
    const real = realName(folder, path, name);
    if (real === undefined)
      return at === names.length - 1 ? { path: [...path, encoded(name)], isThere: false } : undefined;
    path.push(real);
  }
  return { path, isThere: true };
}

function realName(folder: Folder, parent: Path, name: string): string | undefined {
  const exact = encoded(name);
  if (!isTrouble(folder.stat([...parent, exact]))) return exact;
  const real = realNames(folder, parent);
  const wanted = folded(name);
  const alike = real.find((one) => folded(decoded(one)) === wanted && isGivable(decoded(one)));
  if (alike !== undefined || !isShort(wanted) || real.length >= MOST_NAMES) return alike;
  for (const [one, alias] of stableNames(real)) if (alias === wanted) return one;
  return undefined;
}

function isShort(name: string): boolean {
  return name.length <= 12 && !/[^!-~]/.test(name);
}

/**
 * The names of a client's path. Undefined: no file can have it. With `hasPattern` the last name may be one.
 */
export function namesOfPath(text: string, hasPattern = false): string[] | undefined {
  const parts = text.split(/[\\/]/).filter((part) => part !== "" && part !== ".");
  const names: string[] = [];
  for (const [at, part] of parts.entries()) {
    if (part === "..") return undefined;
    const isPattern = hasPattern && at === parts.length - 1 && hasWildcard(part);
    // DOS writes "NAME." for a name without a suffix.
    const name = isPattern ? part : part.replace(/[. ]+$/, "");
    if (!isPattern && !isGivable(name)) return undefined;
    if (isPattern && (/[/:\\|\0-\x1f]/.test(part) || isTooLong(part))) return undefined;
    names.push(name);
  }
  return names.length > 100 ? undefined : names;
}
