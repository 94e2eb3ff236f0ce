// Publishes a text to other programs on this machine: a program that connects to a socket gets the present text and is
// disconnected. We never read from a reader, and keep nothing for one that does not read: the kernel holds the written
// text.

import { chmodSync, renameSync, rmSync, statSync, unlinkSync } from "node:fs";
import { constants } from "node:os";
import { EAGAIN, EINTR, closeFd, errno, libc, Memory, O, OsError } from "../ffi/libc.ts";
import { PollSet } from "../ffi/poll-set.ts";

export class Publication {
  #path: string;
  readonly #inode: number;
  readonly #listener: { stop(closeAll?: boolean): void };
  readonly #onExit = (): void => this.close();
  #open = true;

  /**
   * Replaces any socket of that name: one left by a killed program, or one of a program in another network namespace.
   * `text` is called for each reader. A text that exceeds the socket's buffer (about 200 KB) loses its end. Throws
   * errors of node:fs.
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
          // end() would wait until the reader hangs up.
          socket.terminate();
        },
        data: () => {},
        // The reader left before it got its answer.
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

  /** Moves the socket to another path. Does nothing when that is denied. */
  move(path: string): void {
    if (!this.#open) return;
    try {
      if (statSync(this.#path).ino !== this.#inode) return;
      renameSync(this.#path, path);
      this.#path = path;
    } catch {
      // Readers that do not find the socket use the kernel's interface counters.
    }
  }

  /** Removes the socket, unless another program has taken the name. A second call does nothing. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    process.off("exit", this.#onExit);
    this.#listener.stop(true);
    try {
      if (statSync(this.#path).ino === this.#inode) unlinkSync(this.#path);
    } catch {
      // The socket is gone already.
    }
  }
}

const AF_UNIX = 1;
const SOCK_STREAM = 1;
/** struct sockaddr_un: family, then the path. */
const LONGEST_PATH = 107;
const CHUNK = 65536;
const MOST = 1 << 20;
/** How long we wait for the text. A stopped program keeps its socket and never answers. */
const PATIENCE_MS = 2000;

/** Reads the text published at a path. Undefined when there is none or no answer. */
export function readPublished(path: string): string | undefined {
  return withConnection(path, (fd, isConnected) => (isConnected ? readToEnd(fd) : undefined));
}

/** True for the socket of a process that runs no longer. */
export function isDeserted(path: string): boolean {
  return withConnection(path, (_, isConnected) => !isConnected && errno() === constants.errno.ECONNREFUSED) === true;
}

/** Undefined for a path that no socket has. */
function withConnection<T>(path: string, use: (fd: number, isConnected: boolean) => T): T | undefined {
  const name = Buffer.from(path);
  if (name.length > LONGEST_PATH) return undefined;
  const address = new Memory(2 + name.length + 1);
  address.view.setUint16(0, AF_UNIX, true);
  address.bytes.set(name, 2);
  const fd = libc.socket(AF_UNIX, SOCK_STREAM | O.CLOEXEC | O.NONBLOCK, 0);
  if (fd < 0) throw new OsError("socket");
  try {
    // There may be no socket or no listener, or its queue is full.
    return use(fd, libc.connect(fd, address.address, address.bytes.length) === 0);
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

/** False when the deadline has passed. */
function awaitInput(fd: number, deadline: number): boolean {
  const left = deadline - performance.now();
  if (left <= 0) return false;
  new PollSet([fd]).wait(left);
  return true;
}
