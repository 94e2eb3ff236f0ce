// Where traffic of the peer may go: prefixes that are allowed and denied. The longest prefix that contains an address decides,
// so a shorter one can be narrowed. Of two equal ones, the denying one decides. Some addresses can never be reached: the host's
// loopback in all its forms, and groups.

import { parsePrefix, type Prefix } from "../bytes/prefix.ts";

export function ipv4Octets(address: number): Uint8Array {
  return Uint8Array.of(address >>> 24, address >>> 16, address >>> 8, address);
}

function prefixes(...texts: string[]): Prefix[] {
  return texts.map((text) => parsePrefix(text)!);
}

/** "This host" (RFC 1122 §3.2.1.3) reaches the loopback too. */
const NEVER = prefixes("0.0.0.0/8", "127.0.0.0/8", "::/127", "::ffff:0:0/96", "::/96", "64:ff9b::7f00:0/104");
const GROUPS = prefixes("224.0.0.0/4", "255.255.255.255", "ff00::/8");
/** Link-local addresses, among them the metadata services of clouds (AWS, Google, Azure), and those that are not. */
const DENIED = prefixes("169.254.0.0/16", "fe80::/10", "fd00:ec2::254", "100.100.100.200", "168.63.129.16");
/** IPv6 addresses that lead to the IPv4 address in their last octets (NAT64, RFC 6052), and those that hide one elsewhere. */
const NAT64 = prefixes("64:ff9b::/96");
const HIDING = prefixes("64:ff9b:1::/48", "2002::/16");

/** What a prefix says of the addresses in it. Without a prefix: what is said of all others. */
export interface DestinationRule {
  readonly prefix: Prefix | undefined;
  readonly isAllowed: boolean;
}

export class Destinations {
  readonly #allowed: readonly Prefix[];
  /** What the given rules deny. */
  readonly #closed: readonly Prefix[];
  /** The same, and what is denied by default. */
  readonly #denied: readonly Prefix[];

  /** With no allowed prefix, all that is not denied is allowed. */
  constructor(allowed: readonly Prefix[], denied: readonly Prefix[]) {
    this.#allowed = allowed;
    this.#closed = denied;
    this.#denied = [
      ...denied,
      ...[...DENIED, ...HIDING].filter((one) => !allowed.some((other) => isEqual(one, other))),
    ];
  }

  /** The same as a list for a firewall, for addresses of this many octets: the first rule that fits decides. */
  rules(octets: 4 | 16): DestinationRule[] {
    const ofFamily = ({ address }: Prefix): boolean => address.length === octets;
    const denied = this.#denied.filter(ofFamily).map((prefix) => ({ prefix, isAllowed: false }));
    const allowed = this.#allowed.filter(ofFamily).map((prefix) => ({ prefix, isAllowed: true }));
    const inside = octets === 16 ? this.#insideNat64() : [];
    // The order of equal ones stays, so the denying one comes first.
    const longestFirst = [...denied, ...inside, ...allowed].sort((a, b) => b.prefix.bits - a.prefix.bits);
    return [...longestFirst, { prefix: undefined, isAllowed: this.#allowed.length === 0 }];
  }

  /** The IPv6 addresses that lead to IPv4 addresses which are closed. */
  #insideNat64(): { prefix: Prefix; isAllowed: boolean }[] {
    const [{ address: nat64, bits: most }] = NAT64 as [Prefix];
    return this.#denied
      .filter(({ address }) => address.length === 4)
      .map(({ address, bits }) => ({
        prefix: { address: Uint8Array.of(...nat64.subarray(0, 12), ...address), bits: most + bits },
        isAllowed: false,
      }));
  }

  allows(address: Uint8Array): boolean {
    if (longest(NEVER, address) >= 0) return false;
    if (longest(NAT64, address) >= 0 && !this.#allowsInside(address.subarray(12))) return false;
    return this.#opens(address, this.#denied);
  }

  /**
   * The host's own services, which answer at our address of the link: the rules count for that address as for any other. They are
   * closed as well when a rule denies one of the other addresses that the host has.
   */
  allowsOwn(our: Uint8Array, others: readonly Uint8Array[]): boolean {
    return this.#opens(our, this.#closed) && !others.some((other) => this.#closes(other));
  }

  #closes(address: Uint8Array): boolean {
    const closed = longest(this.#closed, address);
    return closed >= 0 && longest(this.#allowed, address) <= closed;
  }

  #opens(address: Uint8Array, closed: readonly Prefix[]): boolean {
    const allowed = longest(this.#allowed, address);
    const denied = longest(closed, address);
    return allowed < 0 && denied < 0 ? this.#allowed.length === 0 : allowed > denied;
  }

  /** An IPv4 address within another may not be one that is closed by itself. */
  #allowsInside(address: Uint8Array): boolean {
    if (isImpossibleSource(address)) return false;
    const denied = longest(this.#denied, address);
    return denied < 0 || longest(this.#allowed, address) > denied;
  }
}

/** A group of hosts or all of them: neither can be the other end of a flow. */
export function isGroup(address: Uint8Array): boolean {
  return longest(GROUPS, address) >= 0;
}

/** An address that no packet on a link may come from. */
export function isImpossibleSource(address: Uint8Array): boolean {
  return isGroup(address) || longest(NEVER, address) >= 0;
}

function isEqual(one: Prefix, other: Prefix): boolean {
  return one.bits === other.bits && one.address.length === other.address.length && contains(one, other.address);
}

/** The length of the longest prefix that contains the address. -1: none does. */
function longest(list: readonly Prefix[], address: Uint8Array): number {
  let found = -1;
  for (const prefix of list) if (prefix.bits > found && contains(prefix, address)) found = prefix.bits;
  return found;
}

function contains({ address, bits }: Prefix, other: Uint8Array): boolean {
  if (address.length !== other.length) return false;
  const whole = bits >> 3;
  for (let octet = 0; octet < whole; octet++) if (address[octet] !== other[octet]) return false;
  const mask = (0xff00 >> (bits & 7)) & 0xff;
  return mask === 0 || ((address[whole]! ^ other[whole]!) & mask) === 0;
}
