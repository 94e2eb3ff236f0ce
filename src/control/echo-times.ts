// How long the answers to LCP echoes took, whether or not the requests carry the time.

/** A power of two. An answer to an older request than these tells no time. */
const REMEMBERED = 8;

export class EchoTimes {
  /** Milliseconds: of the last answer, of the quickest, and of all together. */
  last = 0;
  least = Infinity;
  sum = 0;
  answered = 0;
  /** Requests that were not answered before a later one was. */
  lost = 0;
  /** When the last answer came. */
  answeredAt = 0;
  readonly #sentAt = new Float64Array(REMEMBERED).fill(NaN);
  #lastId = 0;

  sent(id: number, now: number): void {
    this.#lastId = id;
    this.#sentAt[id % REMEMBERED] = now;
  }

  /** The requests before this are not answered any more. */
  forget(): void {
    this.#sentAt.fill(NaN);
  }

  /** An answer with this identifier came. `lost` requests before it were not answered. */
  received(id: number, lost: number, now: number): void {
    const sentAt = this.#sentAt[id % REMEMBERED]!;
    if (((this.#lastId - id) & 0xff) >= REMEMBERED || Number.isNaN(sentAt)) return;
    this.#sentAt[id % REMEMBERED] = NaN;
    this.last = now - sentAt;
    this.least = Math.min(this.least, this.last);
    this.sum += this.last;
    this.answered++;
    this.lost += lost;
    this.answeredAt = now;
  }
}
