// The RC4 stream cipher, for MPPE (RFC 3078 §5, §6). RC4 is weak, so nothing except MPPE may use it.

export class Rc4 {
  readonly #state = new Uint8Array(256);
  #i = 0;
  #j = 0;

  /** Starts a new key stream with key[0, length). */
  setKey(key: Uint8Array, length: number = key.length): void {
    const state = this.#state;
    for (let i = 0; i < 256; i++) state[i] = i;
    for (let i = 0, j = 0, k = 0; i < 256; i++) {
      const swapped = state[i]!;
      j = (j + swapped + key[k]!) & 0xff;
      state[i] = state[j]!;
      state[j] = swapped;
      if (++k === length) k = 0;
    }
    this.#i = this.#j = 0;
  }

  /** Encrypts or decrypts from[start, end) to to[at, …), which may be the same octets. */
  crypt(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): void {
    const state = this.#state;
    let i = this.#i;
    let j = this.#j;
    for (; start < end; start++, at++) {
      i = (i + 1) & 0xff;
      const a = state[i]!;
      j = (j + a) & 0xff;
      const b = state[j]!;
      state[i] = b;
      state[j] = a;
      to[at] = from[start]! ^ state[(a + b) & 0xff]!;
    }
    this.#i = i;
    this.#j = j;
  }
}
