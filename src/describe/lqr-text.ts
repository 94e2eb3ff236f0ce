// Shows Link-Quality-Reports in a debug line (RFC 1989). pppd has no text for them and shows their octets.

import { LQR_LENGTH, parseLqr } from "../wire/lqr.ts";
import type { Part } from "../wire/text-part.ts";

/**
 * ` magic=0x1 LastOut=LQRs,packets,octets PeerIn=LQRs,packets,discards,errors,octets PeerOut=…`. Undefined: not a
 * report.
 */
export function describeLqr(packet: Uint8Array, start: number, end: number): Part | undefined {
  const report = parseLqr(packet, start, end);
  if (report === undefined) return undefined;
  const { lastOutLqrs, lastOutPackets, lastOutOctets, peerOutLqrs, peerOutPackets, peerOutOctets } = report;
  const { peerInLqrs, peerInPackets, peerInDiscards, peerInErrors, peerInOctets } = report;
  const lastOut = [lastOutLqrs, lastOutPackets, lastOutOctets].join();
  const peerIn = [peerInLqrs, peerInPackets, peerInDiscards, peerInErrors, peerInOctets].join();
  const peerOut = [peerOutLqrs, peerOutPackets, peerOutOctets].join();
  const magic = report.magic.toString(16);
  return { text: ` magic=0x${magic} LastOut=${lastOut} PeerIn=${peerIn} PeerOut=${peerOut}`, next: start + LQR_LENGTH };
}
