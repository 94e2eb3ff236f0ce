// Which data packets are kept where many come at once. On a fast line the ring would otherwise reach back for milliseconds
// only, and keeping would cost every packet. Control packets are always kept.

import { ADDRESS, CONTROL } from "../frame/header.ts";
import { COUNT_MASK } from "./packet-ring.ts";

/** At most so many data packets of a direction are kept in this time. A line at 115200 baud seldom has more. */
const MOST = 16;
const WINDOW_MS = 10;
/** The first octet of compressed packets without the leading zero. Others from 0x80 on are control packets. */
const COMPRESSED = [0xfb, 0xfd] as const;

export class KeptShare {
  #from = -Infinity;
  #kept = 0;
  #leftOut = 0;

  /** Whether packet[start, …), which begins with its PPP header, is to be kept. */
  takes(packet: Uint8Array, start: number, now: number): boolean {
    if (now - this.#from >= WINDOW_MS) {
      this.#from = now;
      this.#kept = 0;
    }
    if (this.#kept++ < MOST) return true;
    const first = packet[packet[start] === ADDRESS && packet[start + 1] === CONTROL ? start + 2 : start]!;
    if (first >= 0x80 && first !== COMPRESSED[0] && first !== COMPRESSED[1]) return true;
    this.#leftOut++;
    return false;
  }

  /** Adds the number of packets left out since the last call, as the ring has it, to a count. */
  leftOut(count: number): number {
    const left = Math.min(this.#leftOut, COUNT_MASK);
    this.#leftOut = 0;
    return (left << 16) | (count & COUNT_MASK);
  }
}
