// A set of descriptors to wait for with poll(2): an array of `struct pollfd`, made once and used again.

import { libc, Memory, POLLIN } from "./libc.ts";

/** struct pollfd: the descriptor, what is asked for, what was found. */
const SIZE = 8;
const EVENTS = 4;
const REVENTS = 6;
/** The longest wait that poll(2) can be told. */
const LONGEST_MS = 0x7fffffff;

export class PollSet {
  readonly #memory: Memory;
  readonly #view: DataView;
  readonly #length: number;
  #ready = 0;

  /** Each descriptor is asked for `events`, unless {@link want} changes that. */
  constructor(fds: readonly number[], events = POLLIN) {
    this.#length = fds.length;
    this.#memory = new Memory(Math.max(1, fds.length) * SIZE);
    this.#view = this.#memory.view;
    for (const [at, fd] of fds.entries()) {
      this.setFd(at, fd);
      this.want(at, events);
    }
  }

  /** poll(2) passes over a descriptor below 0. */
  setFd(at: number, fd: number): void {
    this.#view.setInt32(at * SIZE, fd, true);
  }

  /** POLLERR and POLLHUP are reported without being asked for. */
  want(at: number, events: number): void {
    this.#view.setInt16(at * SIZE + EVENTS, events, true);
  }

  /** Returns how many are ready after `milliseconds` at most (Infinity: no limit); -1 when a signal ended the wait. */
  wait(milliseconds: number): number {
    const timeout = milliseconds === Infinity ? -1 : Math.min(LONGEST_MS, Math.max(0, Math.ceil(milliseconds)));
    return (this.#ready = libc.poll(this.#memory.address, this.#length, timeout));
  }

  /** What the last wait found at this place. 0 after a wait that found nothing or was interrupted. */
  got(at: number): number {
    return this.#ready > 0 ? this.#view.getInt16(at * SIZE + REVENTS, true) : 0;
  }
}
