// Models one direction of a serial line without a clock: 8N1 pacing (ten bits a byte), damage, a cut cable.
//
// The sender's FIFO holds a few bytes, like a UART's. Bytes that do not fit stay in the sender's tty, which the sender
// notices as back pressure. A byte arrives no earlier than the end of its stop bit. Bytes arrive in small groups, as
// from a receiver's FIFO, but the last waiting byte arrives at its own time, so an idle line adds no delay.

import type { Rng } from "./rng.ts";
import { bitsOf, isAlike, type PortFormat, UartReceiver, type UartStats } from "./uart.ts";

export interface WireOptions {
  /** Bits a second. 0: without limit. */
  readonly baud: number;
  /** The probability that a data bit flips, and that a byte is lost. */
  readonly bitErrors?: number;
  readonly drops?: number;
  /** When the sender's port has a higher speed than this, the line damages what it carries. */
  readonly cleanTo?: number;
  readonly rng: Rng;
}

export interface WireStats {
  /** Bytes taken from the sender and handed to the receiver. */
  taken: number;
  delivered: number;
  /** Damage: bits flipped, bytes dropped. */
  flipped: number;
  dropped: number;
  /** Bytes that arrived while the cable was cut or no program had the far end open. */
  lost: number;
  /** The counters of the receiver's UART, if the settings of both ports are known. */
  uart?: UartStats;
}

const UNPACED_FIFO = 65536;
const MIN_FIFO = 64;
/** How long the FIFO lasts. The relay may wake this late before the line is idle. */
const FIFO_MS = 5;
/** The longest time that a busy machine keeps the relay from its work. */
const LATE_MS = 50;
/** Deliveries closer together than this are combined. */
const GROUP_MS = 1;
/** The probability that a bit flips on a line that is too fast: one octet of 125 is damaged. */
const TOO_FAST = 0.001;

export class Wire {
  readonly stats: WireStats = { taken: 0, delivered: 0, flipped: 0, dropped: 0, lost: 0 };
  cut = false;
  #byteMs = 0;
  readonly #fifo = new Uint8Array(UNPACED_FIFO);
  #size = UNPACED_FIFO;
  #fill = 0;
  /** The settings of the sender's port, and the receiver's UART. Undefined: every byte arrives as it was sent. */
  #sender: PortFormat | undefined;
  #receiver: UartReceiver | undefined;
  /** When the first byte of the FIFO started on the wire. */
  #startedAt = 0;
  /** The sender had at least as much as was taken last. */
  #isPressed = false;
  #bitErrors = 0;
  #drops = 0;
  readonly #cleanTo: number;
  #isTooFast = false;
  #rng: Rng;
  /** The data bits, and the bytes, until the next damaged one (1: the next). */
  #bitsToFlip = Infinity;
  #bytesToDrop = Infinity;

  constructor(options: WireOptions) {
    this.#pace(options.baud > 0 ? 10_000 / options.baud : 0);
    this.#rng = options.rng;
    this.#cleanTo = options.cleanTo ?? Infinity;
    this.setDamage(options.bitErrors ?? 0, options.drops ?? 0, options.rng);
  }

  #pace(byteMs: number): void {
    this.#byteMs = byteMs;
    this.#size = byteMs > 0 ? Math.floor(Math.min(UNPACED_FIFO, Math.max(MIN_FIFO, FIFO_MS / byteMs))) : UNPACED_FIFO;
  }

  /** Sets the ports of both ends from now on. The sender's decides the pace, the receiver's what is received. */
  setPorts(sender: PortFormat, receiver: PortFormat): void {
    if (sender.baud === 0 || receiver.baud === 0) return; // B0 hangs up, and is nobody's speed
    this.#sender = sender;
    const isTooFast = sender.baud > this.#cleanTo;
    if (isTooFast !== this.#isTooFast) {
      this.#isTooFast = isTooFast;
      this.#bitsToFlip = this.#rng.gap(this.#flips);
    }
    this.#pace((bitsOf(sender) * 1000) / sender.baud);
    this.#receiver ??= new UartReceiver(receiver);
    this.#receiver.format = receiver;
    this.stats.uart = this.#receiver.stats;
  }

  /** The damage of the bytes that arrive from now on. */
  setDamage(bitErrors: number, drops: number, rng: Rng): void {
    this.#bitErrors = bitErrors;
    this.#drops = drops;
    this.#rng = rng;
    this.#bitsToFlip = rng.gap(this.#flips);
    this.#bytesToDrop = rng.gap(drops);
  }

  get #flips(): number {
    return this.#isTooFast ? Math.max(this.#bitErrors, TOO_FAST) : this.#bitErrors;
  }

  /** How many bytes can be taken now. */
  get room(): number {
    return Math.max(0, this.#size - this.#fill);
  }

  get waiting(): number {
    return this.#fill;
  }

  /** Takes bytes[0, length), at most `room`, from the sender. */
  take(bytes: Uint8Array, length: number, now: number): void {
    // A relay that is late does not make the line idle while octets wait for it.
    const wasBusy = this.#isPressed && now - this.#startedAt < LATE_MS;
    if (this.#fill === 0 && !wasBusy) this.#startedAt = Math.max(now, this.#startedAt);
    this.#isPressed = this.#byteMs > 0 && length === this.room;
    this.#fifo.set(bytes.subarray(0, length), this.#fill);
    this.#fill += length;
    this.stats.taken += length;
  }

  /** How many of the waiting bytes have arrived. They are at the head of {@link peek}. */
  arrived(now: number): number {
    if (this.#byteMs === 0) return this.#fill;
    // A billionth of a byte of slack, because rounding errors of byte times must not miss a deadline.
    return Math.min(this.#fill, Math.max(0, Math.floor((now - this.#startedAt) / this.#byteMs + 1e-9)));
  }

  /** When the next delivery is due, or Infinity. */
  dueAt(): number {
    if (this.#fill === 0) return this.#receiver?.completeAt ?? Infinity;
    if (this.#byteMs === 0) return 0;
    const all = this.#startedAt + this.#fill * this.#byteMs;
    const group = this.#startedAt + Math.max(this.#byteMs, GROUP_MS);
    return Math.min(all, group);
  }

  /** True when the receiver's UART has waited long enough to complete a character. */
  completes(now: number): boolean {
    return this.#fill === 0 && this.#receiver !== undefined && this.#receiver.completeAt <= now;
  }

  /**
   * Removes the first `count` arrived bytes from the line and writes the surviving ones to `out`. Returns how many.
   * With `listening` false, or a cut cable, none survives.
   */
  deliver(count: number, listening: boolean, out: Uint8Array, now: number): number {
    let length = 0;
    const [sender, receiver] = [this.#sender, this.#receiver];
    if (this.cut || !listening) {
      this.stats.lost += count;
    } else if (sender !== undefined && receiver !== undefined && !isAlike(sender, receiver.format)) {
      length = this.#sample(count, sender, receiver, out);
      this.stats.delivered += length;
    } else if (this.#flips === 0 && this.#drops === 0) {
      out.set(this.#fifo.subarray(0, count));
      this.stats.delivered += length = count;
    } else {
      for (let at = 0; at < count; at++) {
        const byte = this.#damage(this.#fifo[at]!);
        if (byte >= 0) out[length++] = byte;
      }
      this.stats.delivered += length;
    }
    if (receiver !== undefined && count === this.#fill) length += this.#rest(receiver, now, out.subarray(length));
    this.#fifo.copyWithin(0, count, this.#fill);
    this.#fill -= count;
    this.#startedAt += count * this.#byteMs;
    return length;
  }

  /** What the receiver makes from the first `count` bytes. */
  #sample(count: number, sender: PortFormat, receiver: UartReceiver, out: Uint8Array): number {
    const heard: number[] = [];
    for (let at = 0; at < count; at++) {
      const byte = this.#damage(this.#fifo[at]!);
      const startedAt = this.#startedAt + at * this.#byteMs;
      if (byte >= 0) receiver.octet(byte, sender, startedAt, heard);
    }
    out.set(heard);
    return heard.length;
  }

  /** What the receiver makes from the quiet line after the last byte. */
  #rest(receiver: UartReceiver, now: number, out: Uint8Array): number {
    const heard: number[] = [];
    receiver.idle(now, heard);
    out.set(heard);
    this.stats.delivered += heard.length;
    return heard.length;
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
      this.#bitsToFlip += this.#rng.gap(this.#flips);
    }
    this.#bitsToFlip -= 8;
    return byte;
  }
}
