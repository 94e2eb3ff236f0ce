// What a simulated host refuses.

import type { HostError } from "../../src/run/machine.ts";

const CODES = {
  ENOENT: [2, "No such file or directory"],
  EIO: [5, "Input/output error"],
  ENXIO: [6, "No such device or address"],
  EBADF: [9, "Bad file descriptor"],
  EAGAIN: [11, "Resource temporarily unavailable"],
  EACCES: [13, "Permission denied"],
  EBUSY: [16, "Device or resource busy"],
  EEXIST: [17, "File exists"],
  ENODEV: [19, "No such device"],
  EINVAL: [22, "Invalid argument"],
  EMFILE: [24, "Too many open files"],
  ENOTTY: [25, "Inappropriate ioctl for device"],
  ENOSPC: [28, "No space left on device"],
  EBADFD: [77, "File descriptor in bad state"],
  EADDRINUSE: [98, "Address already in use"],
  ENETDOWN: [100, "Network is down"],
  ECONNREFUSED: [111, "Connection refused"],
} as const;
export type Code = keyof typeof CODES;

export function errnoOf(code: Code): number {
  return CODES[code][0];
}

export function textOfErrno(errno: number): string {
  return Object.values(CODES).find(([number]) => number === errno)?.[1] ?? `Unknown error ${errno}`;
}

export class SimulatedError extends Error implements HostError {
  readonly call: string;
  readonly path: string;
  readonly code: Code;
  readonly errno: number;
  readonly reason: string;

  constructor(call: string, path: string, code: Code) {
    super(`${call} ${path}: ${CODES[code][1]}`);
    this.call = call;
    this.path = path;
    this.code = code;
    [this.errno, this.reason] = CODES[code];
  }
}

/** The line is another program's. The message is pppd's. */
export class SimulatedLockError extends Error {
  readonly holder: number | undefined;
  readonly denied: string | undefined;

  constructor(message: string, holder?: number, denied?: string) {
    super(message);
    this.denied = denied;
    this.name = "LockError";
    this.holder = holder;
  }
}
