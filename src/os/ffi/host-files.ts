// Files on behalf of a session. What fails throws OsError.

import {
  accessSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  read as readLater,
  readdirSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import {
  asOsError,
  closeFd,
  EINVAL,
  errno,
  EAGAIN,
  EINTR,
  libc,
  Memory,
  O,
  openFd,
  OsError,
  osErrorOf,
  POLLOUT,
} from "./libc.ts";
import { PollSet } from "./poll-set.ts";
import { openToRead, readAll } from "./small-file.ts";

const FLAGS = {
  append: O.WRONLY | O.CREAT | O.APPEND,
  update: O.RDWR | O.CREAT | O.NONBLOCK | O.NOCTTY,
  device: O.RDWR,
} as const;

export function openFile(path: string, mode: keyof typeof FLAGS | "read", permissions = 0o644): number {
  return mode === "read" ? openToRead(path) : openFd(path, FLAGS[mode], permissions);
}

export function readFile(path: string): Uint8Array {
  const fd = openToRead(path);
  try {
    return readAll(fd, path);
  } finally {
    closeFd(fd);
  }
}

/** Reads a regular file from its start, made as long as `bytes` before. */
export function readResized(fd: number, path: string, bytes: Uint8Array): void {
  asOsError(() => {
    if (!fstatSync(fd).isFile()) throw new OsError("open", path, EINVAL);
    ftruncateSync(fd, bytes.length);
    readSync(fd, bytes, 0, bytes.length, 0);
  });
}

/** Writes at once, at the end or at `position`. */
export function writeFile(fd: number, bytes: Uint8Array, position?: number): void {
  asOsError(() => void writeSync(fd, bytes, 0, bytes.length, position ?? null));
}

/** Writes another file first and gives it this name then. */
export function replaceFile(path: string, bytes: Uint8Array, permissions: number): void {
  const unfinished = `${path}.${process.pid}`;
  asOsError(() => {
    rmSync(unfinished, { force: true });
    try {
      writeFileSync(unfinished, bytes, { mode: permissions, flag: "wx" });
      renameSync(unfinished, path);
    } catch (error) {
      removeIfPossible(unfinished);
      throw error;
    }
  });
}

/** Where nothing can be written, nothing can be removed either, and nothing was made. */
function removeIfPossible(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The caller reports why the file could not be made.
  }
}

/** With those above it, for this user only. Does nothing when it is there. */
export function makeFolder(path: string): void {
  asOsError(() => void mkdirSync(path, { recursive: true, mode: 0o700 }));
}

/** In one step, in place of what was there. */
export function moveFile(from: string, to: string): void {
  asOsError(() => renameSync(from, to));
}

/** 0: it is not there. */
export function fileSize(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Does nothing when it is not there. */
export function removeFile(path: string): void {
  asOsError(() => rmSync(path, { force: true }));
}

/** Octets from a descriptor that may be a pipe, once there are some; an empty array at its end. */
export function readSome(fd: number, most: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(most);
  return new Promise((resolve, reject) => {
    readLater(fd, bytes, 0, most, null, (error, count) =>
      error ? reject(osErrorOf(error)) : resolve(bytes.subarray(0, count)),
    );
  });
}

/** Writes all of it and waits for room. What fails is lost. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  const memory = new Memory(Math.max(bytes.length, 1));
  memory.bytes.set(bytes);
  for (let at = 0; at < bytes.length;) {
    const count = libc.write(fd, memory.at(at), bytes.length - at);
    const error = count < 0 ? errno() : 0;
    if (count >= 0) at += count;
    else if (error === EAGAIN) new PollSet([fd], POLLOUT).wait(Infinity);
    else if (error !== EINTR) return;
  }
}

export function listFolder(path: string): string[] {
  return asOsError(() => readdirSync(path));
}

export function realPath(path: string): string {
  return asOsError(() => realpathSync(path));
}

export function isSymbolicLink(path: string): boolean {
  return attempt(() => lstatSync(path).isSymbolicLink());
}

export function isRegularFile(path: string): boolean {
  return attempt(() => lstatSync(path).isFile());
}

export function isCharacterDevice(path: string): boolean {
  return attempt(() => statSync(path).isCharacterDevice());
}

export function isExecutable(path: string): boolean {
  return attempt(() => (accessSync(path, constants.X_OK), true));
}

export function isReadWritable(path: string): boolean {
  return attempt(() => (accessSync(path, constants.R_OK | constants.W_OK), true));
}

/** True for a pipe or a socket. */
export function isPipe(fd: number): boolean {
  return attempt(() => {
    const stat = fstatSync(fd);
    return stat.isFIFO() || stat.isSocket();
  });
}

function attempt(ask: () => boolean): boolean {
  try {
    return ask();
  } catch {
    return false;
  }
}
