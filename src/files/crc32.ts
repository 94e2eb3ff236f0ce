// The CRC of ZIP files (APPNOTE 4.4.7), the same as that of Ethernet. Four octets are taken at a step.

const TABLES = Array.from({ length: 4 }, () => new Uint32Array(256));
for (let octet = 0; octet < 256; octet++) {
  let crc = octet;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  TABLES[0]![octet] = crc;
}
for (let octet = 0; octet < 256; octet++)
  for (let table = 1; table < 4; table++) {
    const before = TABLES[table - 1]![octet]!;
    TABLES[table]![octet] = (before >>> 8) ^ TABLES[0]![before & 0xff]!;
  }

/** Goes on from `crc`, which is 0 at first. */
export function crc32(crc: number, bytes: Uint8Array, start: number, end: number): number {
  const [t0, t1, t2, t3] = TABLES as [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
  let value = ~crc;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    value ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    value = t3[value & 0xff]! ^ t2[(value >>> 8) & 0xff]! ^ t1[(value >>> 16) & 0xff]! ^ t0[value >>> 24]!;
  }
  for (; at < end; at++) value = (value >>> 8) ^ t0[(value ^ bytes[at]!) & 0xff]!;
  return ~value >>> 0;
}
