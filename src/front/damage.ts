// Tells what a port hears at a wrong speed from text.

/** Control characters that text has. */
const LAYOUT = [7, 8, 9, 10, 13, 27];
const ODD_SHARE = 0.3;
/** Characters of LAYOUT that do not end a line. Text has a few of them. */
const RARE = [7, 8, 9, 27];
const RARE_SHARE = 0.4;
const BACKSPACE = 8;
const SPACE = 32;

/** True for an octet that is neither printable nor layout of text. */
function isOdd(octet: number): boolean {
  return octet >= 0x7f || (octet < 0x20 && !LAYOUT.includes(octet));
}

/** True when too many of these octets are none that text consists of, or that text has few of. */
export function isDamage(octets: readonly number[]): boolean {
  if (octets.filter(isOdd).length > ODD_SHARE * octets.length) return true;
  return (
    octets.filter((octet, at) => RARE.includes(octet) && !isErasure(octets, at)).length > RARE_SHARE * octets.length
  );
}

/** A backspace of the three octets (back, space, back) with which a login erases what was typed. */
function isErasure(octets: readonly number[], at: number): boolean {
  return octets[at] === BACKSPACE && (octets[at - 1] === SPACE || octets[at + 1] === SPACE);
}
