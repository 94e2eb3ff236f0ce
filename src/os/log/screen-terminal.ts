// The terminal of a program that keeps a screen up to date. Writing never waits, so that a terminal which is stopped, or is a slow
// line, holds up neither keys nor signals.

import { closeFd, EAGAIN, EINTR, errno, libc, Memory, O, openFd, OsError } from "../ffi/libc.ts";
import { outputQueued } from "../serial/modem-lines.ts";

const STDIN = 0;
const STDOUT = 1;
const TIOCGWINSZ = 0x5413;
/** A serial console does not know its size. */
const USUAL = { columns: 80, rows: 24 };
/** Where the terminal is opened again: what is set for a descriptor of ours alone is not set for the shell's. */
const PATHS = ["/proc/self/fd/1", "/dev/tty"];

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

export class ScreenTerminal {
  readonly #fd: number;
  readonly #memory = new Memory(8);

  static get isThere(): boolean {
    return libc.isatty(STDIN) === 1 && libc.isatty(STDOUT) === 1;
  }

  /** Keys come at once from now on, and are not echoed. */
  constructor() {
    this.#fd = openAgain(PATHS);
    process.stdin.setRawMode(true);
  }

  get size(): ScreenSize {
    const { view, address } = this.#memory;
    if (libc.ioctl(STDOUT, TIOCGWINSZ, address) < 0) return USUAL;
    const [rows, columns] = [view.getUint16(0, true), view.getUint16(2, true)];
    return rows > 0 && columns > 0 ? { columns, rows } : USUAL;
  }

  /** Octets on their way to the terminal, where the driver counts them. */
  get queued(): number {
    return outputQueued(this.#fd);
  }

  /** Returns how many octets it took. Below 0: it is gone. */
  write(octets: Uint8Array): number {
    const memory = new Memory(octets.length + 1);
    memory.bytes.set(octets);
    for (let at = 0; at < octets.length;) {
      const put = libc.write(this.#fd, memory.at(at), octets.length - at);
      if (put > 0) {
        at += put;
        continue;
      }
      const error = errno();
      if (error === EINTR) continue;
      return error === EAGAIN ? at : -1;
    }
    return octets.length;
  }

  /** Gives it back as it was found. */
  close(): void {
    try {
      process.stdin.setRawMode(false);
    } catch {
      // It is gone.
    }
    if (this.#fd !== STDOUT) closeFd(this.#fd);
  }
}

/** Standard output itself where it cannot be opened again. */
function openAgain([path, ...others]: readonly string[]): number {
  if (path === undefined) return STDOUT;
  try {
    return openFd(path, O.WRONLY | O.NONBLOCK | O.NOCTTY);
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
    return openAgain(others);
  }
}
