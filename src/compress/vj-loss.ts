// Detects when the loss of a packet would go unnoticed.
//
// A VJ receiver that missed a packet rebuilds the next ones from an old header. Only the TCP checksum shows the error
// (RFC 1144 §4.1). But the checksum is a sum, and the lost changes may add up to zero. For example, urgent data of n
// octets has an urgent pointer of n. The packet after it has no urgent pointer and a sequence number that is n higher.
// If this packet is lost, the next packet's data is taken for the n octets before it. Other cases are an octet that is
// retransmitted as one is acknowledged, a window that closes as data is sent, and a header of another connection with
// the same sum. The RFC does not mention this, and a sender may send any packet uncompressed. So this sender does it
// after a change whose loss would go unnoticed. Then the loss of any one packet cannot make a wrong packet that looks
// right. (The loss of several packets can, as far as the checksum is weak.)

import { u16 } from "../bytes/be.ts";
import {
  IPV4_MIN,
  ipv4HeaderLength,
  ipv4TotalLength,
  TCP_MIN,
  tcpAcknowledgment,
  tcpFlags,
  tcpHeaderLength,
  tcpSequence,
  tcpUrgent,
  tcpWindow,
} from "../wire/ip.ts";
import { ADDRESSES, CARRIED } from "./vj-headers.ts";

/**
 * The forms in which the next packet of a slot must not be sent, because the loss of the packet before would go
 * unnoticed.
 */
export const Not = { COMPRESSED: 1, ONE_WAY: 2, ECHOED: 4 } as const;

/**
 * The Not bits for the packet after packet[start, …), which replaces the headers in headers[at, …). `isAlike`: both are
 * of one connection, and all fields that a VJ_COMP packet cannot carry are equal.
 */
export function forbiddenAfter(
  headers: Uint8Array,
  at: number,
  packet: Uint8Array,
  start: number,
  isAlike: boolean,
): number {
  const old = at + ipv4HeaderLength(headers, at);
  const tcp = start + ipv4HeaderLength(packet, start);
  const byS = (tcpSequence(packet, tcp) - tcpSequence(headers, old)) | 0;
  const byA = (tcpAcknowledgment(packet, tcp) - tcpAcknowledgment(headers, old)) | 0;
  const byW = tcpWindow(packet, tcp) - tcpWindow(headers, old);
  const byU = tcpUrgent(packet, tcp) - tcpUrgent(headers, old);
  const byData = dataLength(packet, start, tcp) - dataLength(headers, at, old);
  let by = byS + byA + byW;
  if (!isAlike) by += constantSum(packet, start, tcp) - constantSum(headers, at, old);
  else if ((byS | byA | byW | byU | byData) === 0) return 0;

  let forbidden = 0;
  if (isMissed(by, byW, byU)) {
    if (!isAlike || (byS | byA | byW | byU) !== 0) forbidden |= Not.COMPRESSED;
  }
  // The receiver would compute with the number before the wrap, and we with the one after it.
  if (isNearWrap(headers, old)) forbidden |= Not.COMPRESSED;
  // The special encodings add the data length of the packet before. The receiver would add that of an earlier packet.
  if (isMissed(by + byData, byW, byU)) forbidden |= Not.ONE_WAY;
  if (isMissed(by + 2 * byData, byW, byU)) forbidden |= Not.ECHOED;
  return forbidden;
}

/** True when the sequence or acknowledgment number is about to wrap, which changes the checksum by one more. */
export function isNearWrap(packet: Uint8Array, tcp: number): boolean {
  return u16(packet, tcp + 4) === 0xffff || u16(packet, tcp + 8) === 0xffff;
}

/** True when headers that lag by this much would have the same checksum, with their own urgent pointer or a new one. */
function isMissed(by: number, byW: number, byU: number): boolean {
  return isNothing(by, byW) || isNothing(by + byU, byW);
}

function isNothing(by: number, byW: number): boolean {
  const left = Math.abs(by % 0xffff);
  // A lagging window may wrap later than ours, which makes a difference of one.
  return left === 0 || (byW !== 0 && (left === 1 || left === 0xfffe));
}

function dataLength(packet: Uint8Array, start: number, tcp: number): number {
  return ipv4TotalLength(packet, start) - (tcp - start) - tcpHeaderLength(packet, tcp);
}

/** The fields that a VJ_COMP packet does not carry, as a part of the TCP checksum. */
function constantSum(packet: Uint8Array, start: number, tcp: number): number {
  const length = tcpHeaderLength(packet, tcp);
  let sum = length + (packet[tcp + 12]! << 8) + (tcpFlags(packet, tcp) & ~CARRIED);
  for (let at = start + ADDRESSES; at < start + IPV4_MIN; at += 2) sum += u16(packet, at);
  for (let at = tcp; at < tcp + 4; at += 2) sum += u16(packet, at);
  for (let at = tcp + TCP_MIN; at < tcp + length; at += 2) sum += u16(packet, at);
  return sum;
}
