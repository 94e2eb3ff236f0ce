// The list of destinations for a firewall decides as the stack does.

import { expect, test } from "bun:test";
import { parsePrefix, type Prefix } from "../../src/bytes/prefix.ts";
import { type DestinationRule, Destinations, isImpossibleSource } from "../../src/stack/destinations.ts";
import { Rng } from "../kit/rng.ts";

const prefixes = (...texts: string[]): Prefix[] => texts.map((text) => parsePrefix(text)!);

function contains({ address, bits }: Prefix, other: Uint8Array): boolean {
  const text = (octets: Uint8Array): string => [...octets].map((octet) => octet.toString(2).padStart(8, "0")).join("");
  return text(address).slice(0, bits) === text(other).slice(0, bits);
}

function allows(rules: readonly DestinationRule[], address: Uint8Array): boolean {
  return rules.find(({ prefix }) => prefix === undefined || contains(prefix, address))!.isAllowed;
}

const LISTS = [
  [[], []],
  [["10.0.0.0/8"], ["10.1.0.0/16"]],
  [
    ["10.1.2.0/24", "169.254.0.0/16"],
    ["10.0.0.0/8", "10.1.2.0/24"],
  ],
  [["fd00::/8"], ["fd00:1::/32"]],
  [[], ["10.0.0.0/8"]],
] as const;

for (const [allowed, denied] of LISTS)
  test(`share-allow ${allowed.join(" ")}, share-deny ${denied.join(" ")}`, () => {
    const destinations = new Destinations(prefixes(...allowed), prefixes(...denied));
    const rng = new Rng(1);
    const starts = [[10, 1, 2], [10, 1], [10], [169, 254], [100, 100, 100, 200], [168, 63, 129, 16], [192, 0, 2], []];
    const starts6 = [
      [0xfd, 0, 0, 1],
      [0xfd, 0],
      [0xfe, 0x80],
      [0x20, 2],
      [0x20, 1],
      [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, 10],
    ];
    for (let round = 0; round < 40; round++)
      for (const [lists, size] of [
        [starts, 4],
        [starts6, 16],
      ] as const)
        for (const start of lists) {
          const address = Uint8Array.from([...start, ...rng.bytes(size)].slice(0, size));
          if (isImpossibleSource(address)) continue;
          expect([address, allows(destinations.rules(size), address)]).toEqual([address, destinations.allows(address)]);
        }
  });
