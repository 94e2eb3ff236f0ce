// Protects against reflection attacks. A peer that must authenticate to us can ask us our own question, or one with the
// same answer, and return our answer. The protocols can differ: EAP's MD5-Challenge has the digest of CHAP, and MS-CHAP
// can answer the hashed challenge of MS-CHAPv2.
//
// So while we wait for the peer's proof, we remember our own answers on this link and do not accept them as a proof.

import { toHex } from "../bytes/text.ts";

/** An honest server asks a few times while we ask it. A peer that asks more often is attacking and gets no answer. */
const MOST_ANSWERS = 64;

/** One object for each link, shared by all its clients and servers of authentication. */
export class Answers {
  readonly #given = new Set<string>();
  #watching = false;

  /** Call this for each new question to the peer. Our earlier answers cannot answer it, so they are forgotten. */
  watch(): void {
    this.#given.clear();
    this.#watching = true;
  }

  /** Call this when the peer has given its proof or never will. */
  unwatch(): void {
    this.#given.clear();
    this.#watching = false;
  }

  /** False when this answer must not be sent. `proofs` are the parts of our answer that prove something. */
  give(proofs: readonly Uint8Array[]): boolean {
    if (!this.#watching) return true;
    if (this.#given.size >= MOST_ANSWERS && !this.areOurs(proofs)) return false;
    for (const proof of proofs) this.#given.add(toHex(proof));
    return true;
  }

  /** True when the peer's proof, or a part of it, is one of our own answers. */
  areOurs(proofs: readonly Uint8Array[]): boolean {
    return proofs.some((proof) => this.#given.has(toHex(proof)));
  }
}
