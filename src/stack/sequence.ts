// Sequence numbers (RFC 9293 §3.4), sets of them, and octets that are stored by them.

/** `one` is older than `other`. */
export function isBefore(one: number, other: number): boolean {
  return ((one - other) | 0) < 0;
}

/** How far `to` is after `from`. Negative when it is before. */
export function distance(from: number, to: number): number {
  return (to - from) | 0;
}

export function later(one: number, other: number): number {
  return isBefore(one, other) ? other : one;
}

/** The most ranges in a set. A segment that would make another is refused. */
const MOST_RANGES = 32;

const NOTHING = new Uint32Array(0);

/** Ranges [from, to) of sequence numbers, in order, neither overlapping nor touching. */
export class SequenceRanges {
  count = 0;
  // Most connections never lose a segment: there is nothing to keep until one does.
  #from = NOTHING;
  #to = NOTHING;

  from(at: number): number {
    return this.#from[at]!;
  }

  to(at: number): number {
    return this.#to[at]!;
  }

  clear(): void {
    this.count = 0;
  }

  /** Adds a range. False when there are too many. */
  add(from: number, to: number): boolean {
    let first = 0;
    while (first < this.count && isBefore(this.#to[first]!, from)) first++;
    let last = first;
    let newFrom = from;
    let newTo = to;
    for (; last < this.count && !isBefore(to, this.#from[last]!); last++) {
      if (isBefore(this.#from[last]!, newFrom)) newFrom = this.#from[last]!;
      newTo = later(newTo, this.#to[last]!);
    }
    if (last === first && this.count === MOST_RANGES) return false;
    if (this.#from === NOTHING) {
      this.#from = new Uint32Array(MOST_RANGES);
      this.#to = new Uint32Array(MOST_RANGES);
    }
    // The ranges [first, last) become one.
    const next = first + 1;
    this.#from.copyWithin(next, last, this.count);
    this.#to.copyWithin(next, last, this.count);
    this.count += next - last;
    this.#from[first] = newFrom;
    this.#to[first] = newTo;
    return true;
  }

  /** Forgets all below `limit`. */
  dropBefore(limit: number): void {
    let dropped = 0;
    while (dropped < this.count && !isBefore(limit, this.#to[dropped]!)) dropped++;
    if (dropped > 0) {
      this.#from.copyWithin(0, dropped, this.count);
      this.#to.copyWithin(0, dropped, this.count);
      this.count -= dropped;
    }
    if (this.count > 0 && isBefore(this.#from[0]!, limit)) this.#from[0] = limit;
  }

  /** The number of the first range that ends after `at`. `count`: none does. */
  after(at: number): number {
    let found = 0;
    while (found < this.count && !isBefore(at, this.#to[found]!)) found++;
    return found;
  }

  /** The number of sequence numbers in the set. */
  total(): number {
    let sum = 0;
    for (let at = 0; at < this.count; at++) sum += distance(this.#from[at]!, this.#to[at]!);
    return sum;
  }
}

/** Octets that are stored at their sequence number. The owner knows which of them are there. */
export class SequenceRing {
  readonly bytes: Uint8Array;
  readonly #mask: number;

  /** The size is a power of two. */
  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.#mask = size - 1;
  }

  get size(): number {
    return this.bytes.length;
  }

  /** Where the octet is in {@link bytes}. */
  placeOf(sequence: number): number {
    return sequence & this.#mask;
  }

  /** How many of `count` octets from `sequence` on lie behind each other. */
  straight(sequence: number, count: number): number {
    return Math.min(count, this.bytes.length - (sequence & this.#mask));
  }

  put(sequence: number, from: Uint8Array, start: number, count: number): void {
    const first = this.straight(sequence, count);
    this.bytes.set(from.subarray(start, start + first), this.placeOf(sequence));
    if (first < count) this.bytes.set(from.subarray(start + first, start + count), 0);
  }

  copy(sequence: number, count: number, into: Uint8Array, at: number): void {
    const first = this.straight(sequence, count);
    const place = this.placeOf(sequence);
    into.set(this.bytes.subarray(place, place + first), at);
    if (first < count) into.set(this.bytes.subarray(0, count - first), at + first);
  }
}

/** Rings that are not in use, by size, and how much all rings together may take. */
export class RingPool {
  readonly #free = new Map<number, SequenceRing[]>();
  readonly #budget: number;
  /** Octets in rings that are in use. */
  used = 0;

  constructor(budget: number) {
    this.#budget = budget;
  }

  /** Undefined when the budget is used up, unless the ring must be given. */
  take(size: number, must: boolean): SequenceRing | undefined {
    if (!must && this.used + size > this.#budget) return undefined;
    this.used += size;
    return this.#free.get(size)?.pop() ?? new SequenceRing(size);
  }

  giveBack(ring: SequenceRing): void {
    this.used -= ring.size;
    const free = this.#free.get(ring.size);
    if (free === undefined) this.#free.set(ring.size, [ring]);
    // The spare rings of a size take a sixteenth of the budget at most.
    else if (free.length * ring.size < this.#budget / 16) free.push(ring);
  }
}
