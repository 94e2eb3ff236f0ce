// Stac LZS over PPP: CCP option 17, with one history or none, in all check modes (RFC 1974).
//
// The check mode decides what precedes the data: nothing (0); the exclusive or of ff and the octets of the packet (1);
// their FCS-16 (2); a sequence number that starts with 1 (3); or Microsoft's header (4, the extended mode of Windows
// 95, 98 and NT), whose bit A replaces the Reset-Ack.
//
// A packet that would grow is sent plain with its own protocol. In mode 4 it is sent as 00fd, after the header. In both
// cases the sender forgets its history (§2.4). The receiver need not forget it: copies reach back only to where the
// sender started again. So other content of the receiver's history, plain packets or older data, does no harm.

import { put16, u16 } from "../bytes/be.ts";
import { MAX_FRAME } from "../frame/deframer.ts";
import { FCS_INIT, fcsOver } from "../frame/fcs.ts";
import { type Compressor, DAMAGED, type Decompressor, FATAL, PLAIN } from "./codec.ts";
import { COMPRESSED, COUNT, FLUSHED, isEligible } from "./coherency.ts";
import { LZS_LONGEST, LzsDecoder, LzsEncoder } from "./lzs-data.ts";

/** The check modes and their numbers in the option (§3). */
export const LzsCheck = { None: 0, Lcb: 1, Crc: 2, Sequence: 3, Extended: 4 } as const;
export type LzsCheck = (typeof LzsCheck)[keyof typeof LzsCheck];

/** The octets of the check field in each mode (§2.5.3). */
const CHECK_LENGTH = [0, 1, 2, 1, 2] as const;

function lcbOver(bytes: Uint8Array, start: number, end: number): number {
  let lcb = 0xff;
  while (start < end) lcb ^= bytes[start++]!;
  return lcb;
}

export class LzsCompressor implements Compressor {
  readonly overhead: number;
  readonly #check: LzsCheck;
  readonly #hasHistory: boolean;
  readonly #encoder = new LzsEncoder();
  /** The sequence number or coherency count of the next packet. */
  #count: number;
  /** The next packet in mode 4 is the first of a history. */
  #isFlushed = true;

  /** `histories` is 1, or 0 when every packet is compressed by itself. */
  constructor(check: LzsCheck, histories: 0 | 1 = 1) {
    this.#check = check;
    this.#hasHistory = histories === 1;
    this.#count = check === LzsCheck.Sequence ? 1 : 0;
    this.overhead = check === LzsCheck.Extended ? 4 : 0;
  }

  compress(protocol: number, packet: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
    const length = end - start;
    if (!isEligible(protocol) || length + 2 > LZS_LONGEST) return PLAIN;
    const check = this.#check;
    const encoder = this.#encoder;
    if (!this.#hasHistory) encoder.forget();
    // The protocol always has two octets: mode 4 requires that, and in the other modes a repeated protocol is cheap.
    const index = encoder.append(protocol, packet, start, end);
    const data = at + CHECK_LENGTH[check];
    if (check === LzsCheck.Extended) {
      let put = encoder.encode(index, out, data, data + 2 + length);
      let header = this.#count;
      this.#count = (header + 1) & COUNT;
      if (this.#isFlushed || !this.#hasHistory) header |= FLUSHED;
      this.#isFlushed = put < 0;
      if (put < 0) {
        encoder.forget();
        put = put16(out, data, protocol);
        while (start < end) out[put++] = packet[start++]!;
      } else {
        header |= COMPRESSED;
      }
      put16(out, at, header);
      return put;
    }
    // In the plain packet, its protocol takes the place of 00fd.
    const put = encoder.encode(index, out, data, at + length);
    if (put < 0) {
      encoder.forget();
      return PLAIN;
    }
    if (check === LzsCheck.Sequence) {
      out[at] = this.#count;
      this.#count = (this.#count + 1) & 0xff;
    } else if (check === LzsCheck.Lcb) {
      out[at] = lcbOver(encoder.text, index, encoder.fill);
    } else if (check === LzsCheck.Crc) {
      const fcs = ~fcsOver(FCS_INIT, encoder.text, index, encoder.fill);
      out[at] = fcs;
      out[at + 1] = fcs >>> 8;
    }
    return put;
  }

  reset(): void {
    this.#encoder.forget();
    this.#isFlushed = true;
  }
}

export class LzsDecompressor implements Decompressor {
  /** Modes 3 and 4 number the packets, so they must also see packets that come while a reset is awaited (§2.5.4). */
  readonly selfHealing: boolean;
  readonly #check: LzsCheck;
  readonly #hasHistory: boolean;
  readonly #decoder = new LzsDecoder();
  #expected = 1;
  #isFirst = true;
  #isDamaged = false;

  constructor(check: LzsCheck, histories: 0 | 1 = 1) {
    this.#check = check;
    this.#hasHistory = histories === 1;
    this.selfHealing = check === LzsCheck.Sequence || check === LzsCheck.Extended;
  }

  decompress(packet: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
    const check = this.#check;
    const data = start + CHECK_LENGTH[check];
    if (end <= data) return this.#damaged();
    if (check === LzsCheck.Sequence) {
      const sequence = packet[start]!;
      this.#judge(sequence);
      this.#expected = (sequence + 1) & 0xff;
    } else if (check === LzsCheck.Extended) {
      const header = u16(packet, start);
      const count = header & COUNT;
      if ((header & FLUSHED) !== 0) this.#begin();
      else this.#judge(count);
      this.#expected = (count + 1) & COUNT;
      if ((header & COMPRESSED) === 0 && !this.#isDamaged) {
        if (end - data > MAX_FRAME) return FATAL;
        for (let from = data; from < end;) out[at++] = packet[from++]!;
        return at;
      }
    }
    if (this.#isDamaged) return DAMAGED;
    if (!this.#hasHistory) this.#decoder.forget();
    const put = this.#decoder.decode(packet, data, end, out, at);
    if (put === FATAL) return FATAL;
    return put > at && this.#isRight(packet, start, out, at, put) ? put : this.#damaged();
  }

  incompressible(): void {}

  reset(): void {
    if (this.#check !== LzsCheck.Extended) this.#begin();
  }

  /** The sender's history is empty. */
  #begin(): void {
    this.#decoder.forget();
    this.#isDamaged = this.#isFirst = false;
  }

  #damaged(): typeof DAMAGED {
    // Without a history, a damaged packet has no effect on later ones.
    this.#isDamaged = this.#hasHistory;
    return DAMAGED;
  }

  /** Compares a packet's number with the expected one. */
  #judge(count: number): void {
    // Some senders begin with 0 instead of 1, or with 1 instead of 0.
    if (count !== this.#expected && !(this.#isFirst && count < 2)) this.#damaged();
    this.#isFirst = false;
  }

  /** True when the check field packet[start, …) belongs to the octets out[at, end). */
  #isRight(packet: Uint8Array, start: number, out: Uint8Array, at: number, end: number): boolean {
    if (this.#check === LzsCheck.Lcb) return packet[start] === lcbOver(out, at, end);
    if (this.#check !== LzsCheck.Crc) return true;
    const fcs = fcsOver(FCS_INIT, out, at, end);
    const field = packet[start]! | (packet[start + 1]! << 8);
    // Some senders leave out the complement of HDLC.
    return field === (fcs ^ 0xffff) || field === fcs;
  }
}
