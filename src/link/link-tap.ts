// What a link shows to somebody who looks on: the packets of its good frames, what happens to it, and the packets of the
// interface. Whoever looks on changes nothing and keeps no octets without copying them.

import type { LinkEvent } from "./events.ts";

export interface LinkTap {
  /** A frame is about to be sent. packet[start, end) begins with its PPP header. */
  sent(packet: Uint8Array, start: number, end: number, now: number): void;
  /** A good frame came, after so many bad ones. */
  received(packet: Uint8Array, start: number, end: number, now: number, badFrames: number): void;
  event(event: LinkEvent, now: number): void;
}

/** For the packets of the interface, without compression. */
export interface NetworkTap {
  /** Somebody wants them. */
  readonly isOn: boolean;
  /** The line is not PPP's (SLIP): no LinkTap sees its packets. */
  isAlone: boolean;
  packet(isSent: boolean, protocol: number, packet: Uint8Array, start: number, end: number, now: number): void;
}
