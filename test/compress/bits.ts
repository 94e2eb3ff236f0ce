// Bit streams written out by hand, and what a codec does to memory.

/** Octets of a string of zeros and ones, blanks left out; zeros fill the last. */
export function octetsOf(bits: string): Uint8Array {
  const octets = bits.replaceAll(/\s/g, "").match(/.{1,8}/g) ?? [];
  return Uint8Array.from(octets, (octet) => parseInt(octet.padEnd(8, "0"), 2));
}

/** `value` in `width` binary digits. */
export function binary(value: number, width: number): string {
  return width === 0 ? "" : value.toString(2).padStart(width, "0");
}

/** By how many octets the heap has grown when `body` ran the second time and all garbage is gone. */
export function heapGrowth(body: () => void): number {
  body();
  Bun.gc(true);
  const before = process.memoryUsage().heapUsed;
  body();
  Bun.gc(true);
  return process.memoryUsage().heapUsed - before;
}
