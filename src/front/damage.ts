// Tells what a port hears at a wrong speed from text.

/** Control characters that text has. */
const LAYOUT = [7, 8, 9, 10, 13, 27];
const ODD_SHARE = 0.3;

/** True for an octet that is neither printable nor layout of text. */
function isOdd(octet: number): boolean {
  return octet >= 0x7f || (octet < 0x20 && !LAYOUT.includes(octet));
}

/** True when too many of these octets are none that text consists of. */
export function isDamage(octets: readonly number[]): boolean {
  return octets.filter(isOdd).length > ODD_SHARE * octets.length;
}
