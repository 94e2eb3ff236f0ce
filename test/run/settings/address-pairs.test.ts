import { expect, test } from "bun:test";
import type { UsedNetwork } from "../../../src/run/host/interfaces.ts";
import { AddressPairs, PAIR_SLOTS } from "../../../src/run/settings/address-pairs.ts";
import { parseIpv4 } from "../../../src/options/numbers.ts";
import { ipv4Text } from "../../../src/wire/ip.ts";

function used(...networks: readonly string[]): UsedNetwork[] {
  return networks.map((text) => {
    const [address = "", prefix = "32"] = text.split("/");
    return { address: parseIpv4(address)!, prefix: Number(prefix) };
  });
}

const texts = ({ server, client }: { server: number; client: number }): string =>
  `${ipv4Text(server)}:${ipv4Text(client)}`;
const first = (slot: number, ...networks: readonly string[]): string =>
  texts(new AddressPairs(used(...networks)).first(slot));

test("the first link has the HOWTO's pair, each further link another, and all are private", () => {
  expect([1, 2, 3].map((slot) => first(slot))).toEqual([
    "192.168.0.1:192.168.1.1",
    "192.168.101.1:192.168.101.2",
    "192.168.102.1:192.168.102.2",
  ]);
  const all = Array.from({ length: PAIR_SLOTS }, (_, at) => first(at + 1)).flatMap((pair) => pair.split(":"));
  expect(new Set(all).size).toBe(2 * PAIR_SLOTS);
  for (const one of all) expect(one).toMatch(/^(192\.168\.|10\.|172\.(1[6-9]|2\d|3[01])\.)/);
  expect(first(PAIR_SLOTS + 1)).toBe(first(1));
});

test("a pair that a route or an address of this machine has is skipped; the default route has none", () => {
  expect(first(1, "0.0.0.0/0")).toBe("192.168.0.1:192.168.1.1");
  expect(first(1, "192.168.1.0/24")).toBe("10.177.0.1:10.177.0.2");
  expect(first(1, "192.168.0.0/16")).toBe("10.177.0.1:10.177.0.2");
  expect(first(1, "192.168.0.1")).toBe("10.177.0.1:10.177.0.2");
  expect(first(2, "192.168.0.0/16", "10.0.0.0/8")).toBe("172.29.1.1:172.29.1.2");
  expect(first(2, "0.0.0.0/1", "128.0.0.0/1")).toBe("192.168.101.1:192.168.101.2");
});

test("substitutes of different links are different too", () => {
  const all = Array.from({ length: PAIR_SLOTS }, (_, at) => first(at + 1, "192.168.0.0/16"));
  expect(new Set(all).size).toBe(PAIR_SLOTS);
});

test("two machines that go on from each other's pair meet at the first that both have free", () => {
  const server = new AddressPairs(used("192.168.0.0/16", "172.29.0.0/16"));
  const client = new AddressPairs(used("10.0.0.0/8"));
  const walk: string[] = [];
  let at = server.first(3).server;
  for (let side = 0; side < 9; side++) {
    walk.push(ipv4Text(at));
    const next = (side % 2 === 0 ? client : server).instead(at);
    if (next === undefined) break;
    at = next;
  }
  expect(walk).toEqual(["10.177.2.1", "172.29.2.1", "10.201.2.1", "172.22.2.1"]);
  expect(ipv4Text(client.partner(at)!)).toBe("172.22.2.2");
  expect(ipv4Text(client.partner(client.partner(at)!)!)).toBe("172.22.2.1");
});

test("an address outside the list is left alone", () => {
  const pairs = new AddressPairs(used("10.0.0.0/8"));
  expect([pairs.instead(0x0a000001), pairs.partner(0x0a000001)]).toEqual([undefined, undefined]);
});
