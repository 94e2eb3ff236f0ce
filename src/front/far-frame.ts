// The messages between two doctors at the ends of a cable. A message is a line of printable text, so that it passes through
// 7 bits, parity and XON/XOFF: "~", the octets in hex with an FCS-16 at the end, ".".

import { toHex } from "../bytes/text.ts";
import { FCS_GOOD, FCS_INIT, fcsNext, fcsOver } from "../frame/fcs.ts";

/** A reply has the type and number of its request, and this bit. */
export const REPLY = 0x80;

export const FarType = {
  /** Version, random number, and the number that the other end said, or 0. Never answered by a reply. */
  Hello: 1,
  /** Set DTR and RTS. */
  Drive: 2,
  /** The reply has the modem lines. */
  Look: 3,
  /** Four octets. The reply says whether the port can do it; then both ends change. */
  Speed: 4,
  Ping: 5,
  /** Blocks follow, two octets: how many. */
  Blocks: 6,
  /** What came of these blocks. */
  Result: 7,
  /** The other end sends blocks, two octets: how many. */
  Give: 8,
  /** A line of the table, for the end that does not make it. */
  Row: 9,
  /** The readings of all modem lines, for the same. */
  Wires: 10,
  End: 11,
} as const;
export type FarType = (typeof FarType)[keyof typeof FarType];

export interface FarMessage {
  readonly type: number;
  readonly number: number;
  readonly body: Uint8Array;
}

const START = 0x7e;
const END = 0x2e;
const LONGEST = 128;
const HEADER = 2;
const FCS = 2;

/** The octets of a message on the line. */
export function farFrame({ type, number, body }: FarMessage): Uint8Array {
  const octets = new Uint8Array(HEADER + body.length + FCS);
  octets[0] = type;
  octets[1] = number;
  octets.set(body, HEADER);
  const end = octets.length - FCS;
  const fcs = fcsOver(FCS_INIT, octets, 0, end) ^ 0xffff;
  octets[end] = fcs;
  octets[end + 1] = fcs >>> 8;
  return Uint8Array.from(`~${toHex(octets)}.`, (char) => char.charCodeAt(0));
}

/** Finds messages in a stream of octets. */
export class FarReader {
  readonly #octets = new Uint8Array(LONGEST);
  /** The digits of the present message; -1: none has begun. */
  #digits = -1;

  /** Takes an octet. Returns the message that it completes. */
  push(octet: number): FarMessage | undefined {
    const char = octet & 0x7f;
    if (char === START) this.#digits = 0;
    else if (this.#digits < 0) return undefined;
    else if (char === END) return this.#finish();
    else this.#digit(char);
    return undefined;
  }

  #digit(char: number): void {
    const value = char >= 0x30 && char <= 0x39 ? char - 0x30 : char >= 0x61 && char <= 0x66 ? char - 0x57 : -1;
    const at = this.#digits >> 1;
    if (value < 0 || at >= LONGEST) {
      this.#digits = -1;
      return;
    }
    const isHigh = (this.#digits & 1) === 0;
    this.#octets[at] = isHigh ? value << 4 : this.#octets[at]! | value;
    this.#digits++;
  }

  #finish(): FarMessage | undefined {
    const length = this.#digits >> 1;
    const isWhole = (this.#digits & 1) === 0;
    this.#digits = -1;
    if (!isWhole || length < HEADER + FCS) return undefined;
    let fcs = FCS_INIT;
    for (let at = 0; at < length; at++) fcs = fcsNext(fcs, this.#octets[at]!);
    if (fcs !== FCS_GOOD) return undefined;
    return { type: this.#octets[0]!, number: this.#octets[1]!, body: this.#octets.slice(HEADER, length - FCS) };
  }
}
