// What the peer of a link gets of this machine's network when the kernel forwards its packets. The rule makers turn it into text for
// nft or iptables, one address family at a time.

import { addressText, type Prefix } from "../../bytes/prefix.ts";
import type { Forward } from "../../options/table/share-rows.ts";
import type { DestinationRule } from "../../stack/destinations.ts";

export type Family = 4 | 6;

export interface Sharing {
  readonly family: Family;
  readonly ifname: string;
  /** Names the rules of this link. The kernel gives no other interface this number while it runs. */
  readonly index: number;
  /** Our address of the link. */
  readonly our: string;
  /** The peer's address. */
  readonly peer: string;
  /**
   * The addresses that may use this machine's network, masqueraded: the peer's, or a prefix such as "fd00::/64". Undefined:
   * none may.
   */
  readonly from: string | undefined;
  /** Others may call the peer at its own address, although it is shared with. */
  readonly isReachable: boolean;
  /** The peer's flows at once. */
  readonly mostFlows: number;
  /** Where the peer may go: the first rule that fits decides. */
  readonly destinations: readonly DestinationRule[];
  /** The user has said where the peer may go, so that the rules count for this machine's own addresses too. */
  readonly isLimited: boolean;
  /** The rules leave this machine's services at our address open. */
  readonly isOwnOpen: boolean;
  /** At our address, the services of this machine's loopback answer. */
  readonly loopback: boolean;
  /** Ports of this machine that lead to the peer. */
  readonly forwards: readonly Forward[];
}

/** The forwards that addresses of the family have. */
export function forwardsOf({ family, forwards }: Sharing): Forward[] {
  return forwards.filter(({ address }) => address === undefined || address.includes(":") === (family === 6));
}

/** The name of our table of nft, and of our chains of iptables. */
export function rulesName({ index }: Pick<Sharing, "index">): string {
  return `nullmodem-${index}`;
}

/** Rules can name this interface: it has no character that nft or iptables takes for a pattern, an option or a quote. */
export function isPlainName(ifname: string): boolean {
  return /^\w[\w.@-]*$/.test(ifname);
}

export function prefixText({ address, bits }: Prefix): string {
  return `${addressText(address)}/${bits}`;
}
