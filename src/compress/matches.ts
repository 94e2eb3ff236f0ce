// Finds where the octets at a position occurred before, by hash chains over the text of a sliding window, for MPPC and
// LZS.
//
// Positions only grow. So an entry that has left the window shows by its number, and forgetting everything means to
// continue with a larger number instead of clearing the tables.

const HASH_BITS = 12;
/** The number of earlier positions with the same hash that are tried for a longer match. */
const DEPTH = 32;
/** A match this long is taken without a search for a longer one. */
export const ENOUGH = 64;

/** After this position, positions must start again at FIRST_POSITION, and forget() must be called. */
export const LAST_POSITION = 1 << 30;
/** The first position. It is larger than any window, so that no earlier one counts. */
export const FIRST_POSITION = 1 << 16;

export class Matches {
  /** The result of find(): 0 when no match is long enough. */
  length = 0;
  distance = 0;
  /** The index of an octet in the text is its position minus this. */
  base = 0;
  readonly #text: Uint8Array;
  readonly #shortest: 2 | 3;
  readonly #mask: number;
  /** The last position of each hash. For each position in the window, the one before it with the same hash. */
  readonly #heads = new Int32Array(1 << HASH_BITS);
  readonly #previous: Int32Array;

  /** `window` is a power of two. Matches are nearer than it and at least `shortest` octets long. */
  constructor(text: Uint8Array, window: number, shortest: 2 | 3) {
    this.#text = text;
    this.#shortest = shortest;
    this.#mask = window - 1;
    this.#previous = new Int32Array(window);
  }

  forget(): void {
    this.#heads.fill(0);
  }

  /**
   * Finds the longest match, of at most `most` octets, for the octets at `position` among those from the position
   * `floor` on. A match that begins before `front` ends at `edge`. Then enters the position.
   */
  find(position: number, most: number, floor: number, front: number, edge: number): void {
    let best = this.#shortest - 1;
    let distance = 0;
    if (most > best) {
      const previous = this.#previous;
      const mask = this.#mask;
      const text = this.#text;
      const base = this.base;
      const index = position - base;
      const first = text[index]!;
      const hash = this.#hash(text, index);
      let candidate = this.#heads[hash]!;
      previous[position & mask] = candidate;
      this.#heads[hash] = position;
      const lowest = position - mask > floor ? position - mask : floor;
      for (let tries = DEPTH; candidate >= lowest && tries > 0; tries--) {
        const other = candidate - base;
        if (text[other + best] === text[index + best] && text[other] === first) {
          const room = candidate < front && edge - candidate < most ? edge - candidate : most;
          let same = 1;
          while (same < room && text[other + same] === text[index + same]) same++;
          if (same > best) {
            best = same;
            distance = position - candidate;
            if (same >= ENOUGH || same === most) break;
          }
        }
        candidate = previous[candidate & mask]!;
      }
    }
    this.distance = distance;
    this.length = distance === 0 ? 0 : best;
  }

  /** Enters the positions from `position` to `end`. The text ends at the position `stop`. */
  enter(position: number, end: number, stop: number): void {
    const text = this.#text;
    const base = this.base;
    const heads = this.#heads;
    const previous = this.#previous;
    const mask = this.#mask;
    const last = stop - this.#shortest + 1;
    if (end > last) end = last;
    for (; position < end; position++) {
      const hash = this.#hash(text, position - base);
      previous[position & mask] = heads[hash]!;
      heads[hash] = position;
    }
  }

  #hash(text: Uint8Array, index: number): number {
    const pair = (text[index]! << 8) | text[index + 1]!;
    const octets = this.#shortest === 2 ? pair : (pair << 8) | text[index + 2]!;
    return Math.imul(octets, 0x9e3779b1) >>> (32 - HASH_BITS);
  }
}
