// Async control character maps (RFC 1662 §7.1): 32 bits, bit n for octet n, plus pppd's `escape` list for transmitting.

export const FLAG = 0x7e;
export const ESCAPE = 0x7d;
/** What an escaped octet is XORed with. */
export const TRANSPARENCY = 0x20;
/** Before LCP agreed on something, and on every LCP packet: all control characters are escaped. */
export const ACCM_ALL = 0xffffffff;

/** 1 for each octet that must not go out as it is. */
export function escapeTable(accm: number, escape: readonly number[] = []): Uint8Array {
  const table = new Uint8Array(256);
  for (let octet = 0; octet < 32; octet++) table[octet] = (accm >>> octet) & 1;
  for (const octet of escape) table[octet] = 1;
  table[FLAG] = table[ESCAPE] = 1;
  // 5e would come out as 7e: it cannot be escaped.
  table[FLAG ^ TRANSPARENCY] = 0;
  return table;
}
