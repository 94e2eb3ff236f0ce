// The argument of the `endpoint` option (RFC 1990 §5.1.3; pppd(8)).

import { parseAddress } from "../bytes/prefix.ts";
import { fromHex } from "../bytes/text.ts";

/** As in wire/lcp.ts. */
interface Endpoint {
  readonly class: number;
  readonly value: Uint8Array;
}

const CLASSES = ["null", "local", "ip", "mac", "magic", "phone"];
const IP = CLASSES.indexOf("ip");
const MAC = CLASSES.indexOf("mac");
const MAC_LENGTH = 6;
const MAX_LENGTH = 20;

/**
 * Reads CLASS or CLASS:VALUE. Undefined: it is neither. The class is a name, or a decimal number of which the low eight
 * bits count. The value of IP is an address. That of MAC is an address or an interface that has one. Any other value is
 * octets in hex, with optional points or colons between them.
 */
export function parseEndpoint(
  word: string,
  hardwareAddress: (interfaceName: string) => Uint8Array | undefined,
): Endpoint | undefined {
  const [, name, text] = /^(null|local|ip|mac|magic|phone|[ \t-\r]*[+-]?\d+)(?:$|[:.](.*)$)/is.exec(word) ?? [];
  if (name === undefined) return undefined;
  const named = CLASSES.indexOf(name.toLowerCase());
  const kind = named < 0 ? Number(name) : named;
  const value = text === undefined ? new Uint8Array(0) : valueOf(kind, text, hardwareAddress);
  return value && { class: kind & 0xff, value };
}

function valueOf(
  kind: number,
  text: string,
  hardwareAddress: (interfaceName: string) => Uint8Array | undefined,
): Uint8Array | undefined {
  if (kind === IP) return addressOf(text);
  if (kind !== MAC) return octetsOf(text);
  const value = hardwareAddress(text) ?? octetsOf(text);
  return value?.length === MAC_LENGTH ? value : undefined;
}

/** Four decimal numbers. Unlike elsewhere they may begin with zeros. */
function addressOf(text: string): Uint8Array | undefined {
  const octets = parseAddress(text.replace(/\b0+(?=\d)/g, ""));
  return octets?.length === 4 ? octets : undefined;
}

function octetsOf(text: string): Uint8Array | undefined {
  if (!/^([0-9a-f]+([:.]|$))*$/i.test(text)) return undefined;
  // When the number of digits is odd, the first digit is an octet by itself.
  const value = fromHex(
    text.replace(/[0-9a-f]+/gi, (digits) => "0".repeat(digits.length & 1) + digits).replace(/[:.]/g, ""),
  );
  return value.length <= MAX_LENGTH ? value : undefined;
}
