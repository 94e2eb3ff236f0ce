// The Internet checksum (RFC 1071).

/** So many octets can be summed before a sum of 31 bits is full. */
const PIECE = 16384;

/** Adds the words of bytes[start, end) to `sum`. An odd last octet is the high half of a word. */
export function sumOf(bytes: Uint8Array, start: number, end: number, sum: number): number {
  let total = folded(sum);
  let at = start;
  while (end - at >= 2) {
    const stop = Math.min(end, at + PIECE);
    const last = stop - 7;
    let high = 0;
    let low = 0;
    for (; at < last; at += 8) {
      high += bytes[at]! + bytes[at + 2]! + bytes[at + 4]! + bytes[at + 6]!;
      low += bytes[at + 1]! + bytes[at + 3]! + bytes[at + 5]! + bytes[at + 7]!;
    }
    for (; at + 1 < stop; at += 2) {
      high += bytes[at]!;
      low += bytes[at + 1]!;
    }
    total = folded(total + high * 256 + low);
    if (stop === end) break;
  }
  return at < end ? total + bytes[at]! * 256 : total;
}

/** The sum in 16 bits, with its carries added. */
function folded(sum: number): number {
  let rest = sum;
  while (rest > 0xffff) rest = (rest & 0xffff) + Math.floor(rest / 0x10000);
  return rest;
}

/** The value of a checksum field. */
export function checksumOf(sum: number): number {
  return ~folded(sum) & 0xffff;
}
