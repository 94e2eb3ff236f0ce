// A descriptor that lines are printed to: a terminal, a pipe, a file. Whoever reads it may be slow, and it need not be
// non-blocking: it may be shared with programs that would not expect that.

import { EAGAIN, EINTR, errno, libc, Memory, POLLOUT } from "../ffi/libc.ts";
import { lineOf, lossText, Outbox, type Reader, UNDELIVERABLE } from "./outbox.ts";

/** A pipe that poll(2) calls writable takes this much without waiting. */
const PIPE_BUF = 4096;

export class LineOutput implements Reader {
  readonly #fd: number;
  readonly #outbox = new Outbox(this);
  readonly #poll = new Memory(8);
  #isClosed = false;

  constructor(fd: number) {
    this.#fd = fd;
    this.#poll.view.setInt32(0, fd, true);
    this.#poll.view.setInt16(4, POLLOUT, true);
  }

  write(text: string | Uint8Array): void {
    this.#outbox.push(lineOf(text));
  }

  /** What still waits is given up. */
  close(): void {
    this.#isClosed = true;
    this.#outbox.flush();
  }

  lossLine(count: number): Memory {
    return lineOf(`${lossText(count)}\n`);
  }

  take(line: Memory, at: number): number {
    if (this.#isClosed) return UNDELIVERABLE;
    if (libc.poll(this.#poll.address, 1, 0) === 0) return 0;
    const put = libc.write(this.#fd, line.at(at), Math.min(PIPE_BUF, line.bytes.length - at));
    if (put >= 0) return put;
    // Else the terminal hung up, or the disk is full.
    return errno() === EAGAIN || errno() === EINTR ? 0 : UNDELIVERABLE;
  }
}
