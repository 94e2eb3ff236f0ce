// A line that is no tty: standard input and output, whatever they are, or a TCP connection.

import { check, closeFd, libc, O, setNonblocking } from "../ffi/libc.ts";
import type { Tty } from "./tty.ts";

/** What a link can run on. */
export type Device = Tty | Stream;

const F_GETFL = 3;

export class Stream {
  /** To read from. */
  readonly fd: number;
  /** To write to; may be the same. */
  readonly writeFd: number;
  /** For the log: "10.0.0.1:5000". */
  readonly path: string;
  /** Means nothing, but scripts are told one. */
  readonly speed: number;
  /** A pipe never says; a TCP connection counts what its peer has not acknowledged, which may be what the path holds. */
  readonly countsOutput = false;
  readonly #ours: boolean;
  readonly #foundBlocking: readonly number[];
  #open = true;

  /** `ours`: closed at the end. If not, it is left open, and as it was. Throws OsError. */
  constructor(fd: number, writeFd: number, path: string, speed: number, ours: boolean) {
    this.fd = fd;
    this.writeFd = writeFd;
    this.path = path;
    this.speed = speed;
    this.#ours = ours;
    // All are asked before one is changed: they may be the same file.
    this.#foundBlocking = [...new Set([fd, writeFd])].filter(isBlocking);
    this.configure();
  }

  /** Non-blocking, again: a script may have changed that. */
  configure(): void {
    setNonblocking(this.fd, true);
    if (this.writeFd !== this.fd) setNonblocking(this.writeFd, true);
  }

  /** Nobody else can open it. */
  setExclusive(): void {}

  /** What was written goes out without us. */
  async drain(): Promise<boolean> {
    return true;
  }

  /** The second call does nothing. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.#ours) closeFd(this.fd);
    else for (const fd of this.#foundBlocking) setNonblocking(fd, false);
  }
}

function isBlocking(fd: number): boolean {
  return (check(libc.fcntl(fd, F_GETFL, 0), "fcntl") & O.NONBLOCK) === 0;
}
