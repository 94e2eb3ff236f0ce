// The file of `lcp-rtt-file`: how long the latest echoes took, in a ring that other programs read while it is written.
//
// Big-endian numbers of 32 bits. Four of them are the header: a magic number, 1 while LCP is up, where the newest
// element is, the seconds between two requests. The elements are two each: the time of day, and the microseconds the
// answer took, above them in eight bits how many requests before it had none. The header's index counts numbers, not
// elements. An element of time 0 was never written. pppd's lcp_rtt_dump and lcp_rtt_exporter read it.

import { put32, u32 } from "../bytes/be.ts";

export const RTT_FILE_SIZE = 8192;
/** Octets of the header, and of each element. */
export const RTT_HEADER = 16;
export const RTT_ELEMENT = 8;

const MAGIC = 0x19450425;
const STATUS_AT = 4;
const INDEX_AT = 8;
const INTERVAL_AT = 12;
const LAST_INDEX = (RTT_FILE_SIZE - RTT_HEADER) / 4 - 2;
const MOST_LOST = 0xff;
const MOST_MICROS = 0xffffff;

export class RttRing {
  /** The whole file. */
  readonly bytes: Uint8Array;

  /** `bytes`: RTT_FILE_SIZE octets, what an earlier session left or anything else. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** LCP is up. What the file held stays, if it was such a file. */
  open(intervalSeconds: number): void {
    const { bytes } = this;
    if (u32(bytes, 0) !== MAGIC) put32(bytes.fill(0), 0, MAGIC);
    put32(bytes, INTERVAL_AT, intervalSeconds);
    put32(bytes, STATUS_AT, 1);
  }

  /** LCP is down: only the header changes. */
  close(): void {
    put32(this.bytes, STATUS_AT, 0);
  }

  /**
   * An echo was answered at `time`, seconds since 1970, after `micros`; `lost` before it were not. Returns where in
   * bytes the element is; the header has changed as well, and must reach the file after it.
   */
  answered(time: number, micros: number, lost: number): number {
    const { bytes } = this;
    const index = u32(bytes, INDEX_AT);
    // The first element of a fresh ring is the second, as with pppd; a bad index starts it over.
    const next = index >= LAST_INDEX ? 0 : (index + 2) & ~1;
    const at = RTT_HEADER + 4 * next;
    put32(bytes, put32(bytes, at, time), (Math.min(lost, MOST_LOST) << 24) | Math.min(micros, MOST_MICROS));
    put32(bytes, INDEX_AT, next);
    return at;
  }
}
