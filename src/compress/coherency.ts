// The header of Microsoft's methods, two octets before the payload: of MPPC (RFC 2118 §3.1) and MPPE (RFC 3078 §3.1).
// The extended mode of Stac LZS has its bits A and C.

/** A: the sender has cleared its history, and this packet does not depend on earlier ones. */
export const FLUSHED = 0x8000;
/** B: the packet is at the front of the history, because there was no room after the one before. */
export const AT_FRONT = 0x4000;
/** C: the packet is compressed. */
export const COMPRESSED = 0x2000;
/** D: the packet is encrypted. */
export const ENCRYPTED = 0x1000;

/** The coherency count, the rest of the header: the number of packets sent, modulo 4096. */
export const COUNT = 0x0fff;

/** Only these protocols are sent through Microsoft's methods. All are sent as 00fd. */
export function isEligible(protocol: number): boolean {
  return protocol >= 0x21 && protocol <= 0xfa;
}
