// Reads numbers as the C library does, because pppd accepts everything that strtoul(3) and inet_addr(3) accept.

/**
 * Reads a number at the start of a text (blanks, sign, 0x and 0 prefixes) and finds its end. Undefined when there is
 * none.
 */
export function scanNumber(text: string, base: 0 | 10 | 16 = 0, start = 0): { value: number; end: number } | undefined {
  const blanks = /^[ \t-\r]*/.exec(text.slice(start));
  let at = start + (blanks?.[0].length ?? 0);
  const negative = text[at] === "-";
  if (negative || text[at] === "+") at++;
  let radix: number = base;
  if (base !== 10 && /^0[xX][0-9a-fA-F]/.test(text.slice(at, at + 3))) {
    at += 2;
    radix = 16;
  } else if (base === 0) {
    radix = text[at] === "0" ? 8 : 10;
  }
  const first = at;
  let value = 0;
  for (; at < text.length; at++) {
    const digit = parseInt(text[at]!, radix);
    if (Number.isNaN(digit)) break;
    value = value * radix + digit;
  }
  return at === first ? undefined : { value: negative ? -value : value, end: at };
}

/** The 32 bits that C keeps of a number. A number above 64 bits becomes all ones. */
export function toUint32(value: number): number {
  if (Math.abs(value) >= 2 ** 64) return 0xffffffff;
  return Number(BigInt.asUintN(32, BigInt(value)));
}

/** inet_addr(3): one to four parts, each decimal, octal or hex. The last part fills the rest. Undefined: no address. */
export function parseIpv4(text: string): number | undefined {
  const parts = (/^[^ \t-\r]*/.exec(text)?.[0] ?? "").split(".");
  if (parts.length > 4) return undefined;
  let address = 0;
  for (const [at, part] of parts.entries()) {
    if (!/^(0[xX][0-9a-fA-F]*|0[0-7]*|[1-9][0-9]*)$/.test(part)) return undefined;
    const value = scanNumber(part)?.value ?? 0;
    const last = at === parts.length - 1;
    if (value >= (last ? 2 ** (8 * (4 - at)) : 256)) return undefined;
    address += last ? value : value * 2 ** (8 * (3 - at));
  }
  // inet_addr uses this number to report an error.
  return address === 0xffffffff ? undefined : address;
}

/** "10.0.0.1" */
export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join(".");
}

/** An address that no end of a link may have: 127/8, multicast, class E. */
export function isBadAddress(address: number): boolean {
  return address >>> 24 === 127 || address >>> 28 >= 14;
}
