// Private addresses for both ends of a link, from a fixed list, for `address-pair`. Both ends of a link go through the same list
// in the same order, so that they agree on the first pair that no route of either machine has.

import type { UsedNetwork } from "../host/interfaces.ts";

export interface AddressPair {
  /** The end that hands out the addresses. */
  readonly server: number;
  readonly client: number;
}

/** So many links can have a pair of their own at the same time. */
export const PAIR_SLOTS = 64;

/** The pair that the Serial-Laplink HOWTO uses. */
const HOWTO: AddressPair = { server: address(192, 168, 0, 1), client: address(192, 168, 1, 1) };

/** Where the pairs of each round of the list are: slot N has N as its third octet, plus `first`. */
const ROUNDS = [
  { net: [192, 168], first: 100 },
  { net: [10, 177], first: 0 },
  { net: [172, 29], first: 0 },
  { net: [192, 168], first: 180 },
  { net: [10, 201], first: 0 },
  { net: [172, 22], first: 0 },
  { net: [10, 113], first: 0 },
  { net: [172, 31], first: 0 },
] as const;
const PAIRS = ROUNDS.length * PAIR_SLOTS;

function address(a: number, b: number, c: number, d: number): number {
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

function pairAt(index: number): AddressPair {
  if (index === 0) return HOWTO;
  const {
    net: [a, b],
    first,
  } = ROUNDS[Math.floor(index / PAIR_SLOTS)]!;
  const third = first + (index % PAIR_SLOTS);
  return { server: address(a, b, third, 1), client: address(a, b, third, 2) };
}

type Places = Map<number, { readonly index: number; readonly end: keyof AddressPair }>;
let places: Places | undefined;

/** Where each address of the list is in it. Most links never ask. */
function placeOf(address: number): ReturnType<Places["get"]> {
  if (places === undefined) {
    places = new Map();
    for (let index = 0; index < PAIRS; index++) {
      const { server, client } = pairAt(index);
      places.set(server, { index, end: "server" }).set(client, { index, end: "client" });
    }
  }
  return places.get(address);
}

function isIn(network: UsedNetwork, one: number): boolean {
  const mask = network.prefix === 0 ? 0 : (-1 << (32 - network.prefix)) >>> 0;
  return (one & mask) >>> 0 === (network.address & mask) >>> 0;
}

export class AddressPairs {
  readonly #used: readonly UsedNetwork[];

  /** A default route takes no address away. */
  constructor(used: readonly UsedNetwork[]) {
    this.#used = used.filter(({ prefix }) => prefix > 0);
  }

  #isFree({ server, client }: AddressPair): boolean {
    return !this.#used.some((network) => isIn(network, server) || isIn(network, client));
  }

  /** The pair of a slot, from 1 on, or its first substitute that is free. The pair itself if all are taken. */
  first(slot: number): AddressPair {
    const index = (slot - 1) % PAIR_SLOTS;
    const pair = pairAt(index);
    return this.#isFree(pair) ? pair : (this.#after(index) ?? pair);
  }

  /** An address for the same end in place of one of the list. Undefined: it may be used, or there is no other. */
  instead(of: number): number | undefined {
    const place = placeOf(of);
    if (place === undefined || this.#isFree(pairAt(place.index))) return undefined;
    return this.#after(place.index)?.[place.end];
  }

  /** The address of the other end that belongs to an address of the list. */
  partner(of: number): number | undefined {
    const place = placeOf(of);
    return place && pairAt(place.index)[place.end === "server" ? "client" : "server"];
  }

  /** The next pair of the same slot that is free. */
  #after(index: number): AddressPair | undefined {
    for (let next = index + PAIR_SLOTS; next % PAIRS !== index; next += PAIR_SLOTS) {
      const pair = pairAt(next % PAIRS);
      if (this.#isFree(pair)) return pair;
    }
    return undefined;
  }
}
