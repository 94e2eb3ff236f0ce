// Detects that the two ends of an encrypted link have different keys. CCP and IPCP are then up, and no packet passes:
// one end decrypts nonsense, and the other receives rejects of protocols that it never sent.

import type { Level } from "../control/dialect.ts";

/**
 * The number of signs without any sign of a right key. By chance a wrong key makes a readable packet in one of a
 * hundred at most.
 */
const SIGNS = 4;

export class KeyWatch {
  readonly #log: (level: Level, text: string) => void;
  /** The version of MS-CHAP that the keys are from. */
  #version: 1 | 2 = 2;
  /** The signs so far. Infinity when the keys are known to be right. */
  #signs = Infinity;

  constructor(log: (level: Level, text: string) => void) {
    this.#log = log;
  }

  /** Encryption begins, without state: each packet can be decrypted, whatever was lost before it. */
  start(version: 1 | 2): void {
    this.#version = version;
    this.#signs = 0;
  }

  /** An encrypted packet was readable. */
  readable(): void {
    this.#signs = Infinity;
  }

  /** An encrypted packet was not readable, or the peer rejected a protocol that we never sent. */
  unreadable(): void {
    if (++this.#signs !== SIGNS) return;
    const remedy = this.#version === 1 ? "; a pppd 2.5 has wrong ones after MS-CHAP, and MS-CHAPv2 helps" : "";
    this.#log("warn", `No encrypted packet can be read: the two ends have different keys${remedy}`);
  }
}
