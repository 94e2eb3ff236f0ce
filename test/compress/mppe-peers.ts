// Peers for MPPE, written from their known behaviour on the wire: Linux's ppp_mppe and FreeBSD's ng_mppc, which treat
// the bit A differently. Stateful or stateless, without MPPC. Ciphers and hashes are node:crypto's.

import { type Cipheriv, createCipheriv, createHash } from "node:crypto";
import type { MppeBits } from "../../src/crypto/mppe-keys.ts";

export type Kind = "Linux" | "FreeBSD";
export const KINDS: readonly Kind[] = ["Linux", "FreeBSD"];

export interface PeerConfig {
  readonly key: Uint8Array;
  readonly bits: MppeBits;
  readonly stateless: boolean;
}

class Keys {
  readonly #start: Uint8Array;
  readonly #weak: readonly number[];
  #key: Uint8Array;
  #cipher: Cipheriv;

  constructor({ key, bits }: PeerConfig) {
    this.#start = key.slice(0, bits === 128 ? 16 : 8);
    this.#weak = { 40: [0xd1, 0x26, 0x9e], 56: [0xd1], 128: [] }[bits];
    this.#key = this.#start;
    this.#key = this.#hash();
    this.#key.set(this.#weak);
    this.#cipher = this.#begin();
  }

  change(): void {
    const interim = this.#hash();
    this.#key = new Uint8Array(createCipheriv("rc4", interim, null).update(interim));
    this.#key.set(this.#weak);
    this.restart();
  }

  restart(): void {
    this.#cipher = this.#begin();
  }

  crypt(bytes: Uint8Array): Uint8Array {
    return new Uint8Array(this.#cipher.update(bytes));
  }

  #begin(): Cipheriv {
    return createCipheriv("rc4", this.#key, null);
  }

  #hash(): Uint8Array {
    const hash = createHash("sha1");
    for (const part of [this.#start, new Uint8Array(40), this.#key, new Uint8Array(40).fill(0xf2)]) hash.update(part);
    return new Uint8Array(hash.digest().subarray(0, this.#start.length));
  }
}

const isFlag = (count: number): boolean => count % 256 === 255;

export class Sender {
  readonly #kind: Kind;
  readonly #isStateless: boolean;
  readonly #keys: Keys;
  #count = 0;
  #isReset = false;

  constructor(kind: Kind, config: PeerConfig) {
    this.#kind = kind;
    this.#isStateless = config.stateless;
    this.#keys = new Keys(config);
  }

  /** `inside` is protocol and packet. */
  send(inside: Uint8Array): Uint8Array {
    const count = this.#count;
    this.#count = (count + 1) % 4096;
    let hasA = this.#isReset || this.#isStateless;
    const isDue = this.#isStateless || isFlag(count);
    if (this.#kind === "Linux") {
      hasA ||= isDue;
      if (hasA) this.#keys.change();
    } else {
      if (hasA) this.#keys.restart();
      if (isDue) this.#keys.change();
    }
    this.#isReset = false;
    return Uint8Array.of((hasA ? 0x90 : 0x10) | (count >> 8), count & 0xff, ...this.#keys.crypt(inside));
  }

  /** A Reset-Request came. */
  reset(): void {
    this.#isReset = true;
  }
}

export class Receiver {
  readonly #kind: Kind;
  readonly #isStateless: boolean;
  readonly #keys: Keys;
  /** The count of the next packet. */
  #count = 0;
  #isDiscarding = false;

  constructor(kind: Kind, config: PeerConfig) {
    this.#kind = kind;
    this.#isStateless = config.stateless;
    this.#keys = new Keys(config);
  }

  /** Protocol and packet. Undefined: the packet is dropped, and a Reset-Request is sent. */
  receive(payload: Uint8Array): Uint8Array | undefined {
    const header = (payload[0]! << 8) | payload[1]!;
    const count = header & 0xfff;
    const hasA = (header & 0x8000) !== 0;
    if ((header & 0x7000) !== 0x1000) throw new Error("not encrypted, or with MPPC");
    const lost = (count - this.#count + 4096) % 4096;
    if (this.#isStateless) {
      if (!hasA) throw new Error("stateless without A");
      for (let changes = lost + 1; changes > 0; changes--) this.#keys.change();
    } else if (this.#kind === "Linux") {
      if (isFlag(count) && !hasA) throw new Error("a flag packet without A");
      // It notices a loss at a packet that it then drops, whatever bits that has.
      if (!this.#isDiscarding && lost > 0) this.#isDiscarding = true;
      else if (this.#isDiscarding && hasA) {
        for (let block = this.#count >> 8; block !== count >> 8; block = (block + 1) % 16) this.#keys.change();
        this.#isDiscarding = false;
      }
      if (this.#isDiscarding) return undefined;
      if (hasA) this.#keys.change();
    } else {
      if (lost > 0 && !hasA) return undefined;
      for (let at = this.#count; at !== count; at = (at + 1) % 4096) if (isFlag(at)) this.#keys.change();
      if (hasA) this.#keys.restart();
      if (isFlag(count)) this.#keys.change();
    }
    this.#count = (count + 1) % 4096;
    return this.#keys.crypt(payload.subarray(2));
  }
}
