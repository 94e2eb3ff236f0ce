// One direction of a serial line as a model without a clock: 8N1 pacing (ten bits a byte), damage, a cut cable.
//
// The sender's FIFO holds a few bytes, as a UART's does; what does not fit stays in the sender's tty, which is what the
// sender feels as back pressure. A byte leaves no earlier than the end of its stop bit. Bytes leave in small groups, as
// from a receiver's FIFO, but the last one waiting leaves at its own time, so an idle line adds no delay.

import type { Rng } from "./rng.ts";

export interface WireOptions {
  /** Bits a second; 0: as fast as it goes. */
  readonly baud: number;
  /** Probability that a data bit flips, and that a byte is lost. */
  readonly bitErrors?: number;
  readonly drops?: number;
  readonly rng: Rng;
}

export interface WireStats {
  /** Bytes taken from the sender and handed to the receiver. */
  taken: number;
  delivered: number;
  /** Damage: bits flipped, bytes dropped. */
  flipped: number;
  dropped: number;
  /** Bytes that arrived while the cable was cut or nobody had the far end open. */
  lost: number;
}

const UNPACED_FIFO = 65536;
const MIN_FIFO = 64;
/** How long the FIFO lasts: the relay may be woken this late before the line runs dry. */
const FIFO_MS = 5;
/** Deliveries closer together than this share one. */
const GROUP_MS = 1;

export class Wire {
  readonly stats: WireStats = { taken: 0, delivered: 0, flipped: 0, dropped: 0, lost: 0 };
  cut = false;
  readonly #byteMs: number;
  readonly #fifo: Uint8Array;
  #fill = 0;
  /** When the first byte of the FIFO started on the wire. */
  #startedAt = 0;
  #bitErrors = 0;
  #drops = 0;
  #rng: Rng;
  /** Data bits, and bytes, until the next damaged one (1: the next). */
  #bitsToFlip = Infinity;
  #bytesToDrop = Infinity;

  constructor(options: WireOptions) {
    this.#byteMs = options.baud > 0 ? 10_000 / options.baud : 0;
    const size = this.#byteMs > 0 ? Math.min(UNPACED_FIFO, Math.max(MIN_FIFO, FIFO_MS / this.#byteMs)) : UNPACED_FIFO;
    this.#fifo = new Uint8Array(Math.floor(size));
    this.#rng = options.rng;
    this.setDamage(options.bitErrors ?? 0, options.drops ?? 0, options.rng);
  }

  /** What happens to the bytes that arrive from now on. */
  setDamage(bitErrors: number, drops: number, rng: Rng): void {
    this.#bitErrors = bitErrors;
    this.#drops = drops;
    this.#rng = rng;
    this.#bitsToFlip = rng.gap(bitErrors);
    this.#bytesToDrop = rng.gap(drops);
  }

  /** How many bytes may be taken now. */
  get room(): number {
    return this.#fifo.length - this.#fill;
  }

  get waiting(): number {
    return this.#fill;
  }

  /** Takes bytes[0, length), at most `room`, from the sender. */
  take(bytes: Uint8Array, length: number, now: number): void {
    if (this.#fill === 0) this.#startedAt = Math.max(now, this.#startedAt);
    this.#fifo.set(bytes.subarray(0, length), this.#fill);
    this.#fill += length;
    this.stats.taken += length;
  }

  /** How many of the waiting bytes have arrived by now: those at the head of {@link peek}. */
  arrived(now: number): number {
    if (this.#byteMs === 0) return this.#fill;
    // A billionth of a byte of slack: sums of floating-point byte times must not miss their own deadline.
    return Math.min(this.#fill, Math.max(0, Math.floor((now - this.#startedAt) / this.#byteMs + 1e-9)));
  }

  /** When the next delivery is due, or Infinity. */
  dueAt(): number {
    if (this.#fill === 0) return Infinity;
    if (this.#byteMs === 0) return 0;
    const all = this.#startedAt + this.#fill * this.#byteMs;
    const group = this.#startedAt + Math.max(this.#byteMs, GROUP_MS);
    return Math.min(all, group);
  }

  /**
   * Removes the first `count` arrived bytes from the line and writes those that survive to `out`; returns how many. With
   * `listening` false, or a cut cable, none does.
   */
  deliver(count: number, listening: boolean, out: Uint8Array): number {
    let length = 0;
    if (this.cut || !listening) {
      this.stats.lost += count;
    } else if (this.#bitErrors === 0 && this.#drops === 0) {
      out.set(this.#fifo.subarray(0, count));
      this.stats.delivered += length = count;
    } else {
      for (let at = 0; at < count; at++) {
        const byte = this.#damage(this.#fifo[at]!);
        if (byte >= 0) out[length++] = byte;
      }
      this.stats.delivered += length;
    }
    this.#fifo.copyWithin(0, count, this.#fill);
    this.#fill -= count;
    this.#startedAt += count * this.#byteMs;
    return length;
  }

  /** The byte as it arrives, or -1 when it is lost. */
  #damage(byte: number): number {
    if (--this.#bytesToDrop <= 0) {
      this.#bytesToDrop = this.#rng.gap(this.#drops);
      this.stats.dropped++;
      return -1;
    }
    while (this.#bitsToFlip <= 8) {
      const bit = this.#bitsToFlip - 1;
      byte ^= 1 << bit;
      this.stats.flipped++;
      this.#bitsToFlip += this.#rng.gap(this.#bitErrors);
    }
    this.#bitsToFlip -= 8;
    return byte;
  }
}
