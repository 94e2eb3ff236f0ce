// Reads the fields of a message, little-endian. A field past the end is 0 and noted, so a caller looks once, when it has read all.

export class Fields {
  readonly bytes: Uint8Array;
  /** Where the message begins that the fields are part of: UTF-16 texts are aligned to it. */
  readonly base: number;
  readonly end: number;
  at: number;
  /** A field was longer than the message. */
  isShort = false;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length, base = start) {
    this.bytes = bytes;
    this.at = start;
    this.end = Math.max(start, Math.min(end, bytes.length));
    this.base = base;
  }

  get left(): number {
    return this.end - this.at;
  }

  u8(): number {
    return this.#uint(1);
  }

  u16(): number {
    return this.#uint(2);
  }

  u32(): number {
    return this.#uint(4);
  }

  /** Above 2 ** 53 the last digits are lost. */
  u64(): number {
    const low = this.u32();
    return low + this.u32() * 2 ** 32;
  }

  #uint(size: number): number {
    const at = this.at;
    if (!this.#has(size)) return 0;
    let value = 0;
    for (let octet = size - 1; octet >= 0; octet--) value = value * 256 + this.bytes[at + octet]!;
    return value;
  }

  #has(size: number): boolean {
    const has = size <= this.left;
    if (has) this.at += size;
    else this.isShort = true;
    return has;
  }

  skip(size: number): void {
    this.#has(size);
  }

  /** Skips to a multiple of `size` from the message's start. */
  align(size: number): void {
    const over = (this.at - this.base) % size;
    // Nothing may follow.
    if (over > 0) this.at = Math.min(this.end, this.at + size - over);
  }

  /** The next octets, borrowed. */
  take(size: number): Uint8Array {
    const at = this.at;
    return this.#has(size) ? this.bytes.subarray(at, at + size) : this.bytes.subarray(0, 0);
  }

  /** Octets [start, start + size) of the message, wherever it has been read to. */
  part(start: number, size: number): Fields {
    const from = this.base + start;
    if (size > 0 && (from < this.base || from + size > this.end)) {
      this.isShort = true;
      return new Fields(this.bytes, this.end, this.end, this.base);
    }
    return size === 0 ? new Fields(this.bytes, this.end, this.end) : new Fields(this.bytes, from, from + size, from);
  }
}
