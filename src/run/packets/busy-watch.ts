// Tells whether a line has been busy since its link came up.

import type { Load } from "./port.ts";

const SECOND = 1000;
/** A line is watched for this long before it is called busy. */
const BUSY_MS = 300;
/** Bits a second of a line whose speed is not known. */
const FAST = 2_000_000;
const OCTET_BITS = 10;

export class BusyWatch {
  #wasBusy = false;
  #sampledAt = 0;
  #sampledOctets = 0;

  /** A link has come up. */
  restart({ octetsOut }: Load, now: number): void {
    this.#wasBusy = false;
    this.#sample(octetsOut, now);
  }

  /** True once the line has carried half of what it can, or more, for a while. */
  hasBeenBusy({ rate, octetsOut }: Load, now: number): boolean {
    const took = now - this.#sampledAt;
    if (this.#wasBusy || took < BUSY_MS) return this.#wasBusy;
    const bitsASecond = ((octetsOut - this.#sampledOctets) * OCTET_BITS * SECOND) / took;
    this.#wasBusy = bitsASecond > (rate || FAST) / 2;
    this.#sample(octetsOut, now);
    return this.#wasBusy;
  }

  #sample(octetsOut: number, now: number): void {
    this.#sampledAt = now;
    this.#sampledOctets = octetsOut;
  }
}
