// A fixed ring of bytes between a file descriptor and the framing code. One producer, one consumer, no copies: both
// sides work on the longest contiguous piece, `bytes[at, at + length)`.

export class Ring {
  /** The storage. Its size is a power of two. The caller makes it when it needs its address (ffi). */
  readonly bytes: Uint8Array;
  readonly #mask: number;
  /** All bytes ever consumed and committed. The difference is the fill. Both grow without wrapping (up to 2^53). */
  #head = 0;
  #tail = 0;

  constructor(bytes: Uint8Array) {
    if (bytes.length === 0 || (bytes.length & (bytes.length - 1)) !== 0) throw new Error("ring size: a power of two");
    this.bytes = bytes;
    this.#mask = bytes.length - 1;
  }

  get capacity(): number {
    return this.bytes.length;
  }

  /** Bytes waiting to be consumed. */
  get length(): number {
    return this.#tail - this.#head;
  }

  get free(): number {
    return this.bytes.length - (this.#tail - this.#head);
  }

  /** Offset in `bytes` of the first unconsumed byte. */
  get readAt(): number {
    return this.#head & this.#mask;
  }

  get readable(): number {
    return Math.min(this.length, this.bytes.length - (this.#head & this.#mask));
  }

  /** Offset in `bytes` of the first free byte. */
  get writeAt(): number {
    return this.#tail & this.#mask;
  }

  get writable(): number {
    return Math.min(this.free, this.bytes.length - (this.#tail & this.#mask));
  }

  /** Marks `count` bytes at writeAt as filled. */
  commit(count: number): void {
    if (count < 0 || count > this.free) throw new RangeError(`ring: commit of ${count}, ${this.free} free`);
    this.#tail += count;
  }

  /** Frees the first `count` bytes. */
  consume(count: number): void {
    if (count < 0 || count > this.length) throw new RangeError(`ring: consume of ${count}, ${this.length} held`);
    this.#head += count;
  }

  /** Copies bytes in. There must be room for them. */
  put(bytes: Uint8Array): void {
    const first = Math.min(bytes.length, this.bytes.length - this.writeAt);
    this.bytes.set(bytes.subarray(0, first), this.writeAt);
    this.bytes.set(bytes.subarray(first), 0);
    this.commit(bytes.length);
  }

  clear(): void {
    this.#head = this.#tail;
  }
}
