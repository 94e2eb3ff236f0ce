// A SLIP line (RFC 1055), with compressed headers if the peer uses them or they are asked for (CSLIP, RFC 1144 §3.2, appendix
// A). It has the face of a Link and shares a Link's Networks, so that the interface, the scripts and the limits are the same.
// Nothing is negotiated and nothing ends such a link but its owner.

import type { Ring } from "../bytes/ring.ts";
import { VjCompressor } from "../compress/vj.ts";
import { putSlip, SlipDeframer, worstSlip } from "../frame/slip.ts";
import { Protocol } from "../wire/protocols.ts";
import { LOST } from "./datapath.ts";
import type { Networks } from "./networks.ts";

/** RFC 1144's slots. Packets of ours have the slot number, because slirp drops those without it. Both are understood. */
export const SLIP_VJ = { maxSlot: 15, compressSlot: false } as const;
/** The first octet of a packet shows its kind: IP's version, the same with three bits set, or bit 7 over the changes. */
const IP = 0x40;
const UNCOMPRESSED = 0x70;
const COMPRESSED = 0x80;

export class SlipLink {
  readonly networks: Networks;
  /** What would be sent is dropped, because the line has another use for the moment. */
  isMuted = false;
  /** Packets on the line. */
  readonly sent = { packets: 0 };
  readonly deframer: SlipDeframer;
  readonly #output: Ring;

  /** Packets are received into `frame`. */
  constructor(networks: Networks, frame: Uint8Array, output: Ring) {
    this.networks = networks;
    this.deframer = new SlipDeframer(frame);
    this.#output = output;
  }

  get packet(): Uint8Array {
    return this.networks.datapath.packet;
  }

  get packetStart(): number {
    return this.networks.datapath.start;
  }

  get packetEnd(): number {
    return this.networks.datapath.end;
  }

  /** See {@link Link.receive}. */
  receive(input: Ring, now: number): boolean {
    const { deframer } = this;
    while (input.length > 0) {
      const at = input.readAt;
      const before = deframer.stats.overlong;
      input.consume(deframer.push(input.bytes, at, at + input.readable) - at);
      if (deframer.stats.overlong > before) this.networks.datapath.frameLost();
      if (deframer.length > 0 && this.#take(now)) return true;
    }
    return false;
  }

  /** True: the packet is for the interface. */
  #take(now: number): boolean {
    const { packet, length } = this.deframer;
    const first = packet[0]!;
    const kind = first & 0xf0;
    let protocol: number = Protocol.IP;
    if (first & COMPRESSED) {
      protocol = Protocol.VJ_COMP;
      packet[0] = first & ~COMPRESSED;
    } else if (kind === UNCOMPRESSED) {
      protocol = Protocol.VJ_UNCOMP;
      packet[0] = IP | (first & 15);
      this.#answerCompression();
    } else if (kind !== IP) return false;
    return this.networks.receiveData(protocol, packet, 0, length, now);
  }

  /** A peer that compresses headers can also read them. */
  #answerCompression(): void {
    const { datapath } = this.networks;
    if (datapath.vjIn !== undefined) datapath.vjOut ??= new VjCompressor(SLIP_VJ.maxSlot + 1, SLIP_VJ.compressSlot);
  }

  /** True when a packet of `length` octets is sure to fit the output. */
  hasRoom(length: number): boolean {
    return this.#output.free >= worstSlip(length);
  }

  /** See {@link Link.send}. */
  send(packet: Uint8Array, start: number, end: number, now: number): boolean {
    const protocol = this.networks.sendData(packet, start, end, now);
    if (protocol === LOST || this.isMuted) return false;
    const { datapath } = this.networks;
    if (protocol === Protocol.VJ_COMP) datapath.packet[datapath.start]! |= COMPRESSED;
    else if (protocol === Protocol.VJ_UNCOMP) datapath.packet[datapath.start]! |= UNCOMPRESSED;
    putSlip(datapath.packet, datapath.start, datapath.end, this.#output);
    this.sent.packets++;
    return true;
  }

  flush(): void {}

  nextTimeout(): number {
    return Infinity;
  }

  handleTimeout(): void {}
}
