// The file of `lcp-rtt-file`: the times of the latest echoes, in a ring that other programs read while it is written.
//
// All numbers are big-endian and have 32 bits. The header has four: a magic number, 1 while LCP is up, the place of the
// newest element, and the seconds between two requests. An element has two: the time of day, and the microseconds of
// the answer. The upper eight bits of the second one are the number of unanswered requests before it. The place in the
// header counts numbers, not elements. An element with the time 0 was never written. pppd's lcp_rtt_dump and
// lcp_rtt_exporter read this file.

import { put32, u32 } from "../bytes/be.ts";

export const RTT_FILE_SIZE = 8192;
/** The octets of the header, and of an element. */
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

  /** `bytes` has RTT_FILE_SIZE octets: the file of an earlier session, or anything else. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** LCP is up. The content stays if it is a valid file. */
  open(intervalSeconds: number): void {
    const { bytes } = this;
    if (u32(bytes, 0) !== MAGIC) put32(bytes.fill(0), 0, MAGIC);
    put32(bytes, INTERVAL_AT, intervalSeconds);
    put32(bytes, STATUS_AT, 1);
  }

  /** LCP is down. Only the header changes. */
  close(): void {
    put32(this.bytes, STATUS_AT, 0);
  }

  /**
   * An echo was answered at `time`, in seconds since 1970, after `micros`. `lost` echoes before it were not answered.
   * Returns the place of the element in bytes. The header changes as well, and must be written after the element.
   */
  answered(time: number, micros: number, lost: number): number {
    const { bytes } = this;
    const index = u32(bytes, INDEX_AT);
    // As in pppd, the first element of a new ring is the second one. A bad place starts the ring again.
    const next = index >= LAST_INDEX ? 0 : (index + 2) & ~1;
    const at = RTT_HEADER + 4 * next;
    put32(bytes, put32(bytes, at, time), (Math.min(lost, MOST_LOST) << 24) | Math.min(micros, MOST_MICROS));
    put32(bytes, INDEX_AT, next);
    return at;
  }
}
