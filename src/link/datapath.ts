// What becomes of a packet between the interface and its frame: Van Jacobson's header compression, then CCP's
// compression or encryption, and the same backwards (RFC 1144, RFC 1962 §2).
//
// Both ways a packet stays where it is as long as nothing has to be done to it. What is done to it is left in `packet`
// from `start` to `end`, borrowed until the next call.

import { type Compressor, type Decompressor, DAMAGED, FATAL, ROOM } from "../compress/codec.ts";
import { VJ_HEADROOM, VjCompressor, VjDecompressor } from "../compress/vj.ts";
import { MAX_FRAME } from "../frame/deframer.ts";
import { HEADROOM, protocolAt, protocolEnd } from "../frame/header.ts";
import { Protocol } from "../wire/protocols.ts";
import type { Vj } from "../wire/ipcp.ts";
import { type Counters, HEADER_OCTETS, NO_TRAFFIC, type TrafficCount } from "./counters.ts";

/** Room for one packet as it came out of a decompressor, and the header before it. */
export const PLAIN_SIZE = VJ_HEADROOM + MAX_FRAME + ROOM;
/** decode(): the packet is nobody's: it came too early, cannot be read or must not be. */
export const LOST = -3;
/** Protocols of this number and above are the network's control protocols, and no data. */
export const FIRST_CONTROL = 0x4000;

export class Datapath {
  packet: Uint8Array;
  start = 0;
  end = 0;
  compressor: Compressor | undefined;
  decompressor: Decompressor | undefined;
  /** The line takes more than a compressor makes: packets go out as they are, where the method lets them. */
  fast = false;
  /** Nothing may pass but what is encrypted: require-mppe. */
  encrypted = false;
  vjOut: VjCompressor | undefined;
  vjIn: VjDecompressor | undefined;
  /** Bytes and packets are counted by who knows what becomes of them; header compression counts for itself. */
  readonly received: TrafficCount = { ...NO_TRAFFIC };
  readonly sent: TrafficCount = { ...NO_TRAFFIC };
  readonly #plain: Uint8Array;
  readonly #compressed = new Uint8Array(HEADROOM + MAX_FRAME + ROOM);
  /** A reset was asked for: what comes before its Ack cannot be read. */
  #waiting = false;

  /** `plain` has PLAIN_SIZE octets: decompressed packets come to lie in it. */
  constructor(plain: Uint8Array) {
    this.#plain = this.packet = plain;
  }

  /** Header compression as IPCP agreed on it. */
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

  /** The peer began anew. */
  resetReceive(): void {
    this.decompressor?.reset();
    this.#waiting = false;
  }

  /** Something was lost on the line: headers that lean on what came before are not to be trusted (RFC 1144 §4.1). */
  frameLost(): void {
    this.vjIn?.lost();
  }

  /**
   * Takes packet[start, end) of `protocol` (IP or IPV6), with HEADROOM octets before it, and returns the protocol it goes
   * out as, or LOST.
   */
  encode(protocol: number, packet: Uint8Array, start: number, end: number): number {
    const { vjOut, compressor } = this;
    // Before the headers are compressed: what is not sent, the peer must not be thought to have seen.
    if (compressor === undefined && this.encrypted) return LOST;
    if (vjOut !== undefined && protocol === Protocol.IP) {
      protocol = vjOut.compress(packet, start, end);
      if (protocol === Protocol.VJ_COMP) start = vjOut.start;
    }
    this.packet = packet;
    this.start = start;
    this.end = end;
    if (compressor === undefined) return protocol;
    const { sent } = this;
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
    return Protocol.COMP;
  }

  /**
   * Takes a frame's packet[start, end) of any protocol and returns the protocol it turns out to be of, LOST, DAMAGED (the
   * peer must begin anew) or FATAL.
   */
  decode(protocol: number, packet: Uint8Array, start: number, end: number): number {
    const { decompressor, received } = this;
    this.packet = packet;
    this.start = start;
    this.end = end;
    if (protocol === Protocol.COMP) {
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
      // Once is enough: a packet compressed twice is nobody's.
      if (protocol === Protocol.COMP || protocol >= FIRST_CONTROL) return LOST;
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
    if (protocol === Protocol.VJ_COMP || protocol === Protocol.VJ_UNCOMP) return this.#wholeHeader(protocol);
    return protocol;
  }

  #wholeHeader(protocol: number): number {
    const { vjIn } = this;
    if (vjIn === undefined) return protocol;
    if (protocol === Protocol.VJ_UNCOMP)
      return vjIn.uncompressed(this.packet, this.start, this.end) ? Protocol.IP : LOST;
    const plain = this.#plain;
    if (this.packet !== plain) {
      // The header grows forwards: there is room before the packet here, and none in the frame.
      plain.set(this.packet.subarray(this.start, this.end), VJ_HEADROOM);
      this.end += VJ_HEADROOM - this.start;
      this.start = VJ_HEADROOM;
      this.packet = plain;
    }
    if (!vjIn.compressed(plain, this.start, this.end)) return LOST;
    this.start = vjIn.start;
    return Protocol.IP;
  }
}

/** A compressor counts from its own beginning, and without one there is nothing to count. */
function countAnew(traffic: TrafficCount): void {
  traffic.compressedBytes = traffic.compressedPackets = 0;
  traffic.incompressibleBytes = traffic.incompressiblePackets = traffic.uncompressedBytes = 0;
}
