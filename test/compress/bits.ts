// Bit streams written by hand, and the memory that a codec uses.

/** Octets from a string of zeros and ones without the blanks. Zeros fill the last octet. */
export function octetsOf(bits: string): Uint8Array {
  const octets = bits.replaceAll(/\s/g, "").match(/.{1,8}/g) ?? [];
  return Uint8Array.from(octets, (octet) => parseInt(octet.padEnd(8, "0"), 2));
}

/** `value` as `width` binary digits. */
export function binary(value: number, width: number): string {
  return width === 0 ? "" : value.toString(2).padStart(width, "0");
}

/** The octets by which the heap has grown when `body` ran the second time and all garbage was collected. */
export function heapGrowth(body: () => void): number {
  body();
  Bun.gc(true);
  const before = process.memoryUsage().heapUsed;
  body();
  Bun.gc(true);
  return process.memoryUsage().heapUsed - before;
}
