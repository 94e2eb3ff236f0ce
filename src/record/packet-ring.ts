// The latest packets of a session, always kept: 64 kB with their times, directions and beginnings, and notes between them.
// Putting a packet in allocates nothing. Passwords are overwritten.

import { addressEnd, protocolAt, protocolEnd } from "../frame/header.ts";
import { hidePassword } from "../wire/hidden-password.ts";
import { keptOctets, MOST_KEPT } from "./kept-octets.ts";

/** Where lines have their numbers, this one stands for the network phase and its packets, decompressed. */
export const NETWORK = 255;
const SIZE = 0x10000;
/** The octets before those of the packet: time, lengths, bad frames. Everything is aligned to eight octets. */
const HEADER = 16;
const LENGTHS = 2;
const COUNTS = 3;
/** A power of two, and more than the number of items of the least size. */
const MOST_ITEMS = 4096;
const LEAST_SIZE = 24;
const SIZE_SHIFT = 16;
const KINDS = 0xffff;
export const COUNT_MASK = 0xffff;
/** The lowest bits of the kind. The others are the number of the line. */
const NOTE = 0;
const RECEIVED = 1;
const SENT = 2;
const LINE_SHIFT = 2;

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

export type Kept =
  | {
      readonly type: "packet";
      readonly line: number;
      readonly isSent: boolean;
      /** In ms, by the clock of the loop. */
      readonly time: number;
      /** A view of the ring: the beginning of the packet. */
      readonly octets: Uint8Array;
      /** The length of the whole packet. */
      readonly length: number;
      /** The bad frames that its line had received by then. The ring keeps the lower 16 bits. */
      readonly badFrames: number;
      /** So many data packets before it were not kept, because too many came at once. */
      readonly leftOut: number;
    }
  | { readonly type: "note"; readonly line: number; readonly time: number; readonly text: string };

export class PacketRing {
  readonly #bytes = new Uint8Array(new ArrayBuffer(SIZE));
  readonly #words = new Uint32Array(this.#bytes.buffer);
  readonly #times = new Float64Array(this.#bytes.buffer);
  /**
   * Size and kind of each item. They are apart from the items because to drop the oldest item would otherwise wait for
   * memory that was written long ago.
   */
  readonly #heads = new Uint32Array(MOST_ITEMS);
  #oldest = 0;
  #next = 0;
  /** The oldest item, and the place of the next. */
  #head = 0;
  #tail = 0;
  /** The next item comes before the oldest. The items from #head end at #end; the others begin at 0. */
  #isWrapped = false;
  #end = 0;

  /** `counts`: the bad frames so far, and the packets left out shifted by 16. */
  received(line: number, now: number, packet: Uint8Array, start: number, end: number, counts: number): void {
    const at = this.#packet((line << LINE_SHIFT) | RECEIVED, now, packet, start, end);
    this.#words[(at >>> 2) + COUNTS] = counts;
  }

  sent(line: number, now: number, packet: Uint8Array, start: number, end: number, counts: number): void {
    const at = this.#packet((line << LINE_SHIFT) | SENT, now, packet, start, end);
    this.#words[(at >>> 2) + COUNTS] = counts;
  }

  note(line: number, now: number, text: string): void {
    const octets = ENCODER.encode(text).subarray(0, MOST_KEPT);
    const at = this.#room((line << LINE_SHIFT) | NOTE, HEADER + octets.length);
    this.#put(at, now, octets.length, octets.length);
    this.#bytes.set(octets, at + HEADER);
  }

  /** Returns the place of the item. */
  #packet(kind: number, now: number, packet: Uint8Array, start: number, end: number): number {
    const kept = keptOctets(packet, start, end);
    const at = this.#room(kind, HEADER + kept);
    this.#put(at, now, kept, end - start);
    const bytes = this.#bytes;
    // For so few octets a loop is faster than set(), which needs a view. Packets come from many buffers, so that views of
    // those, for reading four octets at a time, would have to be made too often.
    for (let to = at + HEADER, from = start, stop = start + kept; from < stop;) bytes[to++] = packet[from++]!;
    const address = addressEnd(packet, start, end);
    // Control protocols have a first octet from 0x80 on, and no protocol below carries passwords.
    if (packet[address]! >= 0x80) this.#hide(at + HEADER, at + HEADER + kept);
    return at;
  }

  #hide(start: number, end: number): void {
    const bytes = this.#bytes;
    const address = addressEnd(bytes, start, end);
    const at = protocolEnd(bytes, address, end);
    if (at >= 0) hidePassword(protocolAt(bytes, address, at), bytes, at, end);
  }

  #put(at: number, now: number, kept: number, length: number): void {
    const words = this.#words;
    const word = at >>> 2;
    this.#times[at >>> 3] = now;
    words[word + LENGTHS] = (length << 16) | kept;
  }

  /** Makes room for an item and returns its place. */
  #room(kind: number, octets: number): number {
    const size = Math.max(LEAST_SIZE, (octets + 7) & ~7);
    let at = this.#tail;
    for (;;) {
      const limit = this.#isWrapped ? this.#head : SIZE;
      if (at + size <= limit) break;
      if (this.#isWrapped) this.#dropOldest();
      else {
        this.#end = at;
        this.#isWrapped = true;
        at = 0;
      }
    }
    this.#heads[this.#next & (MOST_ITEMS - 1)] = (size << SIZE_SHIFT) | kind;
    this.#next++;
    this.#tail = at + size;
    return at;
  }

  #dropOldest(): void {
    this.#head += this.#heads[this.#oldest & (MOST_ITEMS - 1)]! >>> SIZE_SHIFT;
    this.#oldest++;
    if (this.#head !== this.#end) return;
    this.#head = 0;
    this.#isWrapped = false;
  }

  /** The items from a moment on, oldest first. What it gives is valid until the ring gets another one. */
  *items(since = -Infinity): Generator<Kept> {
    let at = this.#head;
    for (let number = this.#oldest; number < this.#next; number++) {
      if (this.#isWrapped && at === this.#end) at = 0;
      const head = this.#heads[number & (MOST_ITEMS - 1)]!;
      if (this.#times[at >>> 3]! >= since) yield this.#item(at, head & KINDS);
      at += head >>> SIZE_SHIFT;
    }
  }

  #item(at: number, kind: number): Kept {
    const word = at >>> 2;
    const lengths = this.#words[word + LENGTHS]!;
    const octets = this.#bytes.subarray(at + HEADER, at + HEADER + (lengths & 0xffff));
    const line = kind >>> LINE_SHIFT;
    const time = this.#times[at >>> 3]!;
    if ((kind & 3) === NOTE) return { type: "note", line, time, text: DECODER.decode(octets) };
    const isSent = (kind & 3) === SENT;
    const counts = this.#words[word + COUNTS]!;
    const [badFrames, leftOut] = [counts & COUNT_MASK, counts >>> 16];
    return { type: "packet", line, isSent, time, octets, length: lengths >>> 16, badFrames, leftOut };
  }
}
