// Reads files that should be small, from paths that may hold a FIFO, a device or a huge file.

import { constants } from "node:os";
import { fstatSync } from "node:fs";
import { closeFd, EAGAIN, EINTR, EINVAL, errno, libc, Memory, O, openFd, OsError } from "./libc.ts";
import { PollSet } from "./poll-set.ts";

/** The largest options file, secrets file or chat script that we read. */
const MOST = 1 << 20;
const CHUNK = 65536;
/** How long we wait for a pipe (`file <(…)`) or a terminal that sends nothing. */
const PATIENCE_MS = 10_000;
const { EFBIG, ETIMEDOUT } = constants.errno;

/** Opens a file for reading. Does not wait for the other end of a FIFO. Throws OsError. */
export function openToRead(path: string): number {
  return openFd(path, O.RDONLY | O.NONBLOCK | O.NOCTTY);
}

/** The first `most` octets of a regular file; nothing of any other kind of file. Throws OsError. */
export function readHead(path: string, most: number): Uint8Array {
  const fd = openToRead(path);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new OsError("read", path, stat.isDirectory() ? constants.errno.EISDIR : EINVAL);
    const memory = new Memory(most);
    return memory.bytes.subarray(0, read(fd, path, memory, 0));
  } finally {
    closeFd(fd);
  }
}

/** Reads a small file, or a pipe, to its end. Throws OsError, with EFBIG for more than {@link MOST}. */
export function readAll(fd: number, path = ""): Buffer {
  const chunk = new Memory(CHUNK);
  const pieces: Buffer[] = [];
  for (let length = 0; ;) {
    const got = read(fd, path, chunk, PATIENCE_MS);
    if (got === 0) return Buffer.concat(pieces);
    pieces.push(Buffer.from(chunk.bytes.subarray(0, got)));
    if ((length += got) > MOST) throw new OsError("read", path, EFBIG);
  }
}

function read(fd: number, path: string, { address, bytes }: Memory, patience: number): number {
  for (;;) {
    const got = libc.read(fd, address, bytes.length);
    if (got >= 0) return got;
    const error = errno();
    if (error === EINTR) continue;
    if (error !== EAGAIN) throw new OsError("read", path, error);
    if (new PollSet([fd]).wait(patience) === 0) throw new OsError("read", path, ETIMEDOUT);
  }
}
