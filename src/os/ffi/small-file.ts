// Reading files that should be small, in places where others may have put a FIFO, a device or twenty gigabytes.

import { constants } from "node:os";
import { fstatSync } from "node:fs";
import { closeFd, EAGAIN, EINTR, EINVAL, errno, libc, Memory, O, openFd, OsError, POLLIN } from "./libc.ts";

/** No options file, secrets file or chat script is larger. */
const MOST = 1 << 20;
const CHUNK = 65536;
/** A pipe (`file <(…)`) or a terminal that says nothing for so long. */
const PATIENCE_MS = 10_000;
const { EFBIG, ETIMEDOUT } = constants.errno;

/** Opens a file for reading, without waiting for a FIFO's other end. Throws OsError. */
export function openToRead(path: string): number {
  return openFd(path, O.RDONLY | O.NONBLOCK | O.NOCTTY);
}

/** The first `most` octets of a regular file; of anything else nothing is read. Throws OsError. */
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

/** All of a file that is small, or of a pipe that is written to. Throws OsError: EFBIG for more. */
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

function read(fd: number, path: string, { address, bytes, view }: Memory, patience: number): number {
  for (;;) {
    const got = libc.read(fd, address, bytes.length);
    if (got >= 0) return got;
    const error = errno();
    if (error === EINTR) continue;
    if (error !== EAGAIN) throw new OsError("read", path, error);
    view.setInt32(0, fd, true);
    view.setInt16(4, POLLIN, true);
    if (libc.poll(address, 1, patience) === 0) throw new OsError("read", path, ETIMEDOUT);
  }
}
