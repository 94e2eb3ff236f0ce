// A folder that is given to others, and everything in it. A path is a list of names, each any octets but "/" and NUL, one
// character an octet (bytes/text.ts). No path leads out of the folder, whatever the names and the links in it are. What fails
// returns a word. Nothing throws.

/** The names from the folder to a file or a folder in it. The empty path is the folder itself. */
export type Path = readonly string[];

/** Why something failed. */
export type Trouble =
  /** There is no such file, or it is neither a file nor a folder, or the way to it leads out. */
  | "absent"
  | "denied"
  | "exists"
  /** A folder stands where a file was asked for. */
  | "is-folder"
  /** A file stands where a folder was asked for. */
  | "is-file"
  | "not-empty"
  /** What is to be renamed would have to be copied. */
  | "other-disk"
  /** No octet more, because the disk is full or the user has no more of it. */
  | "full"
  /** A name that no file here can have. */
  | "bad-name"
  /** Anything else. */
  | "failed";

export interface Stat {
  readonly kind: "file" | "folder";
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** Another text whenever the file is another one or has changed: device, inode, size, mtime and ctime. */
  readonly version: string;
}

/** An open file. Its octets and its stat are those of one file, even if the name leads to another one later. */
export interface OpenFile {
  /** As it is now. */
  stat(): Stat;
  /** Octets read from `position` to into[at, end), less than asked only at the end of the file. */
  read(into: Uint8Array, at: number, end: number, position: number): number | Trouble;
  /** Writes from[start, end) to `position`. Returns how many octets were written, which may be less. */
  write(from: Uint8Array, start: number, end: number, position: number): number | Trouble;
  /** Makes the file this long. */
  truncate(size: number): Trouble | undefined;
  /** Waits until the octets are on the disk. */
  sync(): Trouble | undefined;
  /** Seconds since 1970. */
  setTime(mtime: number): Trouble | undefined;
  close(): void;
}

export interface EntryStat extends Stat {
  /** It is a link, and the rest is of what it leads to. Whoever goes down into folders leaves links to folders out. */
  readonly isLink: boolean;
}

/** The names in a folder, in the order of the disk, without "." and "..". */
export interface Listing {
  /** Undefined: there are no more. */
  next(): string | undefined;
  /** "absent" also for what is neither a file nor a folder, and for links that lead out. */
  stat(name: string): EntryStat | Trouble;
  /** The folder could not be read to its end. Known when there are no more names. */
  readonly hasFailed: boolean;
  close(): void;
}

export interface Folder {
  /** Opens a file to read. */
  open(path: Path): OpenFile | Trouble;
  stat(path: Path): Stat | Trouble;
  list(path: Path): Listing | Trouble;
  /** Makes a file that is not there yet, open to read and to write. */
  create(path: Path): OpenFile | Trouble;
  /** Opens a file that is there to read and to write. The last name is not followed as a link. */
  reopen(path: Path): OpenFile | Trouble;
  /** Takes the place of a file of that name; without `replaces` "exists" then. It is on the disk when this returns. */
  rename(from: Path, to: Path, replaces: boolean): Trouble | undefined;
  /** Removes a file, a link or an empty folder. */
  remove(path: Path): Trouble | undefined;
  makeFolder(path: Path): Trouble | undefined;
  /** Files may be made in this folder, as far as its rights go. */
  mayWrite(path: Path): boolean;
  /** Octets of open files that have lost their names: their room is free when they are closed. */
  namelessOctets(): number;
  /** Octets that can still be written on its disk. */
  room(): number;
  close(): void;
}

/** True for a trouble, which is a word; false for what was asked for. */
export function isTrouble(result: unknown): result is Trouble {
  return typeof result === "string";
}
