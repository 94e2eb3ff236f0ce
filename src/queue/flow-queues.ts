// Packets that wait for a slow line, in a queue for each flow (RFC 8290). The flows take turns by octets (deficit round robin,
// §4.2), small packets of flows that have used less than their turn go first, and each queue is kept short by CoDel.

import { CoDel, type CoDelTimes, coDelTimes } from "./codel.ts";
import { markCe } from "./ecn.ts";
import { flowHash, isBareAck } from "./flow-hash.ts";
import { PacketStore } from "./packet-store.ts";

/** A power of two. Two flows with the same number share a queue. */
const FLOWS = 256;
/** The octets of a turn. A full packet costs several turns, so a flow of small packets need not wait for many of them. */
const QUANTUM = 300;
/** After a sparse packet, more of them are expected for this long. A ping every second keeps it so. */
const INTERACTIVE_MS = 2500;
const NONE = -1;

class Flow {
  /** The flow behind this one in its list. */
  behind: Flow | undefined;
  isListed = false;
  deficit = 0;
  /** The first and the last packet, and the octets of all. */
  first = NONE;
  last = NONE;
  octets = 0;
  readonly codel = new CoDel();
}

class FlowList {
  head: Flow | undefined;
  #tail: Flow | undefined;

  append(flow: Flow): void {
    flow.behind = undefined;
    if (this.head === undefined) this.head = flow;
    else this.#tail!.behind = flow;
    this.#tail = flow;
  }

  shift(): void {
    this.head = this.head?.behind;
  }
}

export class FlowQueues {
  /** The packet that was taken last is a small one of a flow that has used less than its turn. */
  isSparse = false;
  /** When the last sparse packet was taken that somebody may wait for. */
  interactiveAt = -Infinity;
  /** Packets that wait, and their octets. */
  length = 0;
  octets = 0;
  /** Packets that were dropped for a shorter queue, those that were marked instead, and those that found no room. */
  dropped = 0;
  marked = 0;
  overflowed = 0;
  /** Packets that were cleared away, and those that had no place to go when the link ended. */
  cleared = 0;
  readonly #store: PacketStore;
  readonly #seed: number;
  readonly #flows: readonly Flow[] = Array.from({ length: FLOWS }, () => new Flow());
  readonly #newFlows = new FlowList();
  readonly #oldFlows = new FlowList();
  /** The flow of the packet that takeBulk() took last. */
  #bulkFlow: Flow | undefined;
  #rate = 0;
  /** The longest packet so far. A full packet is taken to have as many octets. */
  #longest = 0;
  #times: CoDelTimes = coDelTimes(0, 0);

  /** Room for so many octets and packets. `seed` is random, so that nobody can choose ports that collide. */
  constructor(octets: number, packets: number, seed: number) {
    this.#store = new PacketStore(octets, packets);
    this.#seed = seed;
  }

  /** The line sends so many octets a millisecond. */
  setRate(rate: number): void {
    if (rate === this.#rate) return;
    this.#rate = rate;
    this.#times = coDelTimes(rate, this.#longest);
  }

  /** A packet of this length needs no other packet to be dropped. */
  hasRoom(length: number): boolean {
    return this.#store.hasRoom(length);
  }

  /** A sparse packet was seen lately, so bulk packets should keep the line for a short time only. */
  seesInteractive(now: number): boolean {
    return now - this.interactiveAt < INTERACTIVE_MS;
  }

  /** Copies packet[start, end). When there is no room, the longest queues lose their first packets (RFC 8290 §4.1). */
  put(packet: Uint8Array, start: number, end: number, now: number): void {
    const length = end - start;
    if (!this.#store.couldHold(length)) {
      this.overflowed++;
      return;
    }
    while (!this.#store.hasRoom(length)) this.#dropOfLongest();
    if (length > this.#longest) {
      this.#longest = length;
      this.#times = coDelTimes(this.#rate, length);
    }
    const kept = this.#store.keep(packet, start, end, now);
    const flow = this.#flows[flowHash(packet, start, end, this.#seed) & (FLOWS - 1)]!;
    if (flow.first === NONE) flow.first = kept;
    else this.#store.putBehind(flow.last, kept);
    flow.last = kept;
    flow.octets += length;
    this.octets += length;
    this.length++;
    if (flow.isListed) return;
    flow.isListed = true;
    flow.deficit = QUANTUM;
    this.#newFlows.append(flow);
  }

  /** Takes the next packet to into[at…] and returns its length. 0: there is none. */
  take(into: Uint8Array, at: number, now: number): number {
    return this.takeSparse(into, at, now) || this.takeBulk(into, at, now);
  }

  /**
   * Takes a sparse packet. 0: there is none. `isBulkPending`: the last packet of takeBulk() is not sent yet, and no packet
   * of its flow may overtake it.
   */
  takeSparse(into: Uint8Array, at: number, now: number, isBulkPending = false): number {
    const barred = isBulkPending ? this.#bulkFlow : undefined;
    const flow = sparseIn(this.#newFlows, barred) ?? sparseIn(this.#oldFlows, barred);
    const length = flow === undefined ? 0 : this.#takeOf(flow, into, at, now);
    if (length === 0) return 0;
    this.isSparse = true;
    if (!isBareAck(into, at, at + length)) this.interactiveAt = now;
    return length;
  }

  /** Takes the packet whose turn it is. 0: there is none. */
  takeBulk(into: Uint8Array, at: number, now: number): number {
    this.isSparse = false;
    for (;;) {
      const list = this.#newFlows.head === undefined ? this.#oldFlows : this.#newFlows;
      const flow = list.head;
      if (flow === undefined) return 0;
      if (flow.deficit <= 0) {
        flow.deficit += QUANTUM;
        list.shift();
        this.#oldFlows.append(flow);
        continue;
      }
      const length = this.#takeOf(flow, into, at, now);
      if (length > 0) {
        this.#bulkFlow = flow;
        return length;
      }
      list.shift();
      // An empty flow stays until its next turn. Otherwise it would be new again with each packet, and come before all others.
      if (list === this.#newFlows && this.#oldFlows.head !== undefined) this.#oldFlows.append(flow);
      else flow.isListed = false;
    }
  }

  /** Takes the packet that came first, whatever its flow, and drops none. 0: there is none. */
  takeOldest(into: Uint8Array, at: number): number {
    const store = this.#store;
    let oldest: Flow | undefined;
    let cameAt = Infinity;
    for (const flow of this.#flows) {
      if (flow.first === NONE || store.cameAt(flow.first) >= cameAt) continue;
      oldest = flow;
      cameAt = store.cameAt(flow.first);
    }
    if (oldest === undefined) return 0;
    const length = store.lengthOf(oldest.first);
    store.copy(oldest.first, into, at);
    this.#remove(oldest);
    return length;
  }

  /** Drops everything. */
  clear(): void {
    this.cleared += this.length;
    for (const flow of this.#flows) while (flow.first !== NONE) this.#remove(flow);
  }

  /** Takes the first packet of a flow that CoDel lets pass. 0: there is none. */
  #takeOf(flow: Flow, into: Uint8Array, at: number, now: number): number {
    const store = this.#store;
    while (flow.first !== NONE) {
      const kept = flow.first;
      const length = store.lengthOf(kept);
      const isLast = flow.octets - length <= this.#longest;
      const drops = flow.codel.drops(now - store.cameAt(kept), isLast, now, this.#times);
      store.copy(kept, into, at);
      this.#remove(flow);
      if (drops) {
        if (!markCe(into, at, at + length)) {
          this.dropped++;
          continue;
        }
        this.marked++;
      }
      flow.deficit -= length;
      return length;
    }
    return 0;
  }

  #dropOfLongest(): void {
    let longest = this.#flows[0]!;
    for (const flow of this.#flows) if (flow.octets > longest.octets) longest = flow;
    this.#remove(longest);
    this.overflowed++;
  }

  #remove(flow: Flow): void {
    const store = this.#store;
    const kept = flow.first;
    const length = store.lengthOf(kept);
    flow.first = store.behind(kept);
    if (flow.first === NONE) flow.last = NONE;
    flow.octets -= length;
    this.octets -= length;
    this.length--;
    store.free(kept);
  }
}

/** The first flow, except `barred`, with little to send that has used less than its turn. */
function sparseIn(list: FlowList, barred: Flow | undefined): Flow | undefined {
  let flow = list.head;
  while (flow !== undefined && (flow === barred || flow.octets === 0 || flow.octets > QUANTUM || flow.deficit <= 0))
    flow = flow.behind;
  return flow;
}
