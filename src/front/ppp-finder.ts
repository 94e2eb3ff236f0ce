// Finds where PPP begins among other octets: noise, text, or frames of a peer whose link is up already (RFC 1662 §3, §4).

import { ACCM_ALL, FLAG } from "../frame/accm.ts";
import { Deframer, MAX_FRAME } from "../frame/deframer.ts";
import { addressEnd, protocolAt, protocolEnd } from "../frame/header.ts";
import { protocolName } from "../wire/protocols.ts";

/** A frame in which each octet is escaped has this length, with its flags. More octets without a flag are no frame. */
const LONGEST = 2 * MAX_FRAME + 2;
/**
 * How a peer's first frame begins: flag, address, control (escaped, then not), LCP's protocol. Without the flag, or
 * without the address, a fourth octet or a third keeps noise from looking like it. 7f instead of ff: bit 7 is lost on
 * the way, and the link will say so.
 */
const BEGINNINGS: readonly (readonly number[])[] = [
  [FLAG, 0xff, 0x7d, 0x23],
  [FLAG, 0x7f, 0x7d, 0x23],
  [FLAG, 0xff, 0x03],
  [0xff, 0x7d, 0x23],
  [0xff, 0x03, 0xc0, 0x21],
  [FLAG, 0xc0, 0x21],
];
/** The same as numbers of the octets and of the bits that they have. */
const PATTERNS = BEGINNINGS.map((octets) => ({
  length: octets.length,
  value: octets.reduce((value, octet) => (value << 8) | octet, 0),
  mask: octets.length === 4 ? -1 : (1 << (8 * octets.length)) - 1,
}));
const LAST = new Set(BEGINNINGS.map((octets) => octets.at(-1)!));
/** The deframers get so many octets at once, unless a flag comes. */
const PIECE = 256;

export class PppFinder {
  /** The frame that the last octet ended, without its FCS. Borrowed. Undefined: it ended none that is good. */
  frame: Uint8Array | undefined;
  /** The last four octets, of which the latest has the low bits. */
  #last = 0;
  /** Octets since the last flag, with the flag; since the first octet, if no flag came. Too many begin at 0 again. */
  #sinceFlag = 0;
  /** One drops the control characters that a line may insert. The other belongs to a peer that sends them as they are. */
  readonly #deframers = [new Deframer(), new Deframer()];
  /** Octets that the deframers have not got. */
  readonly #piece = new Uint8Array(PIECE);
  #fill = 0;

  constructor() {
    this.#deframers[0]!.accm = ACCM_ALL;
    this.#deframers[1]!.accm = 0;
  }

  /** How many of the latest octets a frame may consist of that has not ended. They belong to the link. */
  get kept(): number {
    return this.#sinceFlag;
  }

  /** Takes the next octet. Returns how many of the latest octets are PPP, from the flag on; 0: none so far. */
  push(octet: number): number {
    this.#last = (this.#last << 8) | octet;
    const before = this.kept;
    if (octet === FLAG) this.#sinceFlag = 1;
    else if (++this.#sinceFlag > LONGEST) this.#sinceFlag = 0;
    if (this.#isFrame(octet)) return before + 1;
    if (!LAST.has(octet)) return 0;
    for (const { length, value, mask } of PATTERNS) if ((this.#last & mask) === value) return length;
    return 0;
  }

  /** True when this octet ends a frame with a correct FCS and a protocol that exists. */
  #isFrame(octet: number): boolean {
    this.frame = undefined;
    this.#piece[this.#fill++] = octet;
    if (octet !== FLAG && this.#fill < PIECE) return false;
    for (const deframer of this.#deframers) {
      deframer.push(this.#piece, 0, this.#fill);
      const { frame, length } = deframer;
      if (length === 0) continue;
      const start = addressEnd(frame, 0, length);
      const end = protocolEnd(frame, start, length);
      if (end < length && protocolName(protocolAt(frame, start, end)) !== undefined)
        this.frame ??= frame.subarray(0, length);
    }
    this.#fill = 0;
    return this.frame !== undefined;
  }
}
