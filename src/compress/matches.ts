// Where the octets at a position stood before: hash chains over the text of a sliding window, for MPPC and LZS.
//
// Positions only grow, so an entry that left the window is told by its number, and forgetting all takes a larger
// number, not a walk over the tables.

const HASH_BITS = 12;
/** Earlier positions with the same hash that are looked at for a longer match. */
const DEPTH = 32;
/** A match this long is taken without looking for a longer one. */
export const ENOUGH = 64;

/** From here positions must start again at FIRST_POSITION, and forget() be called. */
export const LAST_POSITION = 1 << 30;
/** Greater than any window: nothing stands before it. */
export const FIRST_POSITION = 1 << 16;

export class Matches {
  /** What find() found; 0 for nothing that is long enough. */
  length = 0;
  distance = 0;
  readonly #shortest: 2 | 3;
  readonly #mask: number;
  /** The last position of each hash, and for each position in the window the one before it. */
  readonly #heads = new Int32Array(1 << HASH_BITS);
  readonly #previous: Int32Array;

  /** `window` is a power of two; matches are less than it away and no shorter than `shortest`. */
  constructor(window: number, shortest: 2 | 3) {
    this.#shortest = shortest;
    this.#mask = window - 1;
    this.#previous = new Int32Array(window);
  }

  forget(): void {
    this.#heads.fill(0);
  }

  /**
   * Finds the longest match of the octets at `position`, no more than `most`, among those from the position `floor` on;
   * all stand in text at their position less `base`. A match that begins before `front` ends at `edge`. Then enters the
   * position.
   */
  find(
    text: Uint8Array,
    base: number,
    position: number,
    most: number,
    floor: number,
    front: number,
    edge: number,
  ): void {
    let best = this.#shortest - 1;
    let distance = 0;
    if (most > best) {
      const previous = this.#previous;
      const mask = this.#mask;
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

  /** Enters the positions from `position` to `end`; text ends at the position `stop`. */
  enter(text: Uint8Array, base: number, position: number, end: number, stop: number): void {
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
