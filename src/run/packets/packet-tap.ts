// What takes packets of the peer before the packet port does, and has packets for the peer that no port gave: the router
// discovery and the relay of name queries of a link that shares the network.

import type { ProtocolsUp } from "./port.ts";

export interface PacketTap {
  /** Takes packet[start, end) of the peer. False: it is for the packet port. */
  receive(packet: Uint8Array, start: number, end: number, now: number): boolean;
  /** Readable when {@link collect} has something to do; -1: never. */
  readonly fd: number;
  collect(now: number): void;
  /** {@link take} may have a packet. */
  readonly hasPackets: boolean;
  /** Writes a packet for the peer to into[at…] and returns its length. 0: there is none. */
  take(into: Uint8Array, at: number, up: ProtocolsUp, now: number): number;
  nextTimeout(): number;
  handleTimeout(now: number): void;
}
