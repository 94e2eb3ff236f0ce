// One direction of a recorded link: follows its CCP negotiation and decompresses its packets.
//
// The side that acknowledges a Configure-Request of CCP sends with the first option of that request, and acknowledges a
// reset when it starts again. So all packets that matter are in the same direction as the compressed ones. The rules
// are those of pppdump, and CCP for the single link (80fb, 00fb) is followed too. A record has no keys, so encrypted
// packets stay as they are.

import { DAMAGED, type Decompressor, FATAL, ROOM } from "../compress/codec.ts";
import { methodOf } from "../compress/methods.ts";
import { MAX_FRAME } from "../frame/deframer.ts";
import { addressEnd, protocolAt, protocolEnd } from "../frame/header.ts";
import { Code, type ConfOption, parseControl } from "../wire/control.ts";
import { Protocol } from "../wire/protocols.ts";

export type Outcome = "as-it-is" | "unpacked" | "damaged" | "fatal";

export class Unpacker {
  /**
   * The result of take(): the octets before the protocol as they came, and the packet. Borrowed until the next call.
   */
  packet: Uint8Array;
  /** Where the protocol begins in it. */
  at = 0;
  readonly #out = new Uint8Array(2 + MAX_FRAME + ROOM);
  #decompressor: Decompressor | undefined;
  /** Damaged: until the peer's history is reset. Fatal: until the next negotiation. */
  #trouble: "none" | "damaged" | "fatal" = "none";

  constructor() {
    this.packet = this.#out;
  }

  /** Handles the packet of a good frame. */
  take(packet: Uint8Array): Outcome {
    const start = addressEnd(packet, 0, packet.length);
    const at = protocolEnd(packet, start, packet.length);
    if (at < 0) return "as-it-is";
    const protocol = protocolAt(packet, start, at);
    if (protocol === Protocol.CCP || protocol === Protocol.CCP_LINK) this.#follow(packet, at);
    else if (protocol === Protocol.COMP || protocol === Protocol.COMP_LINK) return this.#unpack(packet, start, at);
    else this.#decompressor?.incompressible(protocol, packet, at, packet.length);
    return "as-it-is";
  }

  #unpack(packet: Uint8Array, start: number, at: number): Outcome {
    const decompressor = this.#decompressor;
    if (decompressor === undefined || this.#trouble !== "none") return "as-it-is";
    const out = this.#out;
    const end = decompressor.decompress(packet, at, packet.length, out, start);
    if (end === DAMAGED) {
      if (!decompressor.selfHealing) this.#trouble = "damaged";
      return "damaged";
    }
    if (end === FATAL) {
      this.#trouble = "fatal";
      return "fatal";
    }
    out.set(packet.subarray(0, start));
    this.packet = out.subarray(0, end);
    this.at = start;
    return "unpacked";
  }

  #follow(packet: Uint8Array, at: number): void {
    const control = parseControl(packet, at, packet.length);
    if (control === undefined) return;
    switch (control.code) {
      case Code.ConfAck: {
        const option = firstOption(packet, control.dataStart, control.dataEnd);
        this.#decompressor = option && methodOf(option)?.decompressor(undefined);
        this.#trouble = "none";
        return;
      }
      case Code.ConfNak:
      case Code.ConfRej:
        this.#decompressor = undefined;
        return;
      case Code.ResetAck:
        this.#decompressor?.reset();
        if (this.#trouble === "damaged") this.#trouble = "none";
        return;
    }
  }
}

function firstOption(packet: Uint8Array, start: number, end: number): ConfOption | undefined {
  if (end - start < OPTION_HEADER) return undefined;
  const length = packet[start + 1]!;
  if (length < OPTION_HEADER || start + length > end) return undefined;
  return { type: packet[start]!, value: packet.slice(start + OPTION_HEADER, start + length) };
}

const OPTION_HEADER = 2;
