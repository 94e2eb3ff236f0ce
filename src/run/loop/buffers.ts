// What is made once and used by every attempt: memory, because its addresses are handed to the kernel, and the settings of
// the modem that a line plays.

import { Ring } from "../../bytes/ring.ts";
import { MAX_FRAME } from "../../frame/deframer.ts";
import { ModemProfile } from "../../front/modem-profile.ts";
import { PLAIN_SIZE } from "../../link/datapath.ts";
import { PIECE_ROOM } from "../../link/pieces.ts";
import type { Descriptors, Memory } from "../machine.ts";

const RING_SIZE = 65536;
/** Where a packet from the packet port lies: its header goes before it, its FCS behind. */
export const PACKET_ROOM = PIECE_ROOM;
const PACKET_SIZE = PACKET_ROOM + MAX_FRAME + 8;

/** What one line has. */
export class LineBuffers {
  readonly fromTty: Memory;
  readonly toTty: Memory;
  readonly frame: Memory;
  readonly input: Ring;
  readonly output: Ring;
  readonly modem = new ModemProfile();

  constructor(descriptors: Descriptors) {
    this.fromTty = descriptors.memory(RING_SIZE);
    this.toTty = descriptors.memory(RING_SIZE);
    this.frame = descriptors.memory(MAX_FRAME);
    this.input = new Ring(this.fromTty.bytes);
    this.output = new Ring(this.toTty.bytes);
  }
}

/** Memory for one interface. */
export class InterfaceBuffers {
  /** The packet taken from the packet port, and packets as they came out of a decompressor. */
  readonly packet: Memory;
  readonly plain: Memory;

  constructor(descriptors: Descriptors) {
    this.packet = descriptors.memory(PACKET_SIZE);
    this.plain = descriptors.memory(PLAIN_SIZE);
  }
}
