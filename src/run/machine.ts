// Everything a session needs of the host, as interfaces. `applets/this-machine.ts` makes the real one out of os/; a test can
// make another. Nothing else in run/ knows the host.

import type { Files } from "./host/files.ts";
import type { Network } from "./host/network.ts";
import type { Processes } from "./host/processes.ts";
import type { Serial } from "./host/serial.ts";
import type { Syslog } from "./host/syslog.ts";
import type { Tls } from "./host/tls.ts";
import type { Users } from "./host/users.ts";

export interface Machine {
  readonly clock: Clock;
  readonly descriptors: Descriptors;
  readonly random: Random;
  readonly files: Files;
  readonly network: Network;
  readonly processes: Processes;
  readonly serial: Serial;
  readonly syslog: Syslog;
  readonly tls: Tls;
  readonly users: Users;
}

// ── time and chance ──────────────────────────────────────────────────────────────────────────────────────────────────

export interface Clock {
  /** Milliseconds since some moment. Never runs backwards. */
  now(): number;
  /** Milliseconds since 1970. It jumps when the clock is set. */
  wall(): number;
  /** "Nov  2 16:18:16": a moment of the wall clock in local time, as syslog has it. */
  text(wallMs: number): string;
  /** Calls once after `ms`, at most 24 days. Returns what cancels the call. The program does not end before it, unless told. */
  after(ms: number, call: () => void, keepsRunning?: boolean): () => void;
  /** Calls every `ms`. Returns what ends that. */
  every(ms: number, call: () => void): () => void;
  /** Resolves when everything else that is ready has had its turn: signals, children, timers, sockets. */
  turn(): Promise<void>;
}

/** Resolves after `ms`. */
export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve));
}

export interface Random {
  /** 32 unpredictable bits. */
  u32(): number;
}

// ── file descriptors ─────────────────────────────────────────────────────────────────────────────────────────────────

/** A block of memory that descriptors read into and write from. Only the Machine that made it knows its address. */
export interface Memory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** Descriptors and what is wanted of each, for poll(2). A descriptor below 0 is passed over. */
export interface PollSet {
  setFd(index: number, fd: number): void;
  /** Bits of {@link Poll}. At first each is asked for IN. */
  want(index: number, events: number): void;
  /** The bits that came true. None after a poll that found nothing. */
  got(index: number): number;
}

export const Poll = { IN: 1, OUT: 4, ERR: 8, HUP: 16 } as const;

export interface Descriptors {
  memory(size: number): Memory;
  /** `replaced` is a set that this one takes the place of. A poll that waits with it ends. */
  pollSet(fds: readonly number[], replaced?: PollSet): PollSet;
  /**
   * The number of descriptors that are ready, 0 when the time is over (Infinity: no limit), below 0 when a signal came. The
   * real machine waits and returns a number; a simulated one returns a promise.
   */
  poll(set: PollSet, timeoutMs: number): number | Promise<number>;
  /** The descriptor takes a write now. */
  takesWrite(fd: number): boolean;
  /** Octets read to `at`; 0: the end; below 0: minus the error number. */
  read(fd: number, into: Memory, at: number, length: number): number;
  /** Octets written from `at`; below 0: minus the error number. */
  write(fd: number, from: Memory, at: number, length: number): number;
  /** Writes all of it and waits for room. What fails is lost. */
  writeAll(fd: number, bytes: Uint8Array): void;
  close(fd: number): void;
  /** A new descriptor that gives what is written to it, each write by itself; below 0: there is none. */
  loopback?(): number;
  /** Descriptors of the runtime. One is readable when a signal, a child, a timer or a socket waits for `Clock.turn`. */
  runtimeEvents(): number[];
  /** strerror(3)'s text, which is what pppd prints. */
  errorText(number: number): string;
}

// ── errors ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Error numbers of Linux. */
export const Errno = { EINTR: 4, EIO: 5, EAGAIN: 11, EBUSY: 16, EINVAL: 22 } as const;

/** Something that the host refused: which call, on what, and why. */
export interface HostError extends Error {
  readonly call: string;
  readonly path: string;
  readonly errno: number;
  /** "ENOENT" and so on. */
  readonly code: string;
  /** strerror(3)'s text. */
  readonly reason: string;
}

export function isHostError(error: unknown): error is HostError {
  return error instanceof Error && "call" in error && "errno" in error && "reason" in error;
}

/** True for a host error with one of these codes ("ENOENT"). */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return isHostError(error) && codes.includes(error.code);
}

/** Why: strerror's text where the host refused something. */
export function reasonOf(error: unknown): string {
  return isHostError(error) ? error.reason : String(error);
}
