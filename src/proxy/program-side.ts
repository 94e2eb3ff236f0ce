// The programs' sockets as the stack sees them: what a program said too early comes first, and a connection that cannot be made
// does not end its socket, because the program gets an answer.

import { FAILED, type Failure, NOT_NOW, type SocketSide } from "../stack/socket-side.ts";
import { type Program, Stage } from "./program.ts";

/** A program that says more than this after its request is not heard any more. */
const MOST_DROPPED = 262_144;
const dropped = new Uint8Array(4096);

/** Reads what a program says, and drops it. 0: it has sent its last octet, or it has gone on talking for too long. */
export function dropToEnd(side: SocketSide, program: Program): number {
  while (program.droppedOctets <= MOST_DROPPED) {
    const got = side.read(program.socket, dropped, 0, dropped.length);
    if (got <= 0) return got;
    program.droppedOctets += got;
  }
  return 0;
}

export interface ProgramSideHost {
  readonly side: SocketSide;
  programOf(socket: number): Program | undefined;
  opened(program: Program, failure: Failure): void;
  /** The stack has let go of the socket, which is about to be closed. */
  left(program: Program): void;
}

export class ProgramSide implements SocketSide {
  readonly #host: ProgramSideHost;
  readonly #side: SocketSide;

  constructor(host: ProgramSideHost) {
    this.#host = host;
    this.#side = host.side;
  }

  read(socket: number, into: Uint8Array, at: number, most: number): number {
    const program = this.#host.programOf(socket);
    const early = program?.takeRest(into, at, most) ?? 0;
    if (early > 0 || program === undefined) return early > 0 ? early : this.#side.read(socket, into, at, most);
    // Another request may be for another host.
    if (program.left === 0) return dropToEnd(this.#side, program);
    const got = this.#side.read(socket, into, at, Math.min(most, program.left));
    if (got > 0) program.left -= got;
    return got;
  }

  opened(socket: number, failure: Failure): void {
    const program = this.#host.programOf(socket);
    if (program !== undefined) this.#host.opened(program, failure);
  }

  close(socket: number): void {
    this.#leave(socket);
    this.#side.close(socket);
  }

  abort(socket: number): void {
    const program = this.#host.programOf(socket);
    if (program !== undefined && program.stage !== Stage.OPEN) return;
    this.#leave(socket);
    this.#side.abort(socket);
  }

  #leave(socket: number): void {
    const program = this.#host.programOf(socket);
    if (program !== undefined) this.#host.left(program);
  }

  isConnected(): boolean {
    return true;
  }

  write(socket: number, from: Uint8Array, start: number, end: number): number {
    return this.#side.write(socket, from, start, end);
  }

  room(socket: number): number {
    return this.#side.room(socket);
  }

  shutdown(socket: number): void {
    this.#side.shutdown(socket);
  }

  failure(socket: number): Failure {
    return this.#side.failure(socket);
  }

  // ── the peer opens nothing here ──────────────────────────────────────────────────────────────────────────────────

  connect(): number {
    return FAILED;
  }

  openDatagrams(): number {
    return FAILED;
  }

  openEchoes(): number {
    return FAILED;
  }

  send(): boolean {
    return true;
  }

  reporter(): undefined {
    return undefined;
  }

  receive(): number {
    return NOT_NOW;
  }
}
