// What Windows is told of a file: attributes, times and sizes. The folder keeps one time of each file, so all times are that one.

import { type Folder, isTrouble, type Path, type Stat } from "../folder.ts";
import type { Octets } from "./octets.ts";
import type { SmbSite } from "./smb-site.ts";
import { dosTime, ntTime } from "./smb-time.ts";

export const Attribute = { HIDDEN: 2, FOLDER: 0x10, ARCHIVE: 0x20 } as const;

/** Octets that a file takes on a disk, as Windows counts them. */
const UNIT = 4096;

export function allocated(size: number): number {
  return Math.ceil(size / UNIT) * UNIT;
}

/** By its name and kind: what begins with a period is hidden, as such files are elsewhere. */
export function attributesOf(name: string, { kind }: Pick<Stat, "kind">): number {
  return (kind === "folder" ? Attribute.FOLDER : Attribute.ARCHIVE) | (name.startsWith(".") ? Attribute.HIDDEN : 0);
}

/** What a client wants to see: files, and beyond these only what it names. */
export function isWanted(attributes: number, wanted: number): boolean {
  return (attributes & (Attribute.FOLDER | Attribute.HIDDEN) & ~wanted) === 0;
}

export function putNtTimes(out: Octets, seconds: number): void {
  const time = ntTime(seconds);
  out.u64(time, time, time, time);
}

/** Creation, last access and last change: a date and a time of day each. */
export function putDosTimes(out: Octets, seconds: number, site: Pick<SmbSite, "zoneAt">): void {
  const words = dosTime(seconds, (at) => site.zoneAt(at));
  out.u16(...words, ...words, ...words);
}

/** A size in four octets. */
export function short(size: number): number {
  return Math.min(size, 0xffff_ffff);
}

export function isEmpty(folder: Folder, path: Path): boolean {
  const listing = folder.list(path);
  if (isTrouble(listing)) return false;
  const name = listing.next();
  listing.close();
  return name === undefined;
}
