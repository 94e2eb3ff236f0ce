// Against reflection: a peer that has to prove itself to us asks us the very question we asked it, or one that has the same
// answer, and hands our answer back. It need not be of the same protocol: the digest of EAP's MD5-Challenge is CHAP's, and
// MS-CHAP answers MS-CHAPv2's hashed challenge.
//
// So while we wait for a proof, what we gave out on this link ourselves is remembered, and is no proof.

import { toHex } from "../bytes/text.ts";

/** An honest server asks a few times while we ask it. Beyond that it fishes, and is not answered. */
const MOST_ANSWERS = 64;

/** One for a link, shared by all that prove or judge on it. */
export class Answers {
  readonly #given = new Set<string>();
  #watching = false;

  /** We have a new question for the peer: nothing we said before can be its answer. */
  watch(): void {
    this.#given.clear();
    this.#watching = true;
  }

  /** The peer gave its proof, or will not. */
  unwatch(): void {
    this.#given.clear();
    this.#watching = false;
  }

  /** False: this must not be said to the peer. `proofs` are the parts of our answer that prove something. */
  give(proofs: readonly Uint8Array[]): boolean {
    if (!this.#watching) return true;
    if (this.#given.size >= MOST_ANSWERS && !this.areOurs(proofs)) return false;
    for (const proof of proofs) this.#given.add(toHex(proof));
    return true;
  }

  /** True: the peer's proof, or a part of it, is one of ours. */
  areOurs(proofs: readonly Uint8Array[]): boolean {
    return proofs.some((proof) => this.#given.has(toHex(proof)));
  }
}
