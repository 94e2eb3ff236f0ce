// The peer's request that we agreed to. The peer repeats it when our Ack was late or lost. It is then Acked again and the
// layer stays up. A late repetition, if it is not the first, is a new negotiation. (By RFC 1661 §4.4 every one would be.)

import type { Control } from "../wire/control.ts";
import { KeptRequest } from "./kept-request.ts";

export class AgreedRequest {
  readonly #request = new KeptRequest();
  #at = 0;
  #wasRepeated = false;

  keep(packet: Uint8Array, control: Control, now: number): void {
    this.#request.keep(packet, control);
    this.#at = now;
    this.#wasRepeated = false;
  }

  forget(): void {
    this.#request.forget();
  }

  /**
   * True when the packet is the same request. Within the restart time, any number of repetitions may be on the way. Within
   * twice that time there is one at most.
   */
  isRepeated(packet: Uint8Array, control: Control, now: number, restartMs: number): boolean {
    const age = now - this.#at;
    const isExpected = age <= restartMs || (age <= 2 * restartMs && !this.#wasRepeated);
    this.#wasRepeated = true;
    if (isExpected && this.#request.isSame(packet, control)) return true;
    this.forget();
    return false;
  }
}
