// Writes the fields of a message, little-endian, into memory that grows.

const FIRST = 512;

export class Octets {
  #bytes: Uint8Array;
  length = 0;

  constructor(size = FIRST) {
    this.#bytes = new Uint8Array(size);
  }

  /** What was written, borrowed. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  #grow(size: number): number {
    const at = this.length;
    this.length += size;
    if (this.length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.length, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
    }
    return at;
  }

  u8(...values: readonly number[]): void {
    for (const value of values) this.#bytes[this.#grow(1)] = value;
  }

  u16(...values: readonly number[]): void {
    for (const value of values) this.setU16(this.#grow(2), value);
  }

  u32(...values: readonly number[]): void {
    for (const value of values) this.setU32(this.#grow(4), value);
  }

  u64(...values: readonly number[]): void {
    for (const value of values) this.u32(value % 2 ** 32, Math.floor(value / 2 ** 32));
  }

  put(bytes: Uint8Array): void {
    // Growing may exchange the memory, so it comes first.
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
  }

  zeros(count: number): void {
    const at = this.#grow(count);
    this.#bytes.fill(0, at, at + count);
  }

  /** Zeros up to a multiple of `size`, counted from `base`. */
  align(size: number, base = 0): void {
    const over = (this.length - base) % size;
    if (over > 0) this.zeros(size - over);
  }

  /** Forgets what was written after `length`. */
  cutTo(length: number): void {
    this.length = Math.min(this.length, length);
  }

  setU8(at: number, value: number): void {
    this.#bytes[at] = value;
  }

  setU16(at: number, value: number): void {
    this.#bytes[at] = value;
    this.#bytes[at + 1] = value >>> 8;
  }

  setU32(at: number, value: number): void {
    for (let octet = 0; octet < 4; octet++) this.#bytes[at + octet] = value >>> (8 * octet);
  }
}
