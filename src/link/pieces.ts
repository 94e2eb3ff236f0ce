// Sends a bulk packet in pieces, as fragments of multilink, so that an interactive packet waits for one piece only (RFC
// 1990 §3). The other packets go between the pieces as they are, without an MP header, so that they overtake.
//
// The peer handles the packet when its last piece has come, which is after all packets that were sent between. So
// nothing that the two sides keep in step may count it earlier. VJ holds its slot, and a compressor of packets (not of
// what the line carries) gets it at its end.

import { MAX_FRAME } from "../frame/deframer.ts";
import { FCS_ROOM } from "../frame/fcs.ts";
import { HEADROOM } from "../frame/header.ts";
import { Protocol } from "../wire/protocols.ts";
import type { Terms } from "./bundle-member.ts";
import { LOST } from "./datapath.ts";
import { Gain } from "./gain.ts";
import { LONG_HEADER, MpSender } from "./mp-sender.ts";
import type { Networks } from "./networks.ts";

/** The room before a piece: for protocol and MP header, and before them for the link's own header. */
export const PIECE_ROOM = HEADROOM + 8;

/** How long a piece takes on the line, so that at 115200 the headers of the pieces cost less than 3 %. */
const PIECE_MS = 16;
const PIECE_MS_OF_LONG_HEADERS = 26;
/** Shorter pieces would cost a slow line too much for their headers. */
const SHORTEST = 128;
/** In shorter pieces, data that shrinks would shrink less. A piece of it is shorter on the line. */
const SHORTEST_SHRINKING = 600;
const SHRINKING = 1.5;
/** How many octets of pieces tell what compression makes of the next ones. */
const LATELY = 3000;
/** An encrypted piece is a little longer. */
const GROWTH = 16;

export interface PiecesHost {
  readonly networks: Networks;
  /** The rate of the line in octets a millisecond. 0: unknown. */
  rate(now: number): number;
  /** Sends a packet whole. */
  send(packet: Uint8Array, start: number, end: number, now: number): boolean;
  /** Sends packet[start, end) of a protocol, which has HEADROOM free octets before it and FCS_ROOM after it. */
  sendPacket(protocol: number, packet: Uint8Array, start: number, end: number, now: number): void;
}

export class Pieces {
  /** Undefined: the peer reassembles nothing. */
  #sender: MpSender | undefined;
  readonly #host: PiecesHost;
  /** The longest packet that the peer reassembles, and the longest that the line carries. */
  #mrru = 0;
  #mru = 0;
  /** The packet with its protocol, from `at` to `end`. */
  #packet = new Uint8Array(0);
  #at = 0;
  #end = 0;
  #protocol = 0;
  #start = 0;
  /** The octets of the packet before VJ, and those of its pieces in their frames. */
  #octets = 0;
  #framed = 0;
  #piece = new Uint8Array(0);
  #gain = new Gain(LATELY);

  constructor(host: PiecesHost) {
    this.#host = host;
  }

  /** The peer reassembles packets, on these terms. */
  open(terms: Terms, sender = new MpSender(terms.peerShortSequence)): void {
    this.#sender = sender;
    this.#mrru = terms.peerMrru;
    this.#mru = terms.peerMru;
    this.#gain = new Gain(LATELY);
    this.#at = this.#end = 0;
    if (this.#packet.length > 0) return;
    // Most links never need them.
    this.#packet = new Uint8Array(2 + MAX_FRAME);
    this.#piece = new Uint8Array(PIECE_ROOM + MAX_FRAME + FCS_ROOM);
  }

  /** The bundle's only link is another one now. */
  setPeerMru(peerMru: number): void {
    this.#mru = peerMru;
  }

  close(): void {
    this.#sender = undefined;
    this.#at = this.#end = 0;
  }

  /**
   * The network protocol of these packets (IP or IPV6) has gone down. The rest of such a packet is not sent: its header
   * may be compressed by a VJ that is gone. The peer discards its pieces when the next packet begins.
   */
  abandon(protocol: number): void {
    if (this.isPending && (this.#protocol === Protocol.IPV6) === (protocol === Protocol.IPV6)) this.#at = this.#end = 0;
  }

  /** Pieces of a packet are still to be sent. */
  get isPending(): boolean {
    return this.#at < this.#end;
  }

  /**
   * Takes the IP packet[start, end) to be sent in pieces by next(). False: it cannot be cut, or need not, and was sent
   * whole.
   */
  cut(packet: Uint8Array, start: number, end: number, now: number): boolean {
    const { networks } = this.#host;
    if (!this.#mayCut(packet, start, end, now)) {
      this.#host.send(packet, start, end, now);
      return false;
    }
    const protocol = networks.sendInPieces(packet, start, end, now);
    if (protocol === LOST) return false;
    const { datapath } = networks;
    const own = this.#packet;
    let at = 0;
    if (protocol > 0xff) own[at++] = protocol >>> 8;
    own[at++] = protocol;
    own.set(datapath.packet.subarray(datapath.start, datapath.end), at);
    this.#protocol = protocol;
    this.#start = at;
    this.#end = at + datapath.end - datapath.start;
    this.#at = this.#framed = 0;
    this.#octets = end - start;
    return true;
  }

  #mayCut(packet: Uint8Array, start: number, end: number, now: number): boolean {
    const sender = this.#sender;
    const length = end - start;
    if (sender === undefined || this.isPending || length > this.#mrru) return false;
    if (Math.round(length / this.#worth(sender, now)) < 2) return false;
    return this.#host.networks.datapath.mayCut(packet, start, end);
  }

  /** The octets of a packet that a piece should have now. */
  #worth(sender: MpSender, now: number): number {
    const rate = this.#host.rate(now);
    if (rate === 0) return Infinity;
    const milliseconds = sender.headerLength === LONG_HEADER ? PIECE_MS_OF_LONG_HEADERS : PIECE_MS;
    let octets = Math.max(SHORTEST, rate * milliseconds);
    if (this.#host.networks.datapath.isPerLink) {
      const { ratio } = this.#gain;
      octets *= ratio;
      if (ratio > SHRINKING) octets = Math.max(octets, SHORTEST_SHRINKING);
    }
    return octets;
  }

  /** Sends the next piece. */
  next(now: number): void {
    const sender = this.#sender;
    if (sender === undefined || !this.isPending) return;
    const left = this.#end - this.#at;
    const most = Math.max(1, this.#mru - sender.headerLength - GROWTH);
    // All pieces have about the same length.
    const pieces = Math.max(1, Math.round(left / this.#worth(sender, now)), Math.ceil(left / most));
    const length = Math.ceil(left / pieces);
    const piece = this.#piece;
    piece.set(this.#packet.subarray(this.#at, this.#at + length), PIECE_ROOM);
    const from = sender.putHeader(piece, PIECE_ROOM, this.#at === 0, length === left);
    this.#at += length;
    const framed = this.#send(piece, from, PIECE_ROOM + length, now);
    this.#gain.count(length, framed);
    this.#framed += framed;
    if (!this.isPending) this.#finish();
  }

  /** Returns the octets of the packet in the frame. */
  #send(piece: Uint8Array, start: number, end: number, now: number): number {
    const { networks, sendPacket } = this.#host;
    const { datapath } = networks;
    if (!datapath.isPerLink) {
      sendPacket(Protocol.MP, piece, start, end, now);
      return end - start;
    }
    const protocol = datapath.pack(Protocol.MP, piece, start, end);
    if (protocol !== LOST) sendPacket(protocol, datapath.packet, datapath.start, datapath.end, now);
    return datapath.end - datapath.start;
  }

  #finish(): void {
    const { datapath, gain } = this.#host.networks;
    datapath.vjOut?.release();
    datapath.passed(this.#protocol, this.#packet, this.#start, this.#end);
    gain.count(this.#octets, this.#framed);
  }
}
