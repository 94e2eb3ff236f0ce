// Addresses and prefixes as text: "10.0.0.0/8", "fd00::/8" (RFC 4291 §2.2 and §2.3).

import { bytesOf } from "./text.ts";

export interface Prefix {
  /** 4 or 16 octets. */
  readonly address: Uint8Array;
  readonly bits: number;
}

/** Reads a prefix or a single address. */
export function parsePrefix(text: string): Prefix | undefined {
  const [addressText = "", bitsText, more] = text.split("/");
  const address = parseAddress(addressText);
  if (address === undefined || more !== undefined) return undefined;
  const most = address.length * 8;
  if (bitsText === undefined) return { address, bits: most };
  const bits = /^[0-9]{1,3}$/.test(bitsText) ? Number(bitsText) : Infinity;
  return bits > most ? undefined : { address, bits };
}

/** The prefixes that these texts are. */
export function parsePrefixes(texts: readonly string[]): Prefix[] {
  return texts.flatMap((text) => parsePrefix(text) ?? []);
}

/** An address as its 4 or 16 octets. */
export function parseAddress(text: string): Uint8Array | undefined {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): Uint8Array | undefined {
  const numbers = text.split(".");
  if (numbers.length !== 4 || !numbers.every((one) => /^(0|[1-9][0-9]{0,2})$/.test(one) && Number(one) < 256))
    return undefined;
  return Uint8Array.from(numbers, Number);
}

function parseIpv6(text: string): Uint8Array | undefined {
  let rest = text;
  const last = rest.slice(rest.lastIndexOf(":") + 1);
  if (last.includes(".")) {
    const octets = parseIpv4(last);
    if (octets === undefined) return undefined;
    const [a = 0, b = 0, c = 0, d = 0] = octets;
    rest = `${rest.slice(0, -last.length)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  }
  const halves = rest.split("::");
  if (halves.length > 2) return undefined;
  const [left = [], right] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - left.length - (right?.length ?? 0);
  if (right === undefined ? missing !== 0 : missing < 1) return undefined;
  const words = [...left, ...Array.from({ length: missing }, () => "0"), ...(right ?? [])];
  if (!words.every((word) => /^[0-9a-fA-F]{1,4}$/.test(word))) return undefined;
  return bytesOf(
    words.map((word) => String.fromCharCode(parseInt(word, 16) >>> 8, parseInt(word, 16) & 0xff)).join(""),
  );
}

/** An address as text, as RFC 5952 recommends. */
export function addressText(address: Uint8Array): string {
  if (address.length === 4) return address.join(".");
  const groups = Array.from({ length: 8 }, (_, at) => (address[2 * at]! << 8) | address[2 * at + 1]!);
  const text = groups.map((group) => group.toString(16)).join(":");
  const zeros = [...text.matchAll(/(?:^|:)0(?::0)+(?![^:])/g)].map(({ 0: run, index }) => ({ run, index }));
  // Of runs of the same length the first one is shortened.
  const [longest] = zeros.sort((one, other) => other.run.split("0").length - one.run.split("0").length);
  if (longest === undefined) return text;
  const rest = text.slice(longest.index + longest.run.length);
  return `${text.slice(0, longest.index)}${rest === "" ? "::" : `:${rest}`}`;
}

/** True for an address of IPv6 in fe80::/10, which begins at bytes[at] (RFC 4291 §2.5.6). */
export function isLinkLocal(bytes: Uint8Array, at = 0): boolean {
  return bytes[at] === 0xfe && (bytes[at + 1]! & 0xc0) === 0x80;
}

/** "10.0.0.1:5000", "[fe80::1]:5000", and "5000" without an address. */
export function addressPortText(address: string | undefined, port: number): string {
  if (address === undefined) return String(port);
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
