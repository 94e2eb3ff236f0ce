// The interfaces of CCP's methods. One object for each direction keeps the history that both ends share (RFC 1962 §2).
// A codec allocates nothing for a packet, does not know the time or the peer, and never throws.
//
// The payload of a Compressed Datagram (protocol 00fd) is in[start, end) or out[at, …). Inside, the packet begins with
// its protocol: one octet if it is below 0x100 and the method permits it, else two.

/** From decompress(): the packet is damaged or out of order. The peer must be asked for a reset (RFC 1962 §3). */
export const DAMAGED = -1;
/** From decompress(): the packet is impossible. The peer uses another compressor, and a reset would not help. */
export const FATAL = -2;
/** From compress(): the packet is sent plain. The history is updated. */
export const PLAIN = -1;

/**
 * The octets that a compressor may need beyond the length of the packet, for its header, its trailer and the protocol.
 */
export const ROOM = 16;

export interface Compressor {
  /** The octets that it may add to a packet, for the MTU. 0 when packets that would grow are sent plain. */
  readonly overhead: number;
  /**
   * Compresses the packet in[start, end) of `protocol` to out[at, …). Returns the end of the payload, or PLAIN. A
   * packet whose protocol is not compressed is PLAIN and does not change the history. Nothing at or after out[at + (end
   * - start) + ROOM] is written, whatever the packet is.
   */
  compress(protocol: number, packet: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number;
  /**
   * Updates the history for a packet that is sent plain because the line is faster than the compressor. It is missing
   * when the method has no cheap way to do that.
   */
  skip?(protocol: number, packet: Uint8Array, start: number, end: number): void;
  /** The peer sent a Reset-Request. The history is forgotten. */
  reset(): void;
}

export interface Decompressor {
  /**
   * True when the packets themselves show how to resume after a loss, or are counted. The codec must then see the
   * packets after a Reset-Request too (MPPE, MPPC, LZS). False: packets before the Reset-Ack are lost, and reset()
   * starts again.
   */
  readonly selfHealing: boolean;
  /**
   * Decompresses the payload packet[start, end) to out[at, …): protocol and packet. Returns the end, DAMAGED or FATAL.
   * The result has MAX_FRAME octets at most. A payload that would give more is FATAL.
   */
  decompress(packet: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number;
  /** Handles a packet that came plain. It enters the history if the method says so. */
  incompressible(protocol: number, packet: Uint8Array, start: number, end: number): void;
  /** The peer acknowledged a reset. */
  reset(): void;
}
