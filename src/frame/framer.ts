// Turns packets into frames on the line: FCS, transparency, flags (RFC 1662 §3.1, §4.2, §4.3).

import type { Ring } from "../bytes/ring.ts";
import { ACCM_ALL, ESCAPE, escapeTable, FLAG, TRANSPARENCY } from "./accm.ts";
import { FCS32_INIT, fcs32Over, FCS_INIT, FCS_ROOM, type FcsBits, fcsOver, owesFcs } from "./fcs.ts";

/**
 * The opening flag is omitted within this time after the last frame. Then one flag separates the two frames. LCP's frames
 * always have it, because the peer may have begun to listen since the last one, and may have heard noise.
 */
const IDLE_MS = 1000;

/** The most octets that a frame of `length` takes on the line: all octets escaped, the longest FCS, two flags. */
export function worstFrame(length: number): number {
  return 2 * (length + FCS_ROOM) + 2;
}

export class Framer {
  /**
   * Octets and frames written since the start. `counted` are the octets as RFC 1989 §2.3 counts them: each frame before
   * transparency, with its FCS and one flag.
   */
  readonly stats = { octets: 0, frames: 0, counted: 0 };
  readonly #ring: Ring;
  readonly #everything: Uint8Array;
  readonly #escape: readonly number[];
  #negotiated: Uint8Array;
  #fcs: FcsBits = 16;
  #lastFrame = -Infinity;
  #overflow = new Uint8Array(0);

  /** Frames go into `ring`. `escape` is pppd's list of octets that are always escaped. */
  constructor(ring: Ring, escape: readonly number[] = []) {
    this.#ring = ring;
    this.#escape = escape;
    this.#everything = this.#negotiated = escapeTable(ACCM_ALL, escape);
  }

  /** Sets the transmit ACCM. */
  set accm(accm: number) {
    this.#negotiated = escapeTable(accm >>> 0, this.#escape);
  }

  /** Sets the FCS to send. With 0, packets of network data get no FCS and all others FCS-16. */
  set fcs(fcs: FcsBits) {
    this.#fcs = fcs;
  }

  /** True when a frame of `length` octets fits in any case. */
  hasRoom(length: number): boolean {
    return this.#ring.free >= worstFrame(length);
  }

  /**
   * Frames packet[start, end) and may overwrite FCS_ROOM octets behind `end`. `plain` escapes all control characters
   * whatever was agreed, as LCP needs (RFC 1661 §6, "default" transparency). The caller checks {@link hasRoom} first.
   */
  write(packet: Uint8Array, start: number, end: number, plain: boolean, now: number): void {
    let stop = end + 2;
    if (this.#fcs === 16) {
      const fcs = fcsOver(FCS_INIT, packet, start, end) ^ 0xffff;
      packet[end] = fcs;
      packet[end + 1] = fcs >>> 8;
    } else stop = putOtherFcs(this.#fcs, packet, start, end);
    const table = plain ? this.#everything : this.#negotiated;
    const opening = plain || now - this.#lastFrame > IDLE_MS;
    this.#lastFrame = now;
    const ring = this.#ring;
    const most = worstFrame(end - start);
    let length = opening ? 1 : 0;
    if (ring.writable >= most) {
      const { bytes, writeAt } = ring;
      if (opening) bytes[writeAt] = FLAG;
      length = stuff(packet, start, stop, table, bytes, writeAt + length) - writeAt;
      ring.commit(length);
    } else {
      // The frame may wrap around the ring. Make it outside and copy it in two pieces.
      if (this.#overflow.length < most) this.#overflow = new Uint8Array(most);
      if (opening) this.#overflow[0] = FLAG;
      length = stuff(packet, start, stop, table, this.#overflow, length);
      const first = Math.min(length, ring.writable);
      ring.bytes.set(this.#overflow.subarray(0, first), ring.writeAt);
      ring.commit(first);
      ring.bytes.set(this.#overflow.subarray(first, length), ring.writeAt);
      ring.commit(length - first);
    }
    this.stats.octets += length;
    this.stats.frames++;
    this.stats.counted += stop - start + 1;
  }
}

/** Writes the FCS of packet[start, end) behind it, for settings other than FCS-16. Returns where the FCS ends. */
function putOtherFcs(bits: FcsBits, packet: Uint8Array, start: number, end: number): number {
  if (bits === 0 && !owesFcs(packet, start, end)) return end;
  const fcs = bits === 32 ? ~fcs32Over(FCS32_INIT, packet, start, end) : ~fcsOver(FCS_INIT, packet, start, end);
  packet[end] = fcs;
  packet[end + 1] = fcs >>> 8;
  if (bits !== 32) return end + 2;
  packet[end + 2] = fcs >>> 16;
  packet[end + 3] = fcs >>> 24;
  return end + 4;
}

/** Writes the octets of packet[start, end), escaped as the table says, and a flag. Returns where the flag ends. */
function stuff(packet: Uint8Array, start: number, end: number, table: Uint8Array, out: Uint8Array, to: number): number {
  for (let at = start; at < end; at++) {
    const octet = packet[at]!;
    if (table[octet] === 0) out[to++] = octet;
    else {
      out[to] = ESCAPE;
      out[to + 1] = octet ^ TRANSPARENCY;
      to += 2;
    }
  }
  out[to++] = FLAG;
  return to;
}
