// The peer's request that we refused last, with our answer. A peer that has not heard the answer yet repeats the request.
// It gets the same answer, and does not count as one that insists (RFC 1661 §4.6, Max-Failure).

import type { Control } from "../wire/control.ts";
import type { Answer } from "./dialect.ts";
import { KeptRequest } from "./kept-request.ts";

/** A peer that repeats its request more often, or later after our answer, has heard the answer. */
const MOST_REPETITIONS = 3;
const ANSWER_UNHEARD_MS = 2000;

export class RefusedRequest {
  readonly #request = new KeptRequest();
  #answer: Answer | undefined;
  #answeredAt = -Infinity;
  #repetitions = 0;

  keep(packet: Uint8Array, control: Control, answer: Answer, now: number): void {
    if (!this.#request.isSame(packet, control)) this.#repetitions = 0;
    this.#request.keep(packet, control);
    this.#answer = answer;
    this.#answeredAt = now;
  }

  forget(): void {
    this.#request.forget();
  }

  /** The answer to a repetition of the request. Undefined: the packet is to be judged. */
  answerTo(packet: Uint8Array, control: Control, now: number): Answer | undefined {
    if (this.#repetitions === MOST_REPETITIONS || now - this.#answeredAt > ANSWER_UNHEARD_MS) return undefined;
    if (!this.#request.isSame(packet, control)) return undefined;
    this.#repetitions++;
    this.#answeredAt = now;
    return this.#answer;
  }
}
