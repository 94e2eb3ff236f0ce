// Writes pcapng for Wireshark: PPP packets, each with its direction (LINKTYPE_PPP_WITH_DIR).

import { put16, put32, putBytes } from "../bytes/be.ts";

const SECTION_HEADER = 0x0a0d0d0a;
const BYTE_ORDER = 0x1a2b3c4d;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const PPP_WITH_DIR = 204;
/** Microseconds, the default of the format. */
const TICKS_A_MS = 1000;

/** The blocks at the start of every file. */
export function pcapHeader(): Uint8Array {
  const section = block(SECTION_HEADER, 16, (buf, at) => {
    at = put32(buf, at, BYTE_ORDER);
    at = put16(buf, at, 1);
    at = put16(buf, at, 0);
    // The length of the section: unknown.
    put32(buf, put32(buf, at, 0xffffffff), 0xffffffff);
  });
  const description = block(INTERFACE_DESCRIPTION, 8, (buf, at) => put16(buf, at, PPP_WITH_DIR));
  return join(section, description);
}

/** One packet. packet[start, end) begins with address and control or with the protocol. `now` is in ms since 1970. */
export function pcapPacket(isSent: boolean, now: number, packet: Uint8Array, start: number, end: number): Uint8Array {
  const length = 1 + end - start;
  const ticks = Math.floor(now * TICKS_A_MS);
  return block(ENHANCED_PACKET, 20 + length, (buf, at) => {
    at = put32(buf, at, 0);
    at = put32(buf, at, Math.floor(ticks / 2 ** 32));
    at = put32(buf, at, ticks % 2 ** 32);
    at = put32(buf, put32(buf, at, length), length);
    buf[at] = isSent ? 1 : 0;
    putBytes(buf, at + 1, packet.subarray(start, end));
  });
}

/**
 * A block with `length` octets of content. The content is padded to a multiple of four, and the block's size is at both
 * ends.
 */
function block(type: number, length: number, fill: (buf: Uint8Array, at: number) => void): Uint8Array {
  const size = 12 + Math.ceil(length / 4) * 4;
  const buf = new Uint8Array(size);
  fill(buf, put32(buf, put32(buf, 0, type), size));
  put32(buf, size - 4, size);
  return buf;
}

function join(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
