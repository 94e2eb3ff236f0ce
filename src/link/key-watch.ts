// Notices that the two ends of an encrypted link have different keys. Both agreed on everything, CCP and IPCP are up, and no
// packet passes: one end reads nonsense, and the other is told of protocols that it never sent.

import type { Level } from "../control/dialect.ts";

/** So many signs of it, and none of the contrary: chance makes a readable packet of one in a hundred at the most. */
const SIGNS = 4;

export class KeyWatch {
  readonly #log: (level: Level, text: string) => void;
  /** The version of MS-CHAP that the keys are from. */
  #version: 1 | 2 = 2;
  /** Infinity: settled. */
  #signs = Infinity;

  constructor(log: (level: Level, text: string) => void) {
    this.#log = log;
  }

  /** Encryption begins, without state: each packet can be read, whatever was lost before it. */
  start(version: 1 | 2): void {
    this.#version = version;
    this.#signs = 0;
  }

  /** An encrypted packet could be read. */
  readable(): void {
    this.#signs = Infinity;
  }

  /** An encrypted packet could not, or the peer rejected a protocol that nobody here has sent. */
  unreadable(): void {
    if (++this.#signs !== SIGNS) return;
    const remedy = this.#version === 1 ? "; a pppd 2.5 has wrong ones after MS-CHAP, and MS-CHAPv2 helps" : "";
    this.#log("warn", `No encrypted packet can be read: the two ends have different keys${remedy}`);
  }
}
