// The header of Microsoft's methods, two octets before the payload: MPPC (RFC 2118 §3.1), MPPE (RFC 3078 §3.1), and the
// extended mode of Stac LZS, which has A and C of it.

/** A: the sender began anew with this packet; it needs nothing that came before. */
export const FLUSHED = 0x8000;
/** B: the packet stands at the front of the history, which had no room for it behind the one before. */
export const AT_FRONT = 0x4000;
/** C */
export const COMPRESSED = 0x2000;
/** D */
export const ENCRYPTED = 0x1000;

/** The coherency count, the rest of the header: packets sent, modulo 4096. */
export const COUNT = 0x0fff;

/** Only these protocols go through Microsoft's methods, in the 00fd that stands for them all. */
export function isEligible(protocol: number): boolean {
  return protocol >= 0x21 && protocol <= 0xfa;
}
