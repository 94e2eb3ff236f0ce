// The address, control and protocol fields before a packet, whole or compressed (RFC 1662 §3.1; RFC 1661 §6.5, §6.6).

export const ADDRESS = 0xff;
export const CONTROL = 0x03;
/** Room to keep free before a packet so that its header can be written in place. */
export const HEADROOM = 16;

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
