// The octets of a socket on their way to the peer: read when they can be sent, and kept until they are acknowledged.

import { distance, type RingPool, type SequenceRing } from "./sequence.ts";
import { FAILED, NOT_NOW, type SocketSide } from "./socket-side.ts";

/** The first ring is as large as the first read, within these limits. */
const LEAST_RING = 2048;
const FIRST_RING = 16384;
const MOST_RING = 1_048_576;

export class SendBuffer {
  /** One past the last octet that was read. */
  end: number;
  /** The socket has given its last octet. */
  isEnded = false;
  hasFailed = false;
  #mayRead = true;
  #ring: SequenceRing | undefined;
  readonly #side: SocketSide;
  readonly #pool: RingPool;

  /** `first` is the number of the first octet. */
  constructor(side: SocketSide, pool: RingPool, first: number) {
    this.#side = side;
    this.#pool = pool;
    this.end = first;
  }

  readable(): void {
    this.#mayRead = true;
  }

  get mayRead(): boolean {
    return this.#mayRead && !this.isEnded;
  }

  release(): void {
    if (this.#ring !== undefined) this.#pool.giveBack(this.#ring);
    this.#ring = undefined;
  }

  copy(sequence: number, count: number, into: Uint8Array, at: number): void {
    this.#ring?.copy(sequence, count, into, at);
  }

  /** Reads about `want` octets, of which at least `least` if the socket has them. All from `una` on are kept. */
  fill(socket: number, una: number, want: number, least: number): void {
    const ring = this.#ringFor(una, want);
    const count = ring.straight(this.end, Math.min(want, ring.size - distance(una, this.end)));
    if (count <= 0) return;
    const got = this.#side.read(socket, ring.bytes, ring.placeOf(this.end), count);
    if (got > 0) {
      this.end = (this.end + got) >>> 0;
      // The rest may lie at the beginning of the ring.
      if (got === count && count < want && got < least) this.fill(socket, una, want - got, least - got);
      return;
    }
    this.#mayRead = false;
    if (got === 0) this.isEnded = true;
    else if (got === FAILED) this.hasFailed = true;
    else if (got !== NOT_NOW) throw new RangeError(`a socket read ${got} octets`);
    if (this.end === una) this.release();
  }

  /** The ring, larger if it should be and may be. */
  #ringFor(una: number, want: number): SequenceRing {
    const held = distance(una, this.end);
    const first = Math.min(FIRST_RING, Math.max(LEAST_RING, 2 ** Math.ceil(Math.log2(want))));
    let ring = (this.#ring ??= this.#pool.take(first, true)!);
    while (held + want > ring.size && ring.size < MOST_RING) {
      const larger = this.#pool.take(Math.min(MOST_RING, ring.size * 4), false);
      if (larger === undefined) break;
      for (let done = 0; done < held;) {
        const from = (una + done) >>> 0;
        const count = ring.straight(from, held - done);
        larger.put(from, ring.bytes, ring.placeOf(from), count);
        done += count;
      }
      this.#pool.giveBack(ring);
      this.#ring = ring = larger;
    }
    return ring;
  }
}
