// The blocks of octets by which two doctors measure a line: how many arrive whole, how fast, and which octets never do.

import { put16, u16 } from "../bytes/be.ts";
import { FCS_GOOD, FCS_INIT, fcsOver } from "../frame/fcs.ts";

const START = 0x7e;
const DATA = 64;
const DATA_AT = 4;
/** The start, the run, the place in the run, the data and an FCS-16. */
export const BLOCK = DATA_AT + DATA + 2;
/** So many blocks have each of the 256 octets in their data. */
export const FULL_RUN = 256 / DATA;

/** Block `index` of a run. */
export function blockOf(run: number, index: number): Uint8Array {
  const block = new Uint8Array(BLOCK);
  block[0] = START;
  block[1] = run;
  put16(block, 2, index);
  for (let at = 0; at < DATA; at++) block[DATA_AT + at] = index * DATA + at;
  const end = BLOCK - 2;
  const fcs = fcsOver(FCS_INIT, block, 0, end) ^ 0xffff;
  block[end] = fcs;
  block[end + 1] = fcs >>> 8;
  return block;
}

/** Counts the whole blocks of one run in a stream of octets, whatever is between them. */
export class BlockReader {
  readonly run: number;
  /** When the first and the last whole block came. */
  firstAt = 0;
  lastAt = 0;
  readonly #seen = new Set<number>();
  readonly #values = new Uint8Array(32);
  #octets = 0;
  readonly #buffer = new Uint8Array(2 * BLOCK);
  #length = 0;

  constructor(run: number) {
    this.run = run;
  }

  /** Whole blocks; one that came twice counts once. */
  get good(): number {
    return this.#seen.size;
  }

  /** Octets a second, or 0 when too little came to tell. */
  get rate(): number {
    const took = this.lastAt - this.firstAt;
    return took <= 0 || this.good < 2 ? 0 : Math.round(((this.good - 1) * BLOCK * 1000) / took);
  }

  /** One bit for each octet that came. All bits are set while little came. */
  get values(): Uint8Array {
    return this.#octets < (FULL_RUN / 2) * BLOCK ? new Uint8Array(32).fill(0xff) : this.#values;
  }

  push(octet: number, now: number): void {
    this.#octets++;
    this.#values[octet >>> 3]! |= 1 << (octet & 7);
    const buffer = this.#buffer;
    buffer[this.#length++] = octet;
    if (this.#length >= BLOCK) this.#look(now);
  }

  /** Looks for a block at each place of the buffer. */
  #look(now: number): void {
    const buffer = this.#buffer;
    let at = 0;
    while (at + BLOCK <= this.#length)
      if (buffer[at] === START && fcsOver(FCS_INIT, buffer, at, at + BLOCK) === FCS_GOOD) {
        this.#found(buffer[at + 1]!, u16(buffer, at + 2), now);
        at += BLOCK;
      } else at++;
    buffer.copyWithin(0, at, this.#length);
    this.#length -= at;
  }

  #found(run: number, index: number, now: number): void {
    if (run !== this.run || this.#seen.has(index)) return;
    if (this.good === 0) this.firstAt = now;
    this.lastAt = now;
    this.#seen.add(index);
  }
}

/** The octets whose bit is not set. */
export function missingValues(values: Uint8Array): number[] {
  return Array.from({ length: 256 }, (_, octet) => octet).filter(
    (octet) => (values[octet >>> 3]! & (1 << (octet & 7))) === 0,
  );
}
