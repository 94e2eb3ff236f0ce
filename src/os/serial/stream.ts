// A line that is not a tty: standard input and output of any kind, or a TCP connection.

import { check, closeFd, libc, O, setNonblocking } from "../ffi/libc.ts";

const F_GETFL = 3;

export class Stream {
  /** The descriptor to read from. */
  readonly fd: number;
  /** The descriptor to write to; it may be the same one. */
  readonly writeFd: number;
  /** The name in the log, such as "10.0.0.1:5000". */
  readonly path: string;
  /** Has no meaning here, but scripts are given a speed. */
  readonly speed: number;
  /** False: a pipe never reports its queue, and TCP counts data that is sent but not acknowledged. */
  readonly countsOutput = false;
  readonly #ours: boolean;
  readonly #foundBlocking: readonly number[];
  #open = true;

  /** `ours`: close() closes the descriptors. Otherwise it leaves them open, in the mode they had. Throws OsError. */
  constructor(fd: number, writeFd: number, path: string, speed: number, ours: boolean) {
    this.fd = fd;
    this.writeFd = writeFd;
    this.path = path;
    this.speed = speed;
    this.#ours = ours;
    // Read all modes before changing one: the descriptors may share one open file.
    this.#foundBlocking = [...new Set([fd, writeFd])].filter(isBlocking);
    this.configure();
  }

  /** Makes the descriptors non-blocking again: a script may have changed them. */
  configure(): void {
    setNonblocking(this.fd, true);
    if (this.writeFd !== this.fd) setNonblocking(this.writeFd, true);
  }

  /** Does nothing: no other process can open a stream. */
  setExclusive(): void {}

  /** Does nothing: the kernel sends written data on its own. */
  async drain(): Promise<boolean> {
    return true;
  }

  /** Closes or restores the descriptors. A second call does nothing. */
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
