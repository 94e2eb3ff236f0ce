// The C library by ffi: file descriptors, poll, ioctl, sockets, errno. Everything else in os/ stands on this file.
//
// `ptr(view)` goes stale once `.buffer` of a small typed array was touched. So `Memory` makes every block of memory
// whose address is passed on: first the ArrayBuffer, then the views, then the address, once.

import { dlopen, ptr, read, type Pointer } from "bun:ffi";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { bytesOf, encoded } from "../../bytes/text.ts";

const NAMES = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1", "libc.so"];

const SYMBOLS = {
  open: { args: ["ptr", "i32", "i32"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
  read: { args: ["i32", "ptr", "u64"], returns: "i32" },
  write: { args: ["i32", "ptr", "u64"], returns: "i32" },
  poll: { args: ["ptr", "u64", "i32"], returns: "i32" },
  ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" },
  fcntl: { args: ["i32", "i32", "i64"], returns: "i32" },
  flock: { args: ["i32", "i32"], returns: "i32" },
  dup2: { args: ["i32", "i32"], returns: "i32" },
  pipe2: { args: ["ptr", "i32"], returns: "i32" },
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
  getsockname: { args: ["i32", "ptr", "ptr"], returns: "i32" },
  send: { args: ["i32", "ptr", "u64", "i32"], returns: "i32" },
  recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i32" },
  madvise: { args: ["ptr", "u64", "i32"], returns: "i32" },
  isatty: { args: ["i32"], returns: "i32" },
  setsid: { args: [], returns: "i32" },
  umask: { args: ["u32"], returns: "u32" },
  getuid: { args: [], returns: "u32" },
  geteuid: { args: [], returns: "u32" },
  getauxval: { args: ["u64"], returns: "i32" },
  kill: { args: ["i32", "i32"], returns: "i32" },
  prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
  chdir: { args: ["ptr"], returns: "i32" },
  fchdir: { args: ["i32"], returns: "i32" },
  waitpid: { args: ["i32", "ptr", "i32"], returns: "i32" },
  posix_spawn: { args: ["ptr", "ptr", "ptr", "ptr", "ptr", "ptr"], returns: "i32" },
  posix_spawn_file_actions_init: { args: ["ptr"], returns: "i32" },
  posix_spawn_file_actions_adddup2: { args: ["ptr", "i32", "i32"], returns: "i32" },
  posix_spawn_file_actions_destroy: { args: ["ptr"], returns: "i32" },
  posix_spawnattr_init: { args: ["ptr"], returns: "i32" },
  posix_spawnattr_setflags: { args: ["ptr", "i32"], returns: "i32" },
  posix_spawnattr_setsigmask: { args: ["ptr", "ptr"], returns: "i32" },
  posix_spawnattr_setsigdefault: { args: ["ptr", "ptr"], returns: "i32" },
  localtime_r: { args: ["ptr", "ptr"], returns: "ptr" },
  strerror: { args: ["i32"], returns: "cstring" },
  __errno_location: { args: [], returns: "ptr" },
  // A count or an fd fits 32 bits, so no call here returns a 64-bit integer (Bun would make a BigInt of it).
  syscall: { args: ["i64", "i64", "i64", "i64", "i64", "i64"], returns: "i32" },
} as const;

/** Kilobytes of address space that Bun's machine code and the C library take. A smaller limit (ulimit -v) stops us. */
const LEAST_ADDRESS_SPACE = 3_000_000;

/** Prints an error and exits. It runs before anything else, so nothing could catch an exception. */
function refuse(error: unknown): never {
  const limits = readFileSync("/proc/self/limits", "latin1");
  const limit = Math.floor(Number(/^Max address space +(\d+)/m.exec(limits)?.[1]) / 1024);
  const reason = error instanceof Error ? error.message : String(error);
  process.stderr.write(
    limit < LEAST_ADDRESS_SPACE
      ? `too little memory: the limit of address space (ulimit -v) is ${limit} KB, and ${LEAST_ADDRESS_SPACE} are needed\n`
      : `cannot use the C library: ${reason}\n`,
  );
  process.exit(1);
}

function openLibc() {
  let last: unknown;
  for (const name of NAMES) {
    try {
      return dlopen(name, SYMBOLS);
    } catch (error) {
      last = error;
    }
  }
  return refuse(last);
}

const loaded = openLibc();

/** The raw functions, as in C: -1 (and {@link errno}) on failure. */
export const libc = loaded.symbols;

const errnoAt = libc.__errno_location() as Pointer;

/** errno of this thread. Read it right after the call, before anything that may allocate. */
export function errno(): number {
  return read.i32(errnoAt, 0);
}

export const { EAGAIN, EINTR, EIO, ENOENT, EACCES, EPERM, EEXIST, EBUSY, ESRCH, ENODEV, ENXIO, ENOTTY, EINVAL } =
  constants.errno;

const CODES = new Map(Object.entries(constants.errno).map(([code, number]) => [number, code]));

/** strerror(3)'s text in the C locale, from the C library itself, so that it is letter for letter what pppd prints. */
export function strerror(number: number): string {
  return String(libc.strerror(number));
}

/** A system call that failed: the call, its subject and the errno. */
export class OsError extends Error {
  readonly call: string;
  readonly path: string;
  readonly errno: number;
  /** The name of the errno, such as "ENOENT". */
  readonly code: string;

  constructor(call: string, path = "", number = errno()) {
    super(`${call}${path === "" ? "" : ` ${path}`}: ${strerror(number)}`);
    this.name = "OsError";
    this.call = call;
    this.path = path;
    this.errno = number;
    this.code = CODES.get(number) ?? `errno ${number}`;
  }

  /** strerror's text. */
  get reason(): string {
    return strerror(this.errno);
  }
}

/** Acts, and throws what node:fs throws as an OsError. */
export function asOsError<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw osErrorOf(error);
  }
}

/** An error of node:fs as an OsError; any other as it is. */
export function osErrorOf(error: unknown): unknown {
  if (error instanceof OsError || !(error instanceof Error) || !("errno" in error)) return error;
  const { syscall = "", path = "" } = error as { syscall?: string; path?: string };
  return new OsError(syscall, path, Math.abs(Number(error.errno)));
}

/** True when an error has one of these codes ("ENOENT"). Takes an OsError or an error of node:fs. */
export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

/** strerror's text for an OsError or an error of node:fs. */
export function reasonOf(error: unknown): string {
  return error instanceof Error && "errno" in error ? strerror(Math.abs(Number(error.errno))) : String(error);
}

/** Passes a result on, or throws when it is -1. */
export function check(result: number, call: string, path = ""): number {
  if (result < 0) throw new OsError(call, path);
  return result;
}

/** A block of memory with a fixed address, and views of it made before the address was taken. */
export class Memory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly address: Pointer;

  constructor(size: number) {
    const buffer = new ArrayBuffer(size);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.address = ptr(this.bytes);
  }

  /** The address `offset` bytes in. */
  at(offset: number): Pointer {
    return (this.address + offset) as Pointer;
  }
}

/** A NUL-terminated copy of a path or name, its bytes kept alive by the caller's reference. */
export function cstring(text: string): Memory {
  const bytes = bytesOf(encoded(text));
  const memory = new Memory(bytes.length + 1);
  memory.bytes.set(bytes);
  return memory;
}

export const O = {
  RDONLY: 0,
  WRONLY: 1,
  RDWR: 2,
  CREAT: 0o100,
  EXCL: 0o200,
  NOCTTY: 0o400,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  CLOEXEC: 0o2000000,
  NOFOLLOW: process.arch === "arm64" ? 0o100000 : 0o400000,
} as const;

export const POLLIN = 1;
export const POLLOUT = 4;
export const POLLHUP = 16;

/** open(2). Throws OsError. */
export function openFd(path: string, flags: number, mode = 0): number {
  const name = cstring(path);
  return check(libc.open(name.address, flags | O.CLOEXEC, mode), "open", path);
}

export function closeFd(fd: number): void {
  libc.close(fd);
}

const F_GETFL = 3;
const F_SETFL = 4;

export function setNonblocking(fd: number, on: boolean): void {
  const flags = check(libc.fcntl(fd, F_GETFL, 0), "fcntl");
  check(libc.fcntl(fd, F_SETFL, on ? flags | O.NONBLOCK : flags & ~O.NONBLOCK), "fcntl");
}
