// Async control character maps (RFC 1662 §7.1): 32 bits, bit n for octet n, plus pppd's `escape` list for transmitting.

export const FLAG = 0x7e;
export const ESCAPE = 0x7d;
/** Escaped octets are XORed with this. */
export const TRANSPARENCY = 0x20;
/** Escapes all control characters. Used before LCP has agreed on a map, and for every LCP packet. */
export const ACCM_ALL = 0xffffffff;

/** A table with 1 for each octet that must be escaped. */
export function escapeTable(accm: number, escape: readonly number[] = []): Uint8Array {
  const table = new Uint8Array(256);
  for (let octet = 0; octet < 32; octet++) table[octet] = (accm >>> octet) & 1;
  for (const octet of escape) table[octet] = 1;
  table[FLAG] = table[ESCAPE] = 1;
  // An escaped 5e would become 7e, the flag, so it cannot be escaped.
  table[FLAG ^ TRANSPARENCY] = 0;
  return table;
}
