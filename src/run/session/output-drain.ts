// Tells when everything that was written to a port has been sent, so that its speed may change.

import type { LinePort } from "../loop/line-port.ts";
import type { Serial, Tty } from "../host/serial.ts";

/** A UART has so many octets that the driver does not count any more. */
const UNCOUNTED_OCTETS = 18;
const OCTET_BITS = 10;

export class OutputDrain {
  readonly #serial: Serial;
  readonly #tty: Tty;
  readonly #port: LinePort;
  /** Since when a speed is wanted; when the output was empty. */
  #wantedAt: number | undefined;
  #emptyAt: number | undefined;

  constructor(serial: Serial, tty: Tty, port: LinePort) {
    this.#serial = serial;
    this.#tty = tty;
    this.#port = port;
  }

  /** Since when it is asked for. */
  waitedMs(now: number): number {
    return now - (this.#wantedAt ?? now);
  }

  isOver(now: number): boolean {
    this.#wantedAt ??= now;
    const { buffers, pacer } = this.#port;
    // Not every driver counts what it has not sent. The pacer computes it from the speed.
    if (buffers.output.length > 0 || this.#serial.outputQueued(this.#tty.fd) > 0 || pacer.ahead(0, 0, now) > 0) {
      this.#emptyAt = undefined;
      return false;
    }
    this.#emptyAt ??= now;
    const isFirst = this.#emptyAt === this.#wantedAt;
    // What was empty all the time has been sent long ago.
    return isFirst || now - this.#emptyAt >= (UNCOUNTED_OCTETS * OCTET_BITS * 1000) / this.#tty.speed;
  }

  /** The next time it is asked, something else was written. */
  restart(): void {
    this.#wantedAt = this.#emptyAt = undefined;
  }
}
