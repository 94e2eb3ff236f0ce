// Standard output of programs that print and exit. (Bun.write(Bun.stdout) truncates a file that stdout is redirected
// to, and repeats data that a slow pipe took in pieces.)

import { EAGAIN, EINTR, errno, libc, Memory, OsError, POLLOUT } from "../ffi/libc.ts";
import { PollSet } from "../ffi/poll-set.ts";

const STDOUT = 1;

/** Returns when everything is written. Throws OsError: EPIPE when the reader is gone. */
export function print(text: string | Uint8Array): void {
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  const memory = new Memory(bytes.length + 1);
  memory.bytes.set(bytes);
  for (let at = 0; at < bytes.length;) {
    const put = libc.write(STDOUT, memory.at(at), bytes.length - at);
    if (put >= 0) {
      at += put;
      continue;
    }
    const error = errno();
    if (error === EAGAIN) awaitRoom();
    else if (error !== EINTR) throw new OsError("write", "stdout", error);
  }
}

/** Waits for room when another program has made stdout non-blocking. */
function awaitRoom(): void {
  new PollSet([STDOUT], POLLOUT).wait(Infinity);
}
