// Fragments that came before their turn, in the order of their numbers (RFC 1990 §4.2). They are in the blocks of a
// pool of fixed size. The first block identifies a fragment.

const NONE = -1;
export const BLOCK = 256;

export class HeldFragments {
  /** The lowest number, and the flags and length of its fragment. Infinity: nothing is held. */
  lowest = Infinity;
  flags = 0;
  length = 0;
  readonly #pool: Uint8Array;
  /** For a block: the next block of its fragment, or the next free block. */
  readonly #chain: Int16Array;
  #free = 0;
  #room: number;
  readonly #numbers: Float64Array;
  readonly #flags: Uint8Array;
  readonly #lengths: Int32Array;
  /** For a fragment: the ones with the next higher and the next lower number. */
  readonly #above: Int16Array;
  readonly #below: Int16Array;
  #first = NONE;
  #last = NONE;

  /** `blocks` is the number of blocks of BLOCK octets, 32767 at most. */
  constructor(blocks: number) {
    this.#pool = new Uint8Array(blocks * BLOCK);
    this.#chain = Int16Array.from({ length: blocks }, (_, block) => (block + 1 < blocks ? block + 1 : NONE));
    this.#room = blocks;
    this.#numbers = new Float64Array(blocks);
    this.#flags = new Uint8Array(blocks);
    this.#lengths = new Int32Array(blocks);
    this.#above = new Int16Array(blocks);
    this.#below = new Int16Array(blocks);
  }

  /** True when a fragment of `length` octets fits. */
  hasRoom(length: number): boolean {
    return this.#room > 0 && this.#room * BLOCK >= length;
  }

  /** Copies the fragment packet[at, end). False: it is held already, or there is no room. */
  add(number: number, flags: number, packet: Uint8Array, at: number, end: number): boolean {
    const numbers = this.#numbers;
    let above = NONE;
    let below = this.#last;
    while (below !== NONE && numbers[below]! > number) {
      above = below;
      below = this.#below[below]!;
    }
    if ((below !== NONE && numbers[below] === number) || !this.hasRoom(end - at)) return false;
    const fragment = this.#free;
    numbers[fragment] = number;
    this.#flags[fragment] = flags;
    this.#lengths[fragment] = end - at;
    this.#store(packet, at, end);
    this.#below[fragment] = below;
    this.#above[fragment] = above;
    if (below !== NONE) this.#above[below] = fragment;
    else this.#first = fragment;
    if (above !== NONE) this.#below[above] = fragment;
    else this.#last = fragment;
    if (below === NONE) this.#show();
    return true;
  }

  /** Takes the free blocks that packet[at, end) needs, at least one. */
  #store(packet: Uint8Array, at: number, end: number): void {
    const pool = this.#pool;
    const chain = this.#chain;
    let block: number;
    do {
      block = this.#free;
      this.#free = chain[block]!;
      this.#room--;
      const stop = Math.min(end, at + BLOCK);
      for (let to = block * BLOCK; at < stop;) pool[to++] = packet[at++]!;
    } while (at < end);
    chain[block] = NONE;
  }

  /** Moves the octets of the lowest fragment to out[at, …) and frees its blocks. */
  take(out: Uint8Array, at: number): void {
    const pool = this.#pool;
    const chain = this.#chain;
    for (let block = this.#first, left = this.length; left > 0; left -= BLOCK, block = chain[block]!) {
      let from = block * BLOCK;
      for (const stop = from + Math.min(left, BLOCK); from < stop;) out[at++] = pool[from++]!;
    }
    this.drop();
  }

  /** Frees the blocks of the lowest fragment. */
  drop(): void {
    const chain = this.#chain;
    const fragment = this.#first;
    let block = fragment;
    for (let next = chain[block]!; ; next = chain[block]!) {
      this.#room++;
      if (next === NONE) break;
      block = next;
    }
    chain[block] = this.#free;
    this.#free = fragment;
    const first = this.#above[fragment]!;
    this.#first = first;
    if (first === NONE) this.#last = NONE;
    else this.#below[first] = NONE;
    this.#show();
  }

  #show(): void {
    const first = this.#first;
    if (first === NONE) {
      this.lowest = Infinity;
      return;
    }
    this.lowest = this.#numbers[first]!;
    this.flags = this.#flags[first]!;
    this.length = this.#lengths[first]!;
  }
}
