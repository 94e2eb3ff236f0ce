// The word of the `endpoint` option, and an endpoint discriminator as pppd prints it (RFC 1990 §5.1.3; pppd(8)).

import { fromHex } from "../bytes/text.ts";
import { Code, HEADER_LENGTH, putConfigure } from "../wire/control.ts";
import { describeLcp } from "../wire/describe/lcp.ts";
import { parseIpv4 } from "../wire/ip.ts";
import { type Endpoint, EndpointClass, endpointOption, MAX_ENDPOINT_LENGTH } from "../wire/lcp.ts";

const CLASSES = ["null", "local", "ip", "mac", "magic", "phone"];
const MAC_LENGTH = 6;

/**
 * Reads CLASS or CLASS:VALUE; undefined: it is neither. The class is a name or a number, the value of IP an address, that
 * of MAC an address or an interface that has one, any other octets in hex with points or colons between them at will.
 */
export function parseEndpoint(
  word: string,
  hardwareAddress: (interfaceName: string) => Uint8Array | undefined = () => undefined,
): Endpoint | undefined {
  const [, name, text] = /^(null|local|ip|mac|magic|phone|\d{1,3})(?:[:.](.*))?$/is.exec(word) ?? [];
  if (name === undefined) return undefined;
  const named = CLASSES.indexOf(name.toLowerCase());
  const kind = named < 0 ? Number(name) : named;
  if (kind > 255) return undefined;
  if (text === undefined) return { class: kind, value: new Uint8Array(0) };
  const value = valueOf(kind, text, hardwareAddress);
  return value && { class: kind, value };
}

function valueOf(
  kind: number,
  text: string,
  hardwareAddress: (interfaceName: string) => Uint8Array | undefined,
): Uint8Array | undefined {
  if (kind === EndpointClass.Ip) {
    const address = parseIpv4(text);
    return address === undefined ? undefined : Uint8Array.of(address >>> 24, address >>> 16, address >>> 8, address);
  }
  if (kind !== EndpointClass.Mac) return octetsOf(text);
  const value = hardwareAddress(text) ?? octetsOf(text);
  return value?.length === MAC_LENGTH ? value : undefined;
}

function octetsOf(text: string): Uint8Array | undefined {
  if (!/^([0-9a-f]+([:.]|$))*$/i.test(text)) return undefined;
  // Of an odd number of digits the first is an octet by itself.
  const value = fromHex(
    text.replace(/[0-9a-f]+/gi, (digits) => "0".repeat(digits.length & 1) + digits).replace(/[:.]/g, ""),
  );
  return value.length <= MAX_ENDPOINT_LENGTH ? value : undefined;
}

/** CLASS:VALUE as in pppd's log and dump and in the name of a bundle. */
export function endpointText(endpoint: Endpoint): string {
  const option = endpointOption(endpoint);
  const packet = new Uint8Array(HEADER_LENGTH + 2 + option.value.length);
  const text = describeLcp(packet, 0, putConfigure(packet, 0, Code.ConfReq, 0, [option]))?.text ?? "";
  return text.slice(text.indexOf("[") + 1, text.indexOf("]"));
}
