// A front whose port looks for the caller's speed until it understands him.

import type { Ring } from "../bytes/ring.ts";
import { type Answered, type Caller, type Front, MOST_OCTETS } from "./front.ts";
import { SpeedSearch, type SpeedSearchSettings } from "./speed-search.ts";
import type { Tuned } from "./speeds.ts";

export class SearchingFront implements Tuned {
  readonly packet = new Uint8Array(0);
  readonly packetStart = 0;
  readonly packetEnd = 0;
  readonly mostOctets = MOST_OCTETS;
  /** What listens at the present speed. */
  front: Front;
  readonly #makeFront: () => Front;
  readonly #search: SpeedSearch;
  readonly #output: Ring;
  /** Octets in the ring that the front has looked at and left. */
  #left = 0;

  /** `makeFront` makes a front for another speed, which has heard nothing. */
  constructor(makeFront: () => Front, settings: SpeedSearchSettings, output: Ring) {
    this.#makeFront = makeFront;
    this.front = makeFront();
    this.#search = new SpeedSearch(settings);
    this.#output = output;
  }

  get decision(): Answered | undefined {
    return this.front.decision;
  }

  get wants(): number | undefined {
    return this.decision === undefined ? this.#search.wants : undefined;
  }

  takeCaller(): Caller | undefined {
    if (this.#search.takeDamage()) return "noise";
    const caller = this.front.takeCaller();
    if (caller !== undefined && caller !== "noise") this.#search.understood();
    return caller;
  }

  tuned(now: number): void {
    this.front = this.#makeFront();
    this.#left = 0;
    this.#search.tuned(now);
  }

  cannotTune(): void {
    this.#search.cannotTune();
  }

  receive(input: Ring, now: number): boolean {
    const { bytes } = input;
    for (let at = this.#left; at < input.length; at++)
      this.#search.octet(bytes[(input.readAt + at) & (bytes.length - 1)]!, now);
    this.front.receive(input, now);
    this.#left = input.length;
    return false;
  }

  /** See {@link Front.resume}. */
  resume(input: Ring): void {
    this.front.resume(input);
    this.#left = 0;
  }

  flush(): void {
    this.front.flush();
    const question = this.decision === undefined ? this.#search.takeWords() : undefined;
    if (question !== undefined && question.length <= this.#output.free) this.#output.put(question);
  }

  nextTimeout(): number {
    return Math.min(this.front.nextTimeout(), this.#search.nextTimeout());
  }

  handleTimeout(now: number): void {
    this.front.handleTimeout(now);
    this.#search.handleTimeout(now);
  }
}
