// Finds the speed of a slower sender from the damage that a port at a higher speed hears. When the sender is N times slower,
// each of its bits lasts N bits of the receiver, and so most octets consist of runs of N equal bits, with the start bit as a
// part of the first run.

/** A sequence of so few octets shows nothing. */
const FEWEST = 4;
/** So many of the octets must fit. */
const SHARE = 0.75;
/** A start bit and eight data bits. */
const BITS = 9;

/** True when this octet consists of runs of `times` equal bits. Its start bit is the bit `offset` of the first run. */
function hasRuns(octet: number, times: number, offset: number): boolean {
  const levels = octet << 1; // the start bit is 0
  for (let bit = 1; bit < BITS; bit++)
    if ((bit + offset) % times !== 0 && ((levels >> bit) & 1) !== ((levels >> (bit - 1)) & 1)) return false;
  return true;
}

/** A UART takes a stop bit that is low for the next start bit. So an octet may begin there, in the middle of a run. */
function fits(octet: number, times: number): boolean {
  return hasRuns(octet, times, 0) || hasRuns(octet, times, BITS % times);
}

/**
 * The speed among `speeds` that fits the damage heard by a port at `own`, or the next one below when several fit: they are
 * tried from there downwards. Undefined: the sender is faster, or it cannot be told.
 */
export function slowerSpeed(octets: readonly number[], own: number, speeds: readonly number[]): number | undefined {
  if (octets.length < FEWEST) return undefined;
  const slower = speeds.filter((speed) => speed < own && own % speed === 0).sort((a, b) => a - b);
  // What fits a large factor fits its divisors too, so the slowest comes first; below that, nothing can be told apart.
  const least = slower.findLast((speed) => own / speed >= BITS);
  const from = least === undefined ? slower : slower.filter((speed) => speed >= least);
  return from.find((speed) => {
    const count = octets.filter((octet) => fits(octet, own / speed)).length;
    return count >= SHARE * octets.length;
  });
}
