// The FCS of RFC 1662 §C by its definition: the remainder of a division of polynomials, bit by bit.

/** Exponents of the generator polynomials, the highest first. */
const CCITT_16 = [16, 12, 5, 0];
const CCITT_32 = [32, 26, 23, 22, 16, 12, 11, 10, 8, 7, 5, 4, 2, 1, 0];

/** The two FCS octets that follow `octets` on the line. */
export function fcs16Oracle(octets: readonly number[]): number[] {
  return fcsOf(octets, CCITT_16);
}

/** The four FCS octets that follow `octets` on the line. */
export function fcs32Oracle(octets: readonly number[]): number[] {
  return fcsOf(octets, CCITT_32);
}

function fcsOf(octets: readonly number[], exponents: readonly number[]): number[] {
  const degree = exponents[0] ?? 0;
  // Octets are sent least significant bit first. The bit sent first has the highest power of x. Adds room for the
  // remainder.
  const bits: number[] = [];
  for (const octet of octets) for (let bit = 0; bit < 8; bit++) bits.push((octet >> bit) & 1);
  const length = bits.length;
  for (let bit = 0; bit < degree; bit++) bits.push(0);
  for (let at = 0; at < degree; at++) bits[at] = 1 - (bits[at] ?? 0);
  for (let at = 0; at < length; at++)
    if (bits[at] === 1)
      for (const exponent of exponents) bits[at + degree - exponent] = 1 - (bits[at + degree - exponent] ?? 0);
  const remainder = bits.slice(length).map((bit) => 1 - bit);
  const fcs: number[] = [];
  for (let at = 0; at < degree; at += 8)
    fcs.push(remainder.slice(at, at + 8).reduce((octet, bit, place) => octet + bit * 2 ** place, 0));
  return fcs;
}
