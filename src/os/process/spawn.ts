// Starts programs by posix_spawn(3). Bun.spawn takes arguments and variables as UTF-8 only and changes all other
// octets, but a peer's name may hold any octets.
//
// Bun does not know these children. We reap them at SIGCHLD, and every second in case a signal was lost.

import { check, closeFd, cstring, libc, Memory, O, openFd, OsError } from "../ffi/libc.ts";
import { restoreOomScoreOf } from "./oom.ts";
import { namesIn } from "./sysfs.ts";

export interface SpawnOptions {
  /**
   * The arguments, starting with the program's own name. An argument ends at a NUL. `decoded` tells how other octets
   * are kept.
   */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The child's descriptors 0, 1 and so on; undefined is /dev/null. It gets no others. */
  readonly stdio: readonly (number | undefined)[];
  /** Runs it in a session of its own. Left out: in ours. */
  readonly ownSession?: boolean;
  /** Its working directory. Left out: ours. */
  readonly directory?: string;
  readonly umask?: number;
  /** With the rights of the user who started us. A set-user-id program has others. */
  readonly asCaller?: boolean;
}

export interface Ending {
  /** The number pppd prints as `status = 0x…`: exit code in the second byte, signal in the first (wait(2)). */
  readonly status: number;
  readonly exitCode: number;
  /** The signal that ended it; 0 when it exited. */
  readonly signal: number;
}

export interface Spawned {
  readonly pid: number;
  /** Undefined until the end of the process has been noticed. Until then its pid is not reused. */
  ending: Ending | undefined;
  readonly ended: Promise<Ending>;
}

/** Starts a program with no signal blocked or ignored. Throws OsError. */
export function spawn(path: string, options: SpawnOptions): Spawned {
  const { stdio, directory, umask } = options;
  const opened: number[] = [];
  watch();
  try {
    for (const fd of stdio) opened.push(copyAbove(fd, stdio.length));
    closeOnExec(stdio.length);
    const call = (): number => posixSpawn(path, options, opened);
    const child = follow(within(directory, () => masked(umask, call)));
    restoreOomScoreOf(child.pid);
    return child;
  } finally {
    if (running.size === 0) unwatch();
    for (const fd of opened) closeFd(fd);
  }
}

/** Returns the child's process id. */
function posixSpawn(
  path: string,
  { argv, env, ownSession = false, asCaller = false }: SpawnOptions,
  fds: readonly number[],
): number {
  const program = cstring(path);
  const words = new Vector(argv);
  const variables = new Vector(Object.entries(env).map(([name, value]) => `${name}=${value}`));
  const pid = new Memory(4);
  const attributes = attributesOf(ownSession, asCaller);
  const actions = new Memory(STRUCT_SIZE);
  libc.posix_spawn_file_actions_init(actions.address);
  for (const [at, fd] of fds.entries()) libc.posix_spawn_file_actions_adddup2(actions.address, fd, at);
  const error = libc.posix_spawn(
    pid.address,
    program.address,
    actions.address,
    attributes.address,
    words.address,
    variables.address,
  );
  libc.posix_spawn_file_actions_destroy(actions.address);
  if (error !== 0) throw new OsError("execve", path, error);
  return pid.view.getInt32(0, true);
}

// ── the child's arguments and descriptors
// ────────────────────────────────────────────────────────────────────────────────

/** A NULL-terminated char *[]. */
export class Vector {
  readonly #texts: readonly Memory[];
  readonly #pointers: Memory;

  constructor(texts: readonly string[]) {
    this.#texts = texts.map(cstring);
    this.#pointers = new Memory(8 * (texts.length + 1));
    for (const [at, { address }] of this.#texts.entries())
      this.#pointers.view.setBigUint64(8 * at, BigInt(address), true);
  }

  get address(): Memory["address"] {
    return this.#pointers.address;
  }
}

const F_DUPFD_CLOEXEC = 1030;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const SYS_CLOSE_RANGE = 436;
const CLOSE_RANGE_CLOEXEC = 4;
const LAST_FD = 0x7fffffff;

/** A copy of a descriptor whose number is above those that the child gets. */
function copyAbove(fd: number | undefined, count: number): number {
  const copy = fd === undefined ? -1 : libc.fcntl(fd, F_DUPFD_CLOEXEC, count);
  if (copy >= 0) return copy;
  // The program that started us may have closed this descriptor.
  const none = openFd("/dev/null", O.RDWR);
  try {
    return check(libc.fcntl(none, F_DUPFD_CLOEXEC, count), "fcntl");
  } finally {
    closeFd(none);
  }
}

/** Keeps the child from inheriting our descriptors, from this number on. */
export function closeOnExec(first: number): void {
  // Linux 5.11 and later have a call for this.
  if (libc.syscall(SYS_CLOSE_RANGE, first, LAST_FD, CLOSE_RANGE_CLOEXEC, 0, 0) === 0) return;
  for (const name of namesIn("/proc/self/fd")) if (Number(name) >= first) libc.fcntl(Number(name), F_SETFD, FD_CLOEXEC);
}

/** At least the size of these structures in glibc and musl. */
const STRUCT_SIZE = 512;
const SIGSET_SIZE = 128;
const POSIX_SPAWN_RESETIDS = 0x01;
const POSIX_SPAWN_SETSIGDEF = 0x04;
const POSIX_SPAWN_SETSIGMASK = 0x08;
const POSIX_SPAWN_SETSID = 0x80;

function attributesOf(ownSession: boolean, asCaller: boolean): Memory {
  const attributes = new Memory(STRUCT_SIZE);
  libc.posix_spawnattr_init(attributes.address);
  const options = (ownSession ? POSIX_SPAWN_SETSID : 0) | (asCaller ? POSIX_SPAWN_RESETIDS : 0);
  const flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | options;
  libc.posix_spawnattr_setflags(attributes.address, flags);
  const signals = new Memory(SIGSET_SIZE);
  libc.posix_spawnattr_setsigmask(attributes.address, signals.address);
  // Set all bits: sigfillset(3) omits two signals of the C library, and the child would ignore them.
  signals.bytes.fill(0xff);
  libc.posix_spawnattr_setsigdefault(attributes.address, signals.address);
  return attributes;
}

const O_PATH = 0o10000000;

/** Runs `act` in another working directory. A child inherits it. */
function within<T>(directory: string | undefined, act: () => T): T {
  if (directory === undefined) return act();
  const before = openFd(".", O_PATH);
  try {
    check(libc.chdir(cstring(directory).address), "chdir", directory);
    return act();
  } finally {
    libc.fchdir(before);
    closeFd(before);
  }
}

function masked<T>(umask: number | undefined, act: () => T): T {
  if (umask === undefined) return act();
  const before = libc.umask(umask);
  try {
    return act();
  } finally {
    libc.umask(before);
  }
}

// ── the child's end
// ──────────────────────────────────────────────────────────────────────────────────────────────────────

const running = new Map<number, (status: number) => void>();
/** Keeps the event loop going while a child runs. */
let timer: Timer | undefined;
const LOST_SIGNAL_MS = 1000;
const WNOHANG = 1;
const EXITED = 0x7f;

function watch(): void {
  if (timer !== undefined) return;
  timer = setInterval(reap, LOST_SIGNAL_MS);
  process.on("SIGCHLD", reap);
}

function unwatch(): void {
  clearInterval(timer);
  timer = undefined;
  process.off("SIGCHLD", reap);
}

function reap(): void {
  const status = new Memory(4);
  for (const [pid, ended] of running) {
    if (libc.waitpid(pid, status.address, WNOHANG) === 0) continue;
    running.delete(pid);
    ended(status.view.getInt32(0, true));
  }
  if (running.size === 0) unwatch();
}

function follow(pid: number): Spawned {
  const { promise, resolve } = Promise.withResolvers<Ending>();
  const child: Spawned = { pid, ending: undefined, ended: promise };
  running.set(pid, (status) => {
    const signal = status & EXITED;
    child.ending = signal === 0 ? { status, exitCode: status >> 8, signal } : { status: signal, exitCode: 0, signal };
    resolve(child.ending);
  });
  return child;
}

/** The exit code as a shell reports it: 128 plus the signal when a signal ended the process. */
export function shellCode({ exitCode, signal }: Ending): number {
  return signal === 0 ? exitCode : 128 + signal;
}
