// A descriptor that log lines are printed to: a terminal, a pipe or a file. Its reader may be slow. It may be blocking,
// because we may share it with programs that expect that.

import { EAGAIN, EINTR, errno, libc, type Memory, POLLOUT } from "../ffi/libc.ts";
import { PollSet } from "../ffi/poll-set.ts";
import { lineOf, lossText, Outbox, type Reader, UNDELIVERABLE } from "./outbox.ts";

/** A pipe that poll(2) reports writable takes this much without blocking. */
const PIPE_BUF = 4096;

export class LineOutput implements Reader {
  readonly #fd: number;
  readonly #outbox = new Outbox(this);
  readonly #poll: PollSet;
  #isClosed = false;

  constructor(fd: number) {
    this.#fd = fd;
    this.#poll = new PollSet([fd], POLLOUT);
  }

  write(text: string | Uint8Array): void {
    this.#outbox.push(lineOf(text));
  }

  /** Closes it and drops the lines that still wait. */
  close(): void {
    this.#isClosed = true;
    this.#outbox.flush();
  }

  lossLine(count: number): Memory {
    return lineOf(`${lossText(count)}\n`);
  }

  take(line: Memory, at: number): number {
    if (this.#isClosed) return UNDELIVERABLE;
    if (this.#poll.wait(0) === 0) return 0;
    const put = libc.write(this.#fd, line.at(at), Math.min(PIPE_BUF, line.bytes.length - at));
    if (put >= 0) return put;
    // Otherwise the terminal hung up or the disk is full.
    return errno() === EAGAIN || errno() === EINTR ? 0 : UNDELIVERABLE;
  }
}
