// A Configure-Request that asks whether PPP is at the other end (RFC 1661 §5.1). Whoever speaks PPP answers it, and nobody
// is harmed by it: the link's own requests come after it and count.

import { Ring } from "../bytes/ring.ts";
import { FCS_ROOM } from "../frame/fcs.ts";
import { Framer } from "../frame/framer.ts";

const LENGTH = 14;
const ROOM = 64;

/** The packet of the request, header included. An echo is known by the magic number. */
export function questionPacket(magic: number): Uint8Array {
  const packet = Uint8Array.from([0xff, 0x03, 0xc0, 0x21, 1, 0, 0, 10, 5, 6, 0, 0, 0, 0]);
  new DataView(packet.buffer).setUint32(10, magic >>> 0);
  return packet;
}

/** The request as a frame, with a flag at each end. */
export function questionFrame(magic: number): Uint8Array {
  const ring = new Ring(new Uint8Array(ROOM));
  const packet = new Uint8Array(LENGTH + FCS_ROOM);
  packet.set(questionPacket(magic));
  new Framer(ring).write(packet, 0, LENGTH, true, 0);
  return ring.bytes.slice(0, ring.length);
}
