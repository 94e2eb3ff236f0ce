// Keepalive of a connection (RFC 9293 §3.8.4), with the times of Linux: a connection may be silent for hours, but a peer that is
// gone is noticed.

const IDLE_MS = 7_200_000;
const EVERY_MS = 75_000;
const TIMES = 9;

export class Keepalive {
  heardAt: number;
  /** A probe is to be sent. */
  isDue = false;
  #probes = 0;

  constructor(now: number) {
    this.heardAt = now;
  }

  heard(now: number): void {
    this.heardAt = now;
    this.#probes = 0;
  }

  nextTimeout(): number {
    return this.heardAt + IDLE_MS + this.#probes * EVERY_MS;
  }

  /** The time has come. False: the peer is gone. */
  handleTimeout(): boolean {
    this.isDue = true;
    return this.#probes++ < TIMES;
  }
}
