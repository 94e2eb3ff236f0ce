// The file that `record` writes and pppdump reads: every octet of the line, with times in tenths of a second.
//
// A file is a sequence of items. Each is a tag and its fields, with big-endian numbers. Files are opened for appending,
// so a file may hold several sessions. Each session begins with a start item.

import { put16, put32, put8, u16, u32 } from "../bytes/be.ts";

const Tag = {
  Sent: 1,
  Received: 2,
  EndSent: 3,
  EndReceived: 4,
  LongTime: 5,
  ShortTime: 6,
  Start: 7,
} as const;

export type RecordItem =
  /** Seconds since 1970. */
  | { type: "start"; time: number }
  /** `cut`: the file ends before the data does. `data` is a view of the file. */
  | { type: "sent" | "received"; data: Uint8Array; cut: boolean }
  | { type: "end-sent" | "end-received" }
  /** Tenths of a second since the item before. */
  | { type: "time"; tenths: number }
  | { type: "unknown"; tag: number }
  /** The file ends within an item that is not data. */
  | { type: "cut" };

/** The items of a whole file. */
export function* readRecord(file: Uint8Array): Generator<RecordItem> {
  for (let at = 0; at < file.length;) {
    const tag = file[at++]!;
    if (at + fieldLength(tag) > file.length) {
      yield { type: "cut" };
      return;
    }
    switch (tag) {
      case Tag.Sent:
      case Tag.Received: {
        const start = at + 2;
        const end = start + u16(file, at);
        const type = tag === Tag.Sent ? "sent" : "received";
        yield { type, data: file.subarray(start, end), cut: end > file.length };
        at = end;
        break;
      }
      case Tag.EndSent:
        yield { type: "end-sent" };
        break;
      case Tag.EndReceived:
        yield { type: "end-received" };
        break;
      case Tag.LongTime:
        yield { type: "time", tenths: u32(file, at) };
        at += 4;
        break;
      case Tag.ShortTime:
        yield { type: "time", tenths: file[at++]! };
        break;
      case Tag.Start:
        yield { type: "start", time: u32(file, at) };
        at += 4;
        break;
      default:
        yield { type: "unknown", tag };
    }
  }
}

/** Octets between the tag and the data. */
function fieldLength(tag: number): number {
  switch (tag) {
    case Tag.Sent:
    case Tag.Received:
      return 2;
    case Tag.LongTime:
    case Tag.Start:
      return 4;
    case Tag.ShortTime:
      return 1;
    default:
      return 0;
  }
}

const LONGEST_DATA = 0xffff;

/** Makes the octets of a record file. Every function returns what to append. Times are in milliseconds since 1970. */
export class RecordWriter {
  /** The tenths of a second that the file has recorded so far. */
  #tenth: number;
  readonly #startedAt: number;

  constructor(now: number) {
    this.#startedAt = now;
    this.#tenth = Math.floor(now / 100);
  }

  start(): Uint8Array {
    const item = new Uint8Array(5);
    put32(item, put8(item, 0, Tag.Start), Math.floor(this.#startedAt / 1000));
    return item;
  }

  /** bytes[start, end) was sent to the line. */
  sent(bytes: Uint8Array, start: number, end: number, now: number): Uint8Array {
    return this.#data(Tag.Sent, bytes, start, end, now);
  }

  /** bytes[start, end) was received from the line. */
  received(bytes: Uint8Array, start: number, end: number, now: number): Uint8Array {
    return this.#data(Tag.Received, bytes, start, end, now);
  }

  endSent(now: number): Uint8Array {
    return this.#item(Tag.EndSent, now);
  }

  endReceived(now: number): Uint8Array {
    return this.#item(Tag.EndReceived, now);
  }

  #data(tag: number, bytes: Uint8Array, start: number, end: number, now: number): Uint8Array {
    const pieces = Math.ceil((end - start) / LONGEST_DATA);
    const items = new Uint8Array(MOST_TIME + 3 * pieces + (end - start));
    let at = this.#putTime(items, now);
    for (let piece = start; piece < end; piece += LONGEST_DATA) {
      const data = bytes.subarray(piece, Math.min(piece + LONGEST_DATA, end));
      at = put16(items, put8(items, at, tag), data.length);
      items.set(data, at);
      at += data.length;
    }
    return items.subarray(0, at);
  }

  #item(tag: number, now: number): Uint8Array {
    const item = new Uint8Array(MOST_TIME + 1);
    return item.subarray(0, put8(item, this.#putTime(item, now), tag));
  }

  /**
   * Writes the time since the item before, if it is a tenth or more. Tenths are cut off, not rounded, so that none is
   * lost.
   */
  #putTime(buf: Uint8Array, now: number): number {
    const tenth = Math.floor(now / 100);
    const passed = tenth - this.#tenth;
    if (passed <= 0) return 0;
    this.#tenth = tenth;
    if (passed <= 0xff) return put8(buf, put8(buf, 0, Tag.ShortTime), passed);
    return put32(buf, put8(buf, 0, Tag.LongTime), Math.min(passed, 0xffffffff));
  }
}

/** The octets of the longest time item. */
const MOST_TIME = 5;
