// When a lost packet is not missed.
//
// A VJ receiver that missed a packet rebuilds the next ones on an old header, and only the TCP checksum tells (RFC 1144
// §4.1). But the checksum is a sum, and what was lost may add up to nothing. Urgent data of n octets have an urgent
// pointer of n, and the packet after them has none and a sequence number n higher: if that packet is lost, the next one's
// data pass for the n octets before them. An octet retransmitted as one is acknowledged, a window that closes as data are
// sent, a header of another connection with the same sum: there are more. The RFC is silent on this, and any sender may
// send whole what it likes. So this one does after a step that could not be missed: one lost packet, whichever, can then
// make no wrong one that looks right. (For several at once it stays as likely as the checksum is weak.)

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

/** What the next packet of a slot may not be sent as, lest the loss of the one before be missed. */
export const Not = { COMPRESSED: 1, ONE_WAY: 2, ECHOED: 4 } as const;

/**
 * The Not bits for the packet after packet[start, …), which takes the place of the headers in headers[at, …). `isAlike`:
 * they are of one connection, and differ in nothing that a VJ_COMP packet cannot say.
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
  // The receiver would go on from one side of the wrap, and we from the other.
  if (isNearWrap(headers, old)) forbidden |= Not.COMPRESSED;
  // The special encodings add the data of the packet before: the receiver would add those of the one before that.
  if (isMissed(by + byData, byW, byU)) forbidden |= Not.ONE_WAY;
  if (isMissed(by + 2 * byData, byW, byU)) forbidden |= Not.ECHOED;
  return forbidden;
}

/** The sequence or the acknowledgment number is about to wrap, which adds one to what a step does to the checksum. */
export function isNearWrap(packet: Uint8Array, tcp: number): boolean {
  return u16(packet, tcp + 4) === 0xffff || u16(packet, tcp + 8) === 0xffff;
}

/** Whether headers that are behind by that much would have the same checksum, with their own urgent pointer or a new. */
function isMissed(by: number, byW: number, byU: number): boolean {
  return isNothing(by, byW) || isNothing(by + byU, byW);
}

function isNothing(by: number, byW: number): boolean {
  const left = Math.abs(by % 0xffff);
  // A window that is behind may wrap later, when ours does not: one more or less.
  return left === 0 || (byW !== 0 && (left === 1 || left === 0xfffe));
}

function dataLength(packet: Uint8Array, start: number, tcp: number): number {
  return ipv4TotalLength(packet, start) - (tcp - start) - tcpHeaderLength(packet, tcp);
}

/** What a VJ_COMP packet does not say, as the TCP checksum has it. */
function constantSum(packet: Uint8Array, start: number, tcp: number): number {
  const length = tcpHeaderLength(packet, tcp);
  let sum = length + (packet[tcp + 12]! << 8) + (tcpFlags(packet, tcp) & ~CARRIED);
  for (let at = start + ADDRESSES; at < start + IPV4_MIN; at += 2) sum += u16(packet, at);
  for (let at = tcp; at < tcp + 4; at += 2) sum += u16(packet, at);
  for (let at = tcp + TCP_MIN; at < tcp + length; at += 2) sum += u16(packet, at);
  return sum;
}
