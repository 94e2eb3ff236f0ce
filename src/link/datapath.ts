// The steps between the interface and a frame. Sending: Van Jacobson's header compression, then CCP's compression or
// encryption. Receiving: the same in reverse (RFC 1144, RFC 1962 §2).
//
// A packet that needs no step stays where it is. The result of a step is in `packet` from `start` to `end`, borrowed
// until the next call.

import { Noise } from "../compress/noise.ts";
import { type Compressor, type Decompressor, DAMAGED, FATAL, ROOM } from "../compress/codec.ts";
import { VJ_HEADROOM, VjCompressor, VjDecompressor } from "../compress/vj.ts";
import { MAX_FRAME } from "../frame/deframer.ts";
import { HEADROOM, protocolAt, protocolEnd } from "../frame/header.ts";
import { Protocol } from "../wire/protocols.ts";
import type { Vj } from "../wire/ipcp.ts";
import { type Counters, HEADER_OCTETS, NO_TRAFFIC, type TrafficCount } from "./counters.ts";

/** Room for one decompressed packet with its header. */
export const PLAIN_SIZE = VJ_HEADROOM + MAX_FRAME + ROOM;
/** From encode() and decode(): the packet is lost. It came too early, cannot be read, or is not permitted. */
export const LOST = -3;
/** Protocols with this number and above are control protocols and carry no data. */
export const FIRST_CONTROL = 0x4000;

export class Datapath {
  packet: Uint8Array;
  start = 0;
  end = 0;
  compressor: Compressor | undefined;
  decompressor: Decompressor | undefined;
  /** The line is faster than the compressor. Packets are sent plain where the method permits it. */
  fast = false;
  /** Only encrypted packets may pass (require-mppe). */
  encrypted = false;
  /**
   * The protocol of compressed packets. COMP: packets are compressed before they are cut into pieces. COMP_LINK: what
   * the line carries is compressed, so pieces are (RFC 1962 §2).
   */
  compressedAs: typeof Protocol.COMP | typeof Protocol.COMP_LINK = Protocol.COMP;
  vjOut: VjCompressor | undefined;
  vjIn: VjDecompressor | undefined;
  /**
   * Header compression counts its own packets. The caller counts packets and octets, because it knows which are
   * delivered.
   */
  readonly received: TrafficCount = { ...NO_TRAFFIC };
  readonly sent: TrafficCount = { ...NO_TRAFFIC };
  readonly #plain: Uint8Array;
  readonly #compressed = new Uint8Array(HEADROOM + MAX_FRAME + ROOM);
  /** A reset was asked for. Packets cannot be read until its Ack comes. */
  #waiting = false;
  readonly #noise = new Noise();

  /** `plain` has PLAIN_SIZE octets. Decompressed packets are put there. */
  constructor(plain: Uint8Array) {
    this.#plain = this.packet = plain;
  }

  /** Sets the header compression that IPCP agreed on. */
  setVj(receive: Vj | undefined, transmit: Vj | undefined): void {
    this.#addVj(this.received, this.sent);
    this.vjIn = receive && new VjDecompressor(receive.maxSlot + 1, receive.compressSlot);
    this.vjOut = transmit && new VjCompressor(transmit.maxSlot + 1, transmit.compressSlot);
  }

  set receiver(decompressor: Decompressor | undefined) {
    this.decompressor = decompressor;
    this.#waiting = false;
    countAnew(this.received);
  }

  set sender(compressor: Compressor | undefined) {
    this.compressor = compressor;
    countAnew(this.sent);
  }

  counters(): Counters {
    const received = { ...this.received };
    const sent = { ...this.sent };
    this.#addVj(received, sent);
    return { received, sent };
  }

  #addVj(received: TrafficCount, sent: TrafficCount): void {
    const { vjIn, vjOut } = this;
    if (vjIn !== undefined) {
      received.vjCompressed += vjIn.compressedIn;
      received.vjUncompressed += vjIn.uncompressedIn;
      received.vjErrors += vjIn.errorsIn;
      received.vjTossed += vjIn.tossed;
    }
    if (vjOut !== undefined) {
      sent.vjCompressed += vjOut.compressed;
      sent.vjUncompressed += vjOut.packets - vjOut.compressed;
      sent.vjSearches += vjOut.searches;
      sent.vjMisses += vjOut.misses;
    }
  }

  /** The peer acknowledged a reset. */
  resetReceive(): void {
    this.decompressor?.reset();
    this.#waiting = false;
  }

  /**
   * A frame was lost on the line. Compressed headers depend on earlier packets and can no longer be trusted (RFC 1144
   * §4.1).
   */
  frameLost(): void {
    this.vjIn?.lost();
  }

  /**
   * Prepares packet[start, end) of `protocol` (IP or IPV6) for sending. It has HEADROOM free octets before it. Returns
   * the protocol to send it as, or LOST.
   */
  encode(protocol: number, packet: Uint8Array, start: number, end: number): number {
    const found = this.encodeHeader(protocol, packet, start, end);
    return found === LOST ? LOST : this.pack(found, this.packet, this.start, this.end);
  }

  /** The first step of encode() alone. */
  encodeHeader(protocol: number, packet: Uint8Array, start: number, end: number): number {
    const { vjOut } = this;
    // This test comes before header compression, which records every packet as sent to the peer.
    if (this.compressor === undefined && this.encrypted) return LOST;
    if (vjOut !== undefined && protocol === Protocol.IP) {
      protocol = vjOut.compress(packet, start, end);
      if (protocol === Protocol.VJ_COMP) start = vjOut.start;
    }
    this.packet = packet;
    this.start = start;
    this.end = end;
    return protocol;
  }

  /** The second step of encode() alone, for a packet or a piece of one. */
  pack(protocol: number, packet: Uint8Array, start: number, end: number): number {
    const { compressor, sent } = this;
    this.packet = packet;
    this.start = start;
    this.end = end;
    if (compressor === undefined) return this.encrypted ? LOST : protocol;
    const length = HEADER_OCTETS + end - start;
    sent.uncompressedBytes += length;
    if (this.fast && compressor.skip !== undefined) {
      compressor.skip(protocol, packet, start, end);
      sent.incompressiblePackets++;
      sent.incompressibleBytes += length;
      return protocol;
    }
    const compressed = this.#compressed;
    const stop = compressor.compress(protocol, packet, start, end, compressed, HEADROOM);
    if (stop < 0) {
      sent.incompressiblePackets++;
      sent.incompressibleBytes += length;
      return this.encrypted ? LOST : protocol;
    }
    sent.compressedPackets++;
    sent.compressedBytes += HEADER_OCTETS + stop - HEADROOM;
    this.packet = compressed;
    this.start = HEADROOM;
    this.end = stop;
    return this.compressedAs;
  }

  get isPerLink(): boolean {
    return this.compressedAs === Protocol.COMP_LINK;
  }

  /**
   * True when packet[start, end) may be sent in pieces, with other packets between them. If packets are compressed
   * before they are cut, it must then go without compression, and that is only right for data that does not shrink.
   */
  mayCut(packet: Uint8Array, start: number, end: number): boolean {
    const { compressor } = this;
    if (this.isPerLink || compressor === undefined) return true;
    return compressor.skip !== undefined && this.#noise.isIn(packet, start, end);
  }

  /** A packet that went in pieces, and was not compressed, is complete. The peer puts it into its history now. */
  passed(protocol: number, packet: Uint8Array, start: number, end: number): void {
    const { compressor, sent } = this;
    if (this.isPerLink || compressor === undefined) return;
    compressor.skip?.(protocol, packet, start, end);
    const length = HEADER_OCTETS + end - start;
    sent.uncompressedBytes += length;
    sent.incompressiblePackets++;
    sent.incompressibleBytes += length;
  }

  /**
   * Handles packet[start, end) of a received frame. Returns the protocol of the result, LOST, DAMAGED (the peer must
   * reset its history) or FATAL. `isReassembled`: the packet came in pieces.
   */
  decode(protocol: number, packet: Uint8Array, start: number, end: number, isReassembled = false): number {
    if (isReassembled && this.isPerLink) {
      this.packet = packet;
      this.start = start;
      this.end = end;
    } else protocol = this.#unpack(protocol, packet, start, end);
    if (protocol === Protocol.VJ_COMP || protocol === Protocol.VJ_UNCOMP) return this.#wholeHeader(protocol);
    return protocol;
  }

  #unpack(protocol: number, packet: Uint8Array, start: number, end: number): number {
    const { decompressor, received } = this;
    this.packet = packet;
    this.start = start;
    this.end = end;
    if (protocol === this.compressedAs) {
      if (decompressor === undefined) return LOST;
      if (this.#waiting && !decompressor.selfHealing) return DAMAGED;
      const plain = this.#plain;
      const stop = decompressor.decompress(packet, start, end, plain, VJ_HEADROOM);
      if (stop === DAMAGED || stop === FATAL) {
        this.#waiting = true;
        this.vjIn?.lost();
        return stop;
      }
      this.#waiting = false;
      received.compressedPackets++;
      received.compressedBytes += HEADER_OCTETS + end - start;
      start = protocolEnd(plain, VJ_HEADROOM, stop);
      if (start < 0) return LOST;
      protocol = protocolAt(plain, VJ_HEADROOM, start);
      // No packet is compressed twice.
      if (protocol === this.compressedAs || protocol >= FIRST_CONTROL) return LOST;
      received.uncompressedBytes += HEADER_OCTETS + stop - start;
      this.packet = plain;
      this.start = start;
      this.end = stop;
    } else if (decompressor !== undefined && !this.#waiting) {
      decompressor.incompressible(protocol, packet, start, end);
      received.incompressiblePackets++;
      received.incompressibleBytes += HEADER_OCTETS + end - start;
      received.uncompressedBytes += HEADER_OCTETS + end - start;
    }
    if (this.encrypted && this.packet === packet && protocol < FIRST_CONTROL) return LOST;
    return protocol;
  }

  /** Moves the packet to the plain buffer, unless it is there or in `frame`. */
  keep(frame: Uint8Array): void {
    const plain = this.#plain;
    if (this.packet === plain || this.packet === frame) return;
    plain.set(this.packet.subarray(this.start, this.end), VJ_HEADROOM);
    this.end += VJ_HEADROOM - this.start;
    this.start = VJ_HEADROOM;
    this.packet = plain;
  }

  #wholeHeader(protocol: number): number {
    const { vjIn } = this;
    if (vjIn === undefined) return protocol;
    if (protocol === Protocol.VJ_UNCOMP)
      return vjIn.uncompressed(this.packet, this.start, this.end) ? Protocol.IP : LOST;
    const plain = this.#plain;
    // The restored header is longer, and here is room before the packet, unlike in the frame.
    this.keep(plain);
    if (!vjIn.compressed(plain, this.start, this.end)) return LOST;
    this.start = vjIn.start;
    return Protocol.IP;
  }
}

/** The counters of compression start with the compressor. */
function countAnew(traffic: TrafficCount): void {
  traffic.compressedBytes = traffic.compressedPackets = 0;
  traffic.incompressibleBytes = traffic.incompressiblePackets = traffic.uncompressedBytes = 0;
}
