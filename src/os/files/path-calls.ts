// System calls on names relative to an open folder, by number: the C library of an old system does not have all of them.
// Names are byte strings. What fails returns minus the error number.

import { constants } from "node:os";
import { bytesOf } from "../../bytes/text.ts";
import { errno, libc, Memory, O } from "../ffi/libc.ts";
import { terminated } from "../ffi/library.ts";

const IS_ARM = process.arch === "arm64";

const CALL = IS_ARM
  ? { openat: 56, mkdirat: 34, unlinkat: 35, renameat2: 276, statx: 291, getdents64: 61, openat2: 437, faccessat: 48 }
  : {
      openat: 257,
      mkdirat: 258,
      unlinkat: 263,
      renameat2: 316,
      statx: 332,
      getdents64: 217,
      openat2: 437,
      faccessat: 269,
    };

export const OPEN = {
  ...O,
  DIRECTORY: IS_ARM ? 0o40000 : 0o200000,
  /** A descriptor that stands for the file and opens nothing. */
  PATH: 0o10000000,
} as const;

/** man 2 openat2. */
const RESOLVE = { NO_MAGICLINKS: 2, BENEATH: 8 } as const;
const AT = { SYMLINK_NOFOLLOW: 0x100, REMOVEDIR: 0x200, EMPTY_PATH: 0x1000 } as const;
const RENAME_NOREPLACE = 1;
const STATX_BASIC = 0x7ff;
/** struct statx. */
const STATX = {
  size: 256,
  links: 16,
  mode: 28,
  inode: 32,
  length: 40,
  ctime: 96,
  mtime: 112,
  major: 136,
  minor: 140,
} as const;
const S_IFMT = 0o170000;

const { EAGAIN, EINTR, EISDIR, ENOSYS, EPERM } = constants.errno;
/** How often openat2 is tried when something on the way is being renamed (EAGAIN). */
const TRIES = 64;

function named(name: string): Memory {
  return terminated(bytesOf(name));
}

function call(number: number, ...args: readonly [number, number, number, number, number]): number {
  for (;;) {
    const result = libc.syscall(number, ...args);
    if (result >= 0) return result;
    const error = errno();
    if (error !== EINTR) return -error;
  }
}

/** `name` is one name. */
export function openAt(folder: number, name: string, flags: number, mode = 0): number {
  return call(CALL.openat, folder, named(name).address, flags | OPEN.CLOEXEC, mode, 0);
}

const how = new Memory(24);

/** Opens a path that does not leave the folder, over links that do not either. */
export function openBeneath(folder: number, path: string, flags: number, mode = 0): number {
  how.view.setBigUint64(0, BigInt(flags | OPEN.CLOEXEC), true);
  how.view.setBigUint64(8, BigInt(mode), true);
  how.view.setBigUint64(16, BigInt(RESOLVE.BENEATH | RESOLVE.NO_MAGICLINKS), true);
  const name = named(path);
  for (let tries = 0; ; tries++) {
    const result = call(CALL.openat2, folder, name.address, how.address, how.bytes.length, 0);
    if (result !== -EAGAIN || tries === TRIES) return result;
  }
}

/** The kernel has openat2 (5.6), and no filter of a container forbids it. */
export function hasOpenBeneath(folder: number): boolean {
  const fd = openBeneath(folder, ".", OPEN.PATH | OPEN.DIRECTORY);
  if (fd >= 0) libc.close(fd);
  return fd !== -ENOSYS && fd !== -EPERM;
}

const ACCESS = { read: 4 | 1, write: 2 | 1 } as const;

/** Whether this process may list an open folder and reach what is in it, or change it. Below 0: minus the error number. */
export function accessTo(folder: number, wanted: keyof typeof ACCESS): number {
  return call(CALL.faccessat, folder, named(".").address, ACCESS[wanted], 0, 0);
}

export function makeFolderAt(folder: number, name: string): number {
  return call(CALL.mkdirat, folder, named(name).address, 0o777, 0, 0);
}

/** A file, a link or an empty folder. */
export function removeAt(folder: number, name: string): number {
  const memory = named(name);
  const result = call(CALL.unlinkat, folder, memory.address, 0, 0, 0);
  return result === -EISDIR ? call(CALL.unlinkat, folder, memory.address, AT.REMOVEDIR, 0, 0) : result;
}

export function renameAt(fromFolder: number, from: string, toFolder: number, to: string, replaces: boolean): number {
  const [one, other] = [named(from), named(to)];
  return call(CALL.renameat2, fromFolder, one.address, toFolder, other.address, replaces ? 0 : RENAME_NOREPLACE);
}

const entries = new Memory(32768);

/** The next names of an open folder. Empty: there are no more. Below 0: minus the error number. */
export function namesIn(fd: number): string[] | number {
  const length = call(CALL.getdents64, fd, entries.address, entries.bytes.length, 0, 0);
  if (length < 0) return length;
  const names: string[] = [];
  for (let at = 0; at < length; at += entries.view.getUint16(at + 16, true)) {
    const name = nameAt(at + 19);
    if (name !== "." && name !== "..") names.push(name);
  }
  // A folder may hold more than "." and ".." although this part of it did not.
  return names.length === 0 && length > 0 ? namesIn(fd) : names;
}

function nameAt(start: number): string {
  let name = "";
  for (let at = start; entries.bytes[at] !== 0; at++) name += String.fromCharCode(entries.bytes[at]!);
  return name;
}

/** What statx tells of a file. */
export interface FileFacts {
  readonly kind: "file" | "folder" | "link" | "other";
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  readonly version: string;
  /** How many names it has. */
  readonly links: number;
}

const KINDS = new Map<number, FileFacts["kind"]>([
  [0o100000, "file"],
  [0o040000, "folder"],
  [0o120000, "link"],
]);

const status = new Memory(STATX.size);

/** Of a name in a folder, a link as such; or of the open file itself, with the name "". Below 0: minus the error number. */
export function factsAt(fd: number, name: string): FileFacts | number {
  const flags = AT.SYMLINK_NOFOLLOW | (name === "" ? AT.EMPTY_PATH : 0);
  const result = call(CALL.statx, fd, named(name).address, flags, STATX_BASIC, status.address);
  return result < 0 ? result : new Facts(status.view);
}

class Facts implements FileFacts {
  readonly kind: FileFacts["kind"];
  readonly size: number;
  readonly mtime: number;
  readonly links: number;
  readonly #device: number;
  readonly #inode: bigint;
  readonly #mtimeNs: number;
  readonly #ctime: number;
  readonly #ctimeNs: number;

  constructor(view: DataView) {
    this.kind = KINDS.get(view.getUint16(STATX.mode, true) & S_IFMT) ?? "other";
    this.size = Number(view.getBigUint64(STATX.length, true));
    this.mtime = Number(view.getBigInt64(STATX.mtime, true));
    this.links = view.getUint32(STATX.links, true);
    this.#device = view.getUint32(STATX.major, true) * 2 ** 20 + view.getUint32(STATX.minor, true);
    this.#inode = view.getBigUint64(STATX.inode, true);
    this.#mtimeNs = view.getUint32(STATX.mtime + 8, true);
    this.#ctime = Number(view.getBigInt64(STATX.ctime, true));
    this.#ctimeNs = view.getUint32(STATX.ctime + 8, true);
  }

  get version(): string {
    const { size, mtime } = this;
    const numbers = [this.#device, this.#inode, size, mtime, this.#mtimeNs, this.#ctime, this.#ctimeNs];
    return numbers.map((number) => number.toString(36)).join("-");
  }
}
