// The Link-Quality-Report, the only packet of protocol c025 (RFC 1989): twelve numbers of 32 bits without a header.

import { put32, u32 } from "../bytes/be.ts";

export const LQR_LENGTH = 48;

/** The fields in the order of the packet. All are counts since LCP was opened, and wrap. */
export interface LinkQualityReport {
  /** The sender's magic number, or 0 without an agreement on one. */
  magic: number;
  /** The counts in the last report that the sender received. They mean nothing while peerInLqrs is 0. */
  lastOutLqrs: number;
  lastOutPackets: number;
  lastOutOctets: number;
  /** What the sender had received when that report came, including the report. */
  peerInLqrs: number;
  peerInPackets: number;
  peerInDiscards: number;
  peerInErrors: number;
  peerInOctets: number;
  /** What the sender has sent, including this report. */
  peerOutLqrs: number;
  peerOutPackets: number;
  peerOutOctets: number;
}

/** Reads the report in packet[start, end). Undefined when it is too short. Padding may follow. */
export function parseLqr(packet: Uint8Array, start: number, end: number): LinkQualityReport | undefined {
  if (end - start < LQR_LENGTH) return undefined;
  return {
    magic: u32(packet, start),
    lastOutLqrs: u32(packet, start + 4),
    lastOutPackets: u32(packet, start + 8),
    lastOutOctets: u32(packet, start + 12),
    peerInLqrs: u32(packet, start + 16),
    peerInPackets: u32(packet, start + 20),
    peerInDiscards: u32(packet, start + 24),
    peerInErrors: u32(packet, start + 28),
    peerInOctets: u32(packet, start + 32),
    peerOutLqrs: u32(packet, start + 36),
    peerOutPackets: u32(packet, start + 40),
    peerOutOctets: u32(packet, start + 44),
  };
}

export function putLqr(buf: Uint8Array, at: number, report: LinkQualityReport): number {
  at = put32(buf, at, report.magic);
  at = put32(buf, at, report.lastOutLqrs);
  at = put32(buf, at, report.lastOutPackets);
  at = put32(buf, at, report.lastOutOctets);
  at = put32(buf, at, report.peerInLqrs);
  at = put32(buf, at, report.peerInPackets);
  at = put32(buf, at, report.peerInDiscards);
  at = put32(buf, at, report.peerInErrors);
  at = put32(buf, at, report.peerInOctets);
  at = put32(buf, at, report.peerOutLqrs);
  at = put32(buf, at, report.peerOutPackets);
  return put32(buf, at, report.peerOutOctets);
}
