// What the two ends of a line have told each other of their ports.

import { ClimbKind, type ClimbOffer } from "../wire/climb-packet.ts";

/** An offer that the other end seems not to have is repeated so often. That end speaks climb packets. */
const MOST_REPEATS = 3;
const REPEAT_MS = 400;

export class ClimbOffers {
  /** When the offer is to be repeated. */
  repeatAt = Infinity;
  #able: readonly number[];
  readonly #rank: number;
  #peer: ClimbOffer | undefined;
  #repeats = 0;

  /** `able` are the speeds of our port. The end with the greater rank leads. */
  constructor(able: readonly number[], rank: number) {
    this.#able = able;
    this.#rank = rank;
  }

  get hasPeer(): boolean {
    return this.#peer !== undefined;
  }

  get leads(): boolean {
    return this.#peer !== undefined && this.#rank > this.#peer.rank;
  }

  can(speed: number): boolean {
    return this.#able.includes(speed);
  }

  /** Our port has refused a speed. */
  refused(speed: number): void {
    this.#able = this.#able.filter((one) => one !== speed);
  }

  /** The speeds above `first` that both ends can have. */
  common(first: number): number[] {
    return this.#able.filter((speed) => speed > first && this.#peer?.speeds.includes(speed));
  }

  get packet(): ClimbOffer {
    return { kind: ClimbKind.Offer, hasHeard: this.hasPeer, rank: this.#rank, speeds: this.#able };
  }

  take(offer: ClimbOffer, now: number): void {
    this.#peer = offer;
    this.repeatAt = offer.hasHeard ? Infinity : now + REPEAT_MS;
  }

  repeated(now: number): void {
    this.repeatAt = ++this.#repeats < MOST_REPEATS ? now + REPEAT_MS : Infinity;
  }
}
