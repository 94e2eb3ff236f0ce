// Files, as a session uses them. Every function throws a HostError unless it says otherwise.

/** "read" does not wait for the other end of a FIFO. "append" and "update" (read and write) make the file. "device": both ways, nothing made. */
export type OpenMode = "read" | "append" | "update" | "device";

export interface Files {
  /** Returns a descriptor. `permissions` are those of a new file. */
  open(path: string, mode: OpenMode, permissions?: number): number;
  /** The same for a path that any user may name: with the rights of the user who started us. */
  openForCaller(path: string, mode: OpenMode, permissions?: number): number;
  /** All of a small file, or of a pipe that is written to. Closes nothing. */
  readAll(fd: number): Uint8Array;
  /** The same of a path. */
  read(path: string): Uint8Array;
  /** At most so much from the start of a regular file; any other kind of file is an error. */
  readHead(path: string, most: number): Uint8Array;
  /** Reads from the start of a regular file that is at least `length` long; a shorter one is made so long, a longer one cut. */
  readResized(fd: number, path: string, bytes: Uint8Array): void;
  /** Writes at once, at the end or at `position`. */
  write(fd: number, bytes: Uint8Array, position?: number): void;
  /** Makes a file in one step: readers find the old one or the new one. Nothing of it is left when that fails. */
  replace(path: string, bytes: Uint8Array, permissions: number): void;
  /** With those above it, for this user only. Does nothing when it is there. */
  makeFolder(path: string): void;
  /** In one step, in place of what was there. */
  move(from: string, to: string): void;
  /** Octets of a file; 0: it is not there. Never throws. */
  size(path: string): number;
  /** Does nothing when it is not there. */
  remove(path: string): void;
  /** Octets from a descriptor that may be a pipe, once there are some; an empty array at its end. */
  readSome(fd: number, most: number): Promise<Uint8Array>;
  /** The names in a folder. */
  list(path: string): string[];
  /** The path without symbolic links in it. */
  realPath(path: string): string;
  /** The next five never throw: false when there is nothing there. */
  isSymbolicLink(path: string): boolean;
  /** False for a symbolic link to one. */
  isRegularFile(path: string): boolean;
  isCharacterDevice(path: string): boolean;
  isExecutable(path: string): boolean;
  isReadWritable(path: string): boolean;
  /** True for a pipe or a socket. */
  isPipe(fd: number): boolean;
}
