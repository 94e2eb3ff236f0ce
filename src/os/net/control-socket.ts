// A Unix socket by which other programs control this process. Only its owner and root may connect, until a group is allowed to.

import { chmodSync, chownSync, renameSync, rmSync, statSync, unlinkSync } from "node:fs";
import { Memory } from "../ffi/libc.ts";
import { LIBC, library } from "../ffi/library.ts";

/** A program that is connected. */
export interface Caller {
  received(bytes: Uint8Array): void;
  /** The connection takes octets again. */
  drained(): void;
  /** The program sends nothing more. It may still read. */
  finished(): void;
  /** The connection is gone. */
  close(): void;
}

export interface Wire {
  /** "uid 0" */
  readonly user: string;
  /** Returns how many octets were taken. */
  write(bytes: Uint8Array): number;
  close(): void;
}

const OWNER_ONLY = 0o600;
const OWNER_AND_GROUP = 0o660;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** struct ucred: pid, uid, gid. */
const CREDENTIALS_LENGTH = 12;
const CREDENTIALS_UID = 4;

const system = library(LIBC, {
  getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
});

export class ControlSocket {
  readonly #path: string;
  readonly #inode: number;
  readonly #listener: { stop(closeAll?: boolean): void };
  readonly #onExit = (): void => this.close();
  #isOpen = true;

  /** Replaces a socket of that name, which a killed process of the same number has left. Throws errors of node:fs. */
  constructor(path: string, connect: (wire: Wire) => Caller) {
    const unfinished = `${path}.new`;
    this.#path = path;
    rmSync(unfinished, { force: true });
    // Nobody else may connect at any moment: who may not write may not.
    const umask = process.umask(0o777 & ~OWNER_ONLY);
    try {
      this.#listener = listen(unfinished, connect);
    } finally {
      process.umask(umask);
    }
    try {
      this.#inode = statSync(unfinished).ino;
      renameSync(unfinished, path);
    } catch (error) {
      this.#listener.stop(true);
      rmSync(unfinished, { force: true });
      throw error;
    }
    process.on("exit", this.#onExit);
  }

  /** Lets the members of a group connect. Throws errors of node:fs. */
  allow(group: number): void {
    chownSync(this.#path, -1, group);
    chmodSync(this.#path, OWNER_AND_GROUP);
  }

  /** Disconnects all programs and removes the socket. A second call does nothing. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    process.off("exit", this.#onExit);
    this.#listener.stop(true);
    try {
      if (statSync(this.#path).ino === this.#inode) unlinkSync(this.#path);
    } catch {
      // The socket is gone already.
    }
  }
}

function listen(path: string, connect: (wire: Wire) => Caller): { stop(closeAll?: boolean): void } {
  return Bun.listen<Caller>({
    unix: path,
    allowHalfOpen: true,
    socket: {
      open: (socket) => {
        socket.data = connect({
          user: userOf(socket),
          write: (bytes) => socket.write(bytes),
          // end() would wait until the program hangs up.
          close: () => socket.terminate(),
        });
      },
      data: ({ data: caller }, bytes) => caller.received(bytes),
      drain: ({ data: caller }) => caller.drained(),
      end: ({ data: caller }) => caller.finished(),
      close: ({ data: caller }) => caller?.close(),
      error: ({ data: caller }) => caller?.close(),
    },
  });
}

function userOf(socket: object): string {
  const fd = "fd" in socket && typeof socket.fd === "number" ? socket.fd : -1;
  const credentials = new Memory(CREDENTIALS_LENGTH);
  const size = new Memory(4);
  size.view.setUint32(0, CREDENTIALS_LENGTH, true);
  const failed = system()?.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials.address, size.address) !== 0;
  return failed ? "an unknown user" : `uid ${credentials.view.getUint32(CREDENTIALS_UID, true)}`;
}
