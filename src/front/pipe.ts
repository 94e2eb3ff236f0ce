// What a caller that has dialled a TCP host has behind its modem: octets go both ways as they are. When one side takes no
// more, they stay in the ring of the other, which is not read then.

import type { Ring } from "../bytes/ring.ts";
import type { Connection } from "./modem-line.ts";

const NO_PACKET = new Uint8Array(0);

export interface PipeEnds {
  /** The caller's rings. */
  readonly input: Ring;
  readonly output: Ring;
  /** The host's. */
  readonly hostInput: Ring;
  readonly hostOutput: Ring;
}

export class Pipe implements Connection {
  readonly packet = NO_PACKET;
  readonly packetStart = 0;
  readonly packetEnd = 0;
  /** The caller is at the command line of its modem. What the host sends waits. */
  isMuted = false;
  readonly #ends: PipeEnds;
  /** Octets of the caller's ring that are the host's, and have found no room. */
  #waiting = 0;

  constructor(ends: PipeEnds) {
    this.#ends = ends;
  }

  receive(input: Ring): boolean {
    this.#waiting = input.length;
    this.#toHost();
    return false;
  }

  flush(): void {
    this.#toHost();
    const { hostInput, output } = this.#ends;
    if (!this.isMuted) move(hostInput, output, hostInput.length);
  }

  #toHost(): void {
    const { input, hostOutput } = this.#ends;
    this.#waiting -= move(input, hostOutput, Math.min(this.#waiting, input.length));
  }

  nextTimeout(): number {
    return Infinity;
  }

  handleTimeout(): void {}
}

/** Moves at most so many octets, and returns how many found room. */
function move(from: Ring, to: Ring, most: number): number {
  let moved = 0;
  for (;;) {
    const at = from.readAt;
    const count = Math.min(most - moved, from.readable, to.free);
    if (count === 0) return moved;
    to.put(from.bytes.subarray(at, at + count));
    from.consume(count);
    moved += count;
  }
}

/** The host's side of a pipe, which has nothing to do. */
export const HOST_STAGE = {
  packet: NO_PACKET,
  packetStart: 0,
  packetEnd: 0,
  receive: (): boolean => false,
  flush: (): void => {},
  nextTimeout: (): number => Infinity,
  handleTimeout: (): void => {},
} as const;
