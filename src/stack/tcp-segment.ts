// TCP segments (RFC 9293 §3.1) with the options that the stack knows: MSS, window scale (RFC 7323 §2), SACK (RFC 2018).

import { put16, put32, u16, u32 } from "../bytes/be.ts";
import { IpProto, TCP_MIN, TcpFlag } from "../wire/ip.ts";
import { checksumOf, sumOf } from "../bytes/checksum.ts";
import type { IpPacket } from "./ip-packet.ts";
import { type Ends, putIp } from "./ip-packet.ts";
import { distance, type SequenceRanges } from "./sequence.ts";

const Option = { END: 0, NONE: 1, MSS: 2, SCALE: 3, SACK_PERMITTED: 4, SACK: 5 } as const;
/** A larger shift counts as this (RFC 7323 §2.3). */
const MOST_SHIFT = 14;
/** As many as fit besides nothing else. */
const MOST_BLOCKS = 4;
export const NO_SCALE = -1;

/** The segment in hand. One object is used again for each. */
export class TcpSegment {
  bytes: Uint8Array = new Uint8Array(0);
  sourcePort = 0;
  destinationPort = 0;
  sequence = 0;
  acknowledgment = 0;
  flags = 0;
  window = 0;
  dataStart = 0;
  dataEnd = 0;
  /** 0: not given. */
  mss = 0;
  shift = NO_SCALE;
  sackPermitted = false;
  blocks = 0;
  /** From and to of each SACK block. */
  readonly sack = new Uint32Array(2 * MOST_BLOCKS);

  /** False when the segment is damaged. */
  parse(packet: IpPacket): boolean {
    const { bytes, payload: at, end } = packet;
    if (end - at < TCP_MIN) return false;
    const header = (bytes[at + 12]! >>> 4) * 4;
    if (header < TCP_MIN || at + header > end || checksumOf(packet.sum(end - at)) !== 0) return false;
    this.bytes = bytes;
    this.sourcePort = u16(bytes, at);
    this.destinationPort = u16(bytes, at + 2);
    this.sequence = u32(bytes, at + 4);
    this.acknowledgment = u32(bytes, at + 8);
    this.flags = bytes[at + 13]!;
    this.window = u16(bytes, at + 14);
    this.dataStart = at + header;
    this.dataEnd = end;
    this.blocks = 0;
    this.mss = 0;
    this.shift = NO_SCALE;
    this.sackPermitted = false;
    if (header > TCP_MIN) this.#parseOptions(at + TCP_MIN, at + header);
    return true;
  }

  #parseOptions(start: number, end: number): void {
    const { bytes } = this;
    for (let at = start; at < end;) {
      const kind = bytes[at]!;
      if (kind === Option.END) return;
      if (kind === Option.NONE) {
        at++;
        continue;
      }
      const length = at + 1 < end ? bytes[at + 1]! : 0;
      if (length < 2 || at + length > end) return;
      if (kind === Option.MSS && length === 4) this.mss = u16(bytes, at + 2);
      else if (kind === Option.SCALE && length === 3) this.shift = Math.min(bytes[at + 2]!, MOST_SHIFT);
      else if (kind === Option.SACK_PERMITTED && length === 2) this.sackPermitted = true;
      else if (kind === Option.SACK) this.#parseSack(at + 2, length - 2);
      at += length;
    }
  }

  #parseSack(at: number, length: number): void {
    this.blocks = Math.min(MOST_BLOCKS, length >>> 3);
    for (let word = 0; word < 2 * this.blocks; word++) this.sack[word] = u32(this.bytes, at + 4 * word);
  }

  get dataLength(): number {
    return this.dataEnd - this.dataStart;
  }

  /** How many sequence numbers it takes. */
  get length(): number {
    return this.dataLength + (this.flags & TcpFlag.SYN ? 1 : 0) + (this.flags & TcpFlag.FIN ? 1 : 0);
  }
}

/** The options of our SYN. Returns the end. */
export function putSynOptions(into: Uint8Array, at: number, mss: number, shift: number, sack: boolean): number {
  put32(into, at, (Option.MSS << 24) | (4 << 16) | mss);
  let end = at + 4;
  if (shift !== NO_SCALE) {
    put32(into, end, (Option.NONE << 24) | (Option.SCALE << 16) | (3 << 8) | shift);
    end += 4;
  }
  if (sack) {
    put32(into, end, (Option.NONE << 24) | (Option.NONE << 16) | (Option.SACK_PERMITTED << 8) | 2);
    end += 4;
  }
  return end;
}

/**
 * Reports what has arrived beyond `next`: first the range that has the newest segment (RFC 2018 §4), then the others.
 * Returns the end.
 */
export function putSack(into: Uint8Array, at: number, early: SequenceRanges, newest: number, next: number): number {
  // Octets that the socket has refused begin at `next`. They are not reported: they may be dropped.
  const skipped = early.count > 0 && early.from(0) === next ? 1 : 0;
  const count = Math.min(MOST_BLOCKS - 1, early.count - skipped);
  if (count <= 0) return at;
  put32(into, at, (Option.NONE << 24) | (Option.NONE << 16) | (Option.SACK << 8) | (2 + 8 * count));
  const first = Math.max(skipped, Math.min(early.after(newest), early.count - 1));
  let end = put32(into, put32(into, at + 4, early.from(first)), early.to(first));
  for (let range = skipped, put = 1; put < count; range++) {
    if (range === first) continue;
    end = put32(into, put32(into, end, early.from(range)), early.to(range));
    put++;
  }
  return end;
}

export interface TcpHeader {
  readonly ends: Ends;
  readonly farPort: number;
  readonly peerPort: number;
}

/** Where the options of a segment at `at` begin. */
export function tcpOptionsAt(at: number, { ends }: TcpHeader): number {
  return at + ends.headerSize + TCP_MIN;
}

/** The fields of a segment to send. One object is used again for each. */
export interface TcpFields {
  sequence: number;
  acknowledgment: number;
  flags: number;
  window: number;
}

/**
 * Writes the headers of a segment whose options, of `options` octets, and `size` octets of data are in place. Returns the
 * length of the packet.
 */
export function putTcp(
  into: Uint8Array,
  at: number,
  header: TcpHeader,
  fields: TcpFields,
  options: number,
  size: number,
): number {
  const total = TCP_MIN + options + size;
  const tcp = putIp(into, at, header.ends, IpProto.TCP, total);
  put16(into, tcp, header.farPort);
  put16(into, tcp + 2, header.peerPort);
  put32(into, tcp + 4, fields.sequence);
  put32(into, tcp + 8, fields.acknowledgment);
  into[tcp + 12] = ((TCP_MIN + options) / 4) << 4;
  into[tcp + 13] = fields.flags;
  put16(into, tcp + 14, fields.window);
  put32(into, tcp + 16, 0);
  put16(into, tcp + 16, checksumOf(sumOf(into, tcp, tcp + total, header.ends.sum + IpProto.TCP + total)));
  return tcp + total - at;
}

/** The fields of the reset that answers a segment (RFC 9293 §3.10.7.1). */
export function resetFor(segment: TcpSegment): TcpFields {
  return segment.flags & TcpFlag.ACK
    ? { sequence: segment.acknowledgment, acknowledgment: 0, flags: TcpFlag.RST, window: 0 }
    : {
        sequence: 0,
        acknowledgment: (segment.sequence + segment.length) >>> 0,
        flags: TcpFlag.RST | TcpFlag.ACK,
        window: 0,
      };
}

/** A SACK block of the segment lies in (from, to]. */
export function isSackSound(segment: TcpSegment, block: number, from: number, to: number): boolean {
  const left = segment.sack[2 * block]!;
  const right = segment.sack[2 * block + 1]!;
  return distance(left, right) > 0 && distance(from, left) >= 0 && distance(right, to) >= 0;
}
