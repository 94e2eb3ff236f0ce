// What the methods of CCP have in common: one object a direction, which keeps the history that both ends share
// (RFC 1962 §2). A codec allocates nothing a packet, is told neither the time nor who its peer is, and never throws.
//
// The payload of a Compressed Datagram (protocol 00fd) is in[start, end) or out[at, …). What is inside it begins with the
// protocol of the packet: one octet where it is below 0x100 and the method says so, else two.

/** decompress() found the packet damaged or out of order: the peer must be asked for a reset (RFC 1962 §3). */
export const DAMAGED = -1;
/** decompress() found what cannot be: the peer's compressor is not the one agreed on, and a reset would not help. */
export const FATAL = -2;
/** compress(): the packet goes out as it is; the history has been told. */
export const PLAIN = -1;

/** What a compressor may need beyond the length of the packet: its own header and trailer, and the protocol. */
export const ROOM = 16;

export interface Compressor {
  /** Octets it may add to a packet, for the MTU: 0 where what would grow is sent plain. */
  readonly overhead: number;
  /**
   * Compresses the packet in[start, end) of `protocol` to out[at, …) and returns where the payload ends, or PLAIN. A
   * packet whose protocol the method leaves alone is PLAIN and does not touch the history. Whatever the packet, no octet
   * at or behind out[at + (end - start) + ROOM] is written.
   */
  compress(protocol: number, packet: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number;
  /**
   * The packet goes out as it is because the line is faster than compressing: the history is told of it, and cheaply.
   * Without this method there is no cheap way.
   */
  skip?(protocol: number, packet: Uint8Array, start: number, end: number): void;
  /** The peer sent a Reset-Request: the history is forgotten. */
  reset(): void;
}

export interface Decompressor {
  /**
   * True: it finds its way back by what the packets themselves say, or counts them, and must see them all after a
   * Reset-Request too (MPPE, MPPC, LZS). False: what comes before the Reset-Ack is lost, and reset() makes a new start.
   */
  readonly selfHealing: boolean;
  /**
   * Decompresses the payload packet[start, end) to out[at, …): protocol and packet. Returns where it ends, DAMAGED or
   * FATAL. At most MAX_FRAME octets come out; a payload that would make more is FATAL.
   */
  decompress(packet: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number;
  /** A packet that came plain: it enters the history where the method says so, and only then. */
  incompressible(protocol: number, packet: Uint8Array, start: number, end: number): void;
  /** The peer acknowledged a reset. */
  reset(): void;
}
