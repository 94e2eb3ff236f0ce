// A text that other programs on this machine may read: a socket in a folder, and who connects to it gets the text of the
// moment and is hung up on. Nothing is ever read from a reader, and nothing kept for one that does not read: what was
// written lies in its own socket.

import { chmodSync, renameSync, rmSync, statSync, unlinkSync } from "node:fs";
import { EAGAIN, EINTR, closeFd, errno, libc, Memory, O, OsError, POLLIN } from "../ffi/libc.ts";

export class Publication {
  #path: string;
  readonly #inode: number;
  readonly #listener: { stop(closeAll?: boolean): void };
  readonly #onExit = (): void => this.close();
  #open = true;

  /**
   * Takes the place of whatever has the name: a socket left by a program that was killed, or that of one in another
   * network namespace. `text` is asked for each reader; of one that does not fit a socket's buffer (some 200 KB) the end
   * is missing. Throws what node:fs throws.
   */
  constructor(path: string, text: () => string) {
    const unfinished = `${path}.${process.pid}`;
    this.#path = path;
    rmSync(unfinished, { force: true });
    this.#listener = Bun.listen({
      unix: unfinished,
      socket: {
        open: (socket) => {
          socket.write(text());
          // Not end(): it would wait for the reader to hang up.
          socket.terminate();
        },
        data: () => {},
        // It went away before it was answered.
        error: () => {},
      },
    });
    try {
      chmodSync(unfinished, 0o666);
      this.#inode = statSync(unfinished).ino;
      renameSync(unfinished, path);
    } catch (error) {
      this.#listener.stop(true);
      throw error;
    }
    process.on("exit", this.#onExit);
  }

  /** Gives it another place, unless that is denied. */
  move(path: string): void {
    if (!this.#open) return;
    try {
      if (statSync(this.#path).ino !== this.#inode) return;
      renameSync(this.#path, path);
      this.#path = path;
    } catch {
      // Whoever looks for it there finds what the kernel says of the interface.
    }
  }

  /** Removes the socket, unless the name is somebody else's by now. Harmless when that was done before. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    process.off("exit", this.#onExit);
    this.#listener.stop(true);
    try {
      if (statSync(this.#path).ino === this.#inode) unlinkSync(this.#path);
    } catch {
      // It is gone.
    }
  }
}

const AF_UNIX = 1;
const SOCK_STREAM = 1;
/** struct sockaddr_un: family, then the path. */
const LONGEST_PATH = 107;
const CHUNK = 65536;
const MOST = 1 << 20;
/** A program that was stopped keeps its socket and says nothing. */
const PATIENCE_MS = 2000;

/** What is published there; undefined when nothing is, or nobody answers. */
export function readPublished(path: string): string | undefined {
  const name = Buffer.from(path);
  if (name.length > LONGEST_PATH) return undefined;
  const address = new Memory(2 + name.length + 1);
  address.view.setUint16(0, AF_UNIX, true);
  address.bytes.set(name, 2);
  const fd = libc.socket(AF_UNIX, SOCK_STREAM | O.CLOEXEC | O.NONBLOCK, 0);
  if (fd < 0) throw new OsError("socket");
  try {
    // Nothing there, nobody behind it, or too many who wait before us.
    if (libc.connect(fd, address.address, address.bytes.length) < 0) return undefined;
    return readToEnd(fd);
  } finally {
    closeFd(fd);
  }
}

function readToEnd(fd: number): string | undefined {
  const chunk = new Memory(CHUNK);
  const pieces: Buffer[] = [];
  const deadline = performance.now() + PATIENCE_MS;
  for (let length = 0; length < MOST;) {
    const got = libc.recv(fd, chunk.address, CHUNK, 0);
    if (got === 0) return Buffer.concat(pieces).toString();
    if (got > 0) {
      pieces.push(Buffer.from(chunk.bytes.subarray(0, got)));
      length += got;
      continue;
    }
    const error = errno();
    if ((error !== EAGAIN && error !== EINTR) || !awaitInput(fd, deadline)) return undefined;
  }
  return undefined;
}

/** False when the time is over. */
function awaitInput(fd: number, deadline: number): boolean {
  const left = Math.ceil(deadline - performance.now());
  if (left <= 0) return false;
  const set = new Memory(8);
  set.view.setInt32(0, fd, true);
  set.view.setInt16(4, POLLIN, true);
  libc.poll(set.address, 1, left);
  return true;
}
