// The address, control and protocol fields before a packet, whole or compressed (RFC 1662 §3.1; RFC 1661 §2, §6.5, §6.6).

export const ADDRESS = 0xff;
export const CONTROL = 0x03;
/** Room kept free before a packet, so that its header can be written in place. */
export const HEADROOM = 16;

/** The offset behind the address and control fields of frame[start, end). It is `start` when they are absent. */
export function addressEnd(frame: Uint8Array, start: number, end: number): number {
  return end - start >= 2 && frame[start] === ADDRESS && frame[start + 1] === CONTROL ? start + 2 : start;
}

/**
 * The offset behind the protocol field at packet[start]. The field is one octet when that octet is odd, else two. -1
 * when it exceeds `end`. Every reader of a protocol field calls this first.
 */
export function protocolEnd(packet: Uint8Array, start: number, end: number): number {
  if (start < end && (packet[start]! & 1) !== 0) return start + 1;
  return start + 2 <= end ? start + 2 : -1;
}

/** The protocol in packet[start, end). `end` comes from {@link protocolEnd}. */
export function protocolAt(packet: Uint8Array, start: number, end: number): number {
  return end - start === 1 ? packet[start]! : (packet[start]! << 8) | packet[start + 1]!;
}

/** Writes the header of `protocol` before packet[start] and returns where it begins. */
export function putHeader(
  packet: Uint8Array,
  start: number,
  protocol: number,
  pcomp: boolean,
  accomp: boolean,
): number {
  let at = start;
  packet[--at] = protocol;
  if (!pcomp || protocol > 0xff) packet[--at] = protocol >>> 8;
  if (!accomp) {
    packet[--at] = CONTROL;
    packet[--at] = ADDRESS;
  }
  return at;
}
