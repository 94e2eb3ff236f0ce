// The deadlines of all flows: a heap whose entries know their place. A deadline that moves to a later time costs nothing
// until the old one is reached.

export interface Timed {
  /** When the owner has something to do. Set by {@link Deadlines.set}. */
  dueAt: number;
  /** The place in the heap; -1: not in it. */
  heapPlace: number;
  /** Where it lies in the heap. Not later than {@link dueAt}. */
  heapTime: number;
}

export class Deadlines<T extends Timed> {
  readonly #heap: T[] = [];

  set(owner: T, at: number): void {
    owner.dueAt = at;
    if (owner.heapPlace < 0) {
      if (at === Infinity) return;
      owner.heapPlace = this.#heap.length;
      owner.heapTime = at;
      this.#heap.push(owner);
      this.#rise(owner);
    } else if (at < owner.heapTime) {
      owner.heapTime = at;
      this.#rise(owner);
    }
  }

  remove(owner: T): void {
    owner.dueAt = Infinity;
    const place = owner.heapPlace;
    if (place < 0) return;
    owner.heapPlace = -1;
    const last = this.#heap.pop()!;
    if (last === owner) return;
    this.#put(last, place);
    this.#rise(last);
    this.#sink(last);
  }

  /** Not later than the first deadline. */
  next(): number {
    return this.#heap[0]?.heapTime ?? Infinity;
  }

  /** Takes out an owner whose deadline has passed. Undefined: there is none. */
  take(now: number): T | undefined {
    for (let first; (first = this.#heap[0]) !== undefined && first.heapTime <= now;) {
      if (first.dueAt <= now) {
        this.remove(first);
        return first;
      }
      if (first.dueAt === Infinity) this.remove(first);
      else {
        first.heapTime = first.dueAt;
        this.#sink(first);
      }
    }
    return undefined;
  }

  #put(owner: T, place: number): void {
    this.#heap[place] = owner;
    owner.heapPlace = place;
  }

  #rise(owner: T): void {
    let place = owner.heapPlace;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = this.#heap[above]!;
      if (parent.heapTime <= owner.heapTime) break;
      this.#put(parent, place);
      place = above;
    }
    this.#put(owner, place);
  }

  #sink(owner: T): void {
    let place = owner.heapPlace;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= this.#heap.length) break;
      if (below + 1 < this.#heap.length && this.#heap[below + 1]!.heapTime < this.#heap[below]!.heapTime) below++;
      const child = this.#heap[below]!;
      if (child.heapTime >= owner.heapTime) break;
      this.#put(child, place);
      place = below;
    }
    this.#put(owner, place);
  }
}
