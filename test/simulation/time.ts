// Simulated time: a queue of events. Nothing takes time but waiting. After each event all promises that it settled have had
// their say before the next one, so that one seed always gives one history.

import { drainMicrotasks } from "bun:jsc";

export interface Appointment {
  readonly at: number;
  /** Of two at the same moment, the one that was made first comes first. */
  readonly order: number;
  call: (() => void) | undefined;
}

export class Time {
  /** Milliseconds since the world began. */
  now = 0;
  /** Events that have happened. */
  events = 0;
  readonly #heap: Appointment[] = [];
  #orders = 0;

  after(ms: number, call: () => void): Appointment {
    const made = { at: this.now + Math.max(0, ms), order: this.#orders++, call };
    const heap = this.#heap;
    let at = heap.push(made) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!isBefore(made, heap[above]!)) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = made;
    return made;
  }

  cancel(appointment: Appointment | undefined): void {
    if (appointment !== undefined) appointment.call = undefined;
  }

  /** How many appointments there are, cancelled ones too. */
  get size(): number {
    return this.#heap.length;
  }

  /** Lets time pass. */
  run(ms: number): void {
    this.runUntil(() => false, ms);
  }

  /** Lets time pass until `isDone`, which is asked after each event. False: it was not within `ms`. */
  runUntil(isDone: () => boolean, ms: number): boolean {
    const end = this.now + ms;
    drainMicrotasks();
    if (isDone()) return true;
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.at > end) {
        this.now = end;
        return false;
      }
      this.#removeFirst();
      const { call } = next;
      if (call === undefined) continue;
      this.now = next.at;
      this.events++;
      call();
      drainMicrotasks();
      if (isDone()) return true;
    }
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    const { length } = heap;
    if (length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= length) break;
      if (below + 1 < length && isBefore(heap[below + 1]!, heap[below]!)) below++;
      if (!isBefore(heap[below]!, last)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
  }
}

function isBefore(one: Appointment, other: Appointment): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
