// The interface identifiers that the options ask for (`ipv6` and others). As in pppd, they are settled before the line
// is opened.

import { NO_ID } from "../../control/options/ipv6cp/interface-identifier.ts";
import { idOfIpv4, idOfMac } from "../../control/ipv6cp-dialect.ts";
import type { Config } from "../../options/config.ts";
import type { InterfaceId } from "../../wire/ipv6cp.ts";

export type IdentifierOptions = Pick<
  Config,
  | "ipv6Local"
  | "ipv6Remote"
  | "ipv6cpUsePersistent"
  | "ipv6cpUseIpaddr"
  | "ipv6cpUseRemotenumber"
  | "remotenumber"
  | "ourAddress"
  | "peerAddress"
>;

/**
 * Our identifier and the peer's. NO_ID when the options give none. An identifier from `ipv6` precedes one from a
 * hardware address or a number, and these precede one from an IPv4 address. `firstMac` is called only when it is
 * needed.
 */
export function identifiers(
  options: IdentifierOptions,
  firstMac: () => Uint8Array | undefined,
  complain: (text: string) => void,
): { our: InterfaceId; peer: InterfaceId } {
  const { ipv6Local, ipv6Remote, ipv6cpUsePersistent, ipv6cpUseIpaddr, ourAddress, peerAddress } = options;
  const mac = ipv6cpUsePersistent && ipv6Local === undefined ? firstMac() : undefined;
  if (ipv6cpUsePersistent && ipv6Local === undefined && mac === undefined)
    complain("ipv6cp: no persistent id can be found");
  const ipv4 = (address: number | undefined): InterfaceId | undefined =>
    ipv6cpUseIpaddr && address !== undefined ? idOfIpv4(address) : undefined;
  return {
    our: idOfBigint(ipv6Local) ?? (mac && idOfMac(mac)) ?? ipv4(ourAddress) ?? NO_ID,
    peer: idOfBigint(ipv6Remote) ?? idOfNumber(options) ?? ipv4(peerAddress) ?? NO_ID,
  };
}

/** A remotenumber is a hardware address, an IPv4 or IPv6 address, or the digits of a telephone number. */
function idOfNumber({ ipv6cpUseRemotenumber, remotenumber = "" }: IdentifierOptions): InterfaceId | undefined {
  if (!ipv6cpUseRemotenumber) return undefined;
  if (/^([0-9a-f]{1,2}:){5}[0-9a-f]{1,2}$/i.test(remotenumber))
    return idOfMac(Uint8Array.from(remotenumber.split(":"), (octet) => parseInt(octet, 16)));
  if (IPV4.test(remotenumber))
    return idOfIpv4(remotenumber.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0));
  if (isIpv6(remotenumber)) return idOfBigint(lowHalf(remotenumber));
  const digits = /^\+?(\d+)$/.exec(remotenumber)?.[1];
  return idOfBigint(digits === undefined ? 0n : BigInt(digits));
}

/** Four decimal numbers up to 255 without leading zeros. */
const IPV4 = /^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(?!$)|$)){4}$/;

function isIpv6(text: string): boolean {
  return /^[0-9a-f:.]+$/i.test(text) && URL.canParse(`http://[${text}]`);
}

/** The low 64 bits of an IPv6 address. */
function lowHalf(text: string): bigint {
  // URL prints the address without a dotted part.
  const [head = [], tail = []] = new URL(`http://[${text}]`).hostname
    .slice(1, -1)
    .split("::")
    .map((half) => half.split(":").map((group) => parseInt(group || "0", 16)));
  const zeros = Array<number>(Math.max(0, 8 - head.length - tail.length)).fill(0);
  return [...head, ...zeros, ...tail].slice(4).reduce((id, group) => (id << 16n) | BigInt(group), 0n);
}

/** Undefined for 0 and for a number of more than 64 bits. */
function idOfBigint(id: bigint | undefined): InterfaceId | undefined {
  if (id === undefined || id === 0n || id >> 64n !== 0n) return undefined;
  return { high: Number(id >> 32n), low: Number(id & 0xffffffffn) };
}
