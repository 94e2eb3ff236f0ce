// The peer's request that we refused last, with our answer. A peer that has not heard the answer yet repeats the request.
// It gets the same answer, and does not count as one that insists (RFC 1661 §4.6, Max-Failure).

import type { Control } from "../wire/control.ts";
import type { Answer } from "./dialect.ts";
import { KeptRequest } from "./kept-request.ts";

/** A peer that repeats its request more often does not repeat it for want of an answer. */
const MOST_REPETITIONS = 10;

export class RefusedRequest {
  readonly #request = new KeptRequest();
  #answer: Answer | undefined;
  #repetitions = 0;

  keep(packet: Uint8Array, control: Control, answer: Answer): void {
    if (!this.#request.isSame(packet, control)) this.#repetitions = 0;
    this.#request.keep(packet, control);
    this.#answer = answer;
  }

  forget(): void {
    this.#request.forget();
  }

  /** The answer to a repetition of the request. Undefined: the packet is to be judged. */
  answerTo(packet: Uint8Array, control: Control): Answer | undefined {
    if (!this.#request.isSame(packet, control) || this.#repetitions === MOST_REPETITIONS) return undefined;
    this.#repetitions++;
    return this.#answer;
  }
}
