// Chooses the addresses of a link so that no network of this machine has them.

import { parseIpv4 } from "../../options/numbers.ts";
import { HOWTO_ADDRESSES } from "./far-side.ts";

export interface Network {
  readonly address: number;
  readonly prefix: number;
}

/** Pairs of private networks, the HOWTO's first. */
const PAIRS = [HOWTO_ADDRESSES, "10.9.0.1:10.9.0.2", "172.29.0.1:172.29.0.2", "192.168.213.1:192.168.213.2"];

/** The first pair that no network has, or the HOWTO's when each of them has one. */
export function addressesBeside(networks: readonly Network[]): string {
  const isFree = (pair: string): boolean =>
    pair.split(":").every((text) => {
      const address = parseIpv4(text) ?? 0;
      return !networks.some((network) => network.prefix > 0 && inNetwork(address, network));
    });
  return PAIRS.find(isFree) ?? HOWTO_ADDRESSES;
}

function inNetwork(one: number, { address, prefix }: Network): boolean {
  const size = 2 ** (32 - prefix);
  return Math.floor(one / size) === Math.floor(address / size);
}
