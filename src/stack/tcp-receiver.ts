// What the peer sends on a connection, on its way to the socket. There is no buffer for octets in order: they are
// acknowledged when the socket has taken them. Octets that come too early, and those that the socket refuses, are kept in a
// ring until they can be written.

import { FAILED, type SocketSide } from "./socket-side.ts";
import type { TcpSegment } from "./tcp-segment.ts";
import { distance, isBefore, type RingPool, SequenceRanges, type SequenceRing } from "./sequence.ts";

/** The largest window that is offered. */
const MOST_WINDOW = 262144;
const EARLY_RING = 65536;

export class TcpReceiver {
  /** The next octet that is expected. */
  next = 0;
  /** The right edge of the window, as offered to the peer. It never moves back. */
  edge = 0;
  /** The shift of our window; 0 when the peer does not scale. */
  shift = 0;
  /** Where the newest early octets begin, for SACK. */
  newest = 0;
  /** The socket refused octets and has not become writable since. */
  isBlocked = false;
  hasFailed = false;
  /** The last octet, the peer's FIN, if it has been seen. */
  #finAt: number | undefined;
  /** The FIN has been reached. */
  isOver = false;
  readonly early = new SequenceRanges();
  readonly #side: SocketSide;
  readonly #pool: RingPool;
  #ring: SequenceRing | undefined;
  /** What the socket had room for when {@link next} was this. */
  #lastRoom = 0;
  #askedAt = 0;
  #isAsked = false;

  constructor(side: SocketSide, pool: RingPool) {
    this.#side = side;
    this.#pool = pool;
  }

  /** `first` is the number of the first octet. Our SYN has offered a window of so many octets. */
  begin(first: number, offered: number, shift: number): void {
    this.next = first;
    const unit = 2 ** shift;
    this.edge = (first + Math.ceil(offered / unit) * unit) >>> 0;
  }

  /** How many octets the peer may send. */
  get window(): number {
    return Math.max(0, distance(this.next, this.edge));
  }

  /**
   * Moves the edge to what the socket has room for. Small steps wait until they are worth a segment. Until the socket has
   * refused something the window is at least a segment, because only then does the socket tell when it has room again.
   */
  openWindow(socket: number, mss: number): void {
    const unit = 2 ** this.shift;
    const most = Math.min(MOST_WINDOW, 0xffff * unit);
    const room = Math.min(this.isBlocked ? 0 : Math.max(mss, this.#room(socket, most)), most);
    // The window is stated in units.
    const edge = (this.next + Math.ceil(room / unit) * unit) >>> 0;
    const gain = distance(this.edge, edge);
    if (gain >= mss || (gain > 0 && (this.window >= mss || !this.isBlocked))) this.edge = edge;
  }

  /**
   * What the socket has room for. It had so much when it was asked last, except for what has come since: it is asked again
   * only when that is too little.
   */
  #room(socket: number, most: number): number {
    const since = distance(this.#askedAt, this.next);
    if (!this.#isAsked || (since > 0 && this.#lastRoom - since < most)) {
      this.#isAsked = true;
      this.#askedAt = this.next;
      this.#lastRoom = this.#side.room(socket);
      return this.#lastRoom;
    }
    return this.#lastRoom - since;
  }

  /** A part of the segment is in the window (RFC 9293 §3.10.7.4). A FIN alone needs no room. */
  accepts(segment: TcpSegment): boolean {
    const { next, window } = this;
    const first = distance(next, segment.sequence);
    const { length } = segment;
    if (length === 0) return window === 0 ? first === 0 : first >= 0 && first < window;
    if (first === 0 && segment.dataLength === 0) return true;
    return window > 0 && first < window && first + length > 0;
  }

  /**
   * An unacceptable segment has a valid acknowledgment when it probes the closed window (RFC 9293 §3.10.7.4), and when the peer does
   * not know yet that we have taken the octet of its probe.
   */
  mayAcknowledge({ sequence, length }: TcpSegment): boolean {
    const missed = distance(sequence, this.next);
    return missed === 0 ? this.window === 0 : missed === 1 && length === 0;
  }

  /** The field of the segment. The edge that it states may not be beyond {@link edge}. */
  get windowField(): number {
    return Math.min(0xffff, this.window >>> this.shift);
  }

  /**
   * Takes the octets bytes[start, end), of which the first is `sequence`. Returns true when they came in order.
   */
  take(socket: number, sequence: number, bytes: Uint8Array, start: number, end: number): boolean {
    const late = Math.max(0, distance(sequence, this.next));
    const over = Math.max(0, distance(this.edge, sequence + (end - start)));
    const from = start + late;
    // What lies beyond the peer's FIN is a lie.
    const beyond = this.#finAt === undefined ? 0 : Math.max(0, distance(this.#finAt, sequence + (end - start)));
    const to = end - Math.max(over, beyond);
    if (from >= to) return false;
    const first = (sequence + late) >>> 0;
    if (first !== this.next) {
      this.#keep(first, bytes, from, to);
      return false;
    }
    const taken = this.isBlocked ? 0 : this.#write(socket, bytes, from, to);
    if (taken < to - from) this.#keep(this.next, bytes, from + taken, to);
    else if (this.early.count > 0) this.#writeKept(socket);
    return true;
  }

  /** The peer's FIN has this number. */
  finish(at: number): void {
    if (!isBefore(at, this.next)) this.#finAt ??= at;
  }

  /** The FIN is the next. Counts it; true once. */
  reachesFin(): boolean {
    if (this.isOver || this.#finAt !== this.next) return false;
    this.isOver = true;
    this.next = (this.next + 1) >>> 0;
    if (isBefore(this.edge, this.next)) this.edge = this.next;
    this.release();
    return true;
  }

  /** The socket has room. True when the peer must be told. */
  resume(socket: number, mss: number): boolean {
    if (!this.isBlocked) return false;
    const { next, window } = this;
    this.isBlocked = this.#isAsked = false;
    this.#writeKept(socket);
    this.openWindow(socket, mss);
    return this.next !== next || this.window > window;
  }

  release(): void {
    if (this.#ring !== undefined) this.#pool.giveBack(this.#ring);
    this.#ring = undefined;
    this.early.clear();
  }

  /** Writes to the socket and counts what it takes. */
  #write(socket: number, bytes: Uint8Array, start: number, end: number): number {
    const written = this.#side.write(socket, bytes, start, end);
    if (written === FAILED) this.hasFailed = true;
    const taken = Math.max(0, written);
    if (taken < end - start) this.isBlocked = true;
    this.next = (this.next + taken) >>> 0;
    return taken;
  }

  #keep(sequence: number, bytes: Uint8Array, start: number, end: number): void {
    this.#ring ??= this.#pool.take(EARLY_RING, false);
    if (this.#ring === undefined) return;
    const room = this.#ring.size - distance(this.next, sequence);
    const count = Math.min(end - start, room);
    if (count <= 0 || !this.early.add(sequence, (sequence + count) >>> 0)) return;
    this.#ring.put(sequence, bytes, start, count);
    this.newest = sequence;
  }

  #writeKept(socket: number): void {
    const { early } = this;
    while (this.#ring !== undefined && !this.isBlocked) {
      early.dropBefore(this.next);
      if (early.count === 0 || early.from(0) !== this.next) break;
      const count = this.#ring.straight(this.next, distance(this.next, early.to(0)));
      const at = this.#ring.placeOf(this.next);
      this.#write(socket, this.#ring.bytes, at, at + count);
    }
    early.dropBefore(this.next);
    if (early.count === 0) this.release();
  }
}
