// CCP's packets outside the negotiation: Reset-Request and Reset-Ack (RFC 1962 §3), and the reminder for a peer that
// still compresses after the end of compression.

import { bytesOf } from "../bytes/text.ts";
import { Code, putControl } from "../wire/control.ts";

/** RFC 1962 gives no time. This is pppd's. */
const RESET_ACK_MS = 1000;
/** A peer that still compresses after the end gets one reminder in this time. */
const REMINDER_MS = 1000;
const NONE = new Uint8Array(0);
/** The reason in the reminder. */
const NOT_OPENED = bytesOf("Compression is not negotiated");

export class CcpResets {
  /** Sends a packet of CCP. */
  readonly #sendPacket: (write: (buf: Uint8Array, at: number) => number) => void;
  readonly #wakeAt: (at: number) => void;
  #id = 0;
  /** A Reset-Request was sent and is not answered. `again` means that another one is due. */
  #waiting = false;
  #again = false;
  #remindedAt = -Infinity;

  constructor(sendPacket: (write: (buf: Uint8Array, at: number) => number) => void, wakeAt: (at: number) => void) {
    this.#sendPacket = sendPacket;
    this.#wakeAt = wakeAt;
  }

  /** Sends a Reset-Request. While the answer is awaited, it is repeated once a second at most. */
  request(id: () => number, now: number): void {
    if (this.#waiting) {
      this.#again = true;
      return;
    }
    this.#waiting = true;
    this.#id = id();
    this.#send(now);
  }

  #send(now: number): void {
    this.#again = false;
    this.#sendPacket((buf, at) => putControl(buf, at, Code.ResetReq, this.#id, NONE));
    this.#wakeAt(now + RESET_ACK_MS);
  }

  /** No Reset-Ack came in time. */
  timeout(now: number): void {
    if (this.#again) this.#send(now);
    else this.#waiting = false;
  }

  /** A Reset-Ack came. */
  acknowledged(id: number): void {
    if (this.#waiting && id === this.#id) this.stop();
  }

  stop(): void {
    this.#waiting = this.#again = false;
    this.#wakeAt(Infinity);
  }

  /** Ends compression again for a peer that missed the end. */
  remind(id: () => number, now: number): void {
    if (now < this.#remindedAt + REMINDER_MS) return;
    this.#remindedAt = now;
    this.#sendPacket((buf, at) => putControl(buf, at, Code.TermReq, id(), NOT_OPENED));
  }
}
