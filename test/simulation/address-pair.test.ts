// Links whose addresses nobody has given: `address-pair` on one machine, and several kinds of peers.

import { expect, test } from "bun:test";
import { parseIpv4 } from "../../src/options/numbers.ts";
import { ipv4Text } from "../../src/wire/ip.ts";
import { Laplink } from "./laplink.ts";

const LINE = ["/dev/ttyUSB0", "115200", "noauth", "nodetach", "local", "noipv6", "noccp"];

interface Setting {
  readonly server?: readonly string[];
  readonly client?: readonly string[];
  /** Networks that each computer reaches otherwise. */
  readonly lans?: readonly [server: readonly string[], client: readonly string[]];
}

/** The addresses of both ends, as the server has them. */
function agreed({ server = ["address-pair", "1"], client = [], lans = [[], []] }: Setting): string | undefined {
  const link = new Laplink({ seed: 1 });
  for (const side of [0, 1] as const)
    for (const lan of lans[side]) {
      const [address = "", prefix = "32"] = lan.split("/");
      link.computers[side].network.lans.push({ address: parseIpv4(address)!, prefix: Number(prefix) });
    }
  const a = link.computers[0].start([...LINE, ...server]);
  const b = link.computers[1].start([...LINE, "noipdefault", ...client]);
  const isUp = link.time.runUntil(() => link.isUp, 20_000);
  const [found] = link.computers[0].network.tuns.flatMap(({ addresses }) => addresses);
  const [other] = link.computers[1].network.tuns.flatMap(({ addresses }) => addresses);
  if (isUp) expect([other!.our, other!.peer]).toEqual([found!.peer, found!.our]);
  for (const one of [a, b]) one.signal("SIGTERM");
  expect(link.time.runUntil(() => !a.isRunning && !b.isRunning, 20_000)).toBe(true);
  expect([a.fault, b.fault, link.leftOn(0), link.leftOn(1)]).toEqual([undefined, undefined, [], []]);
  return isUp ? `${ipv4Text(found!.our)}:${ipv4Text(found!.peer)}` : undefined;
}

const AVOIDS = ["address-pair", "0"];

for (const [name, expected, setting] of [
  ["the HOWTO's pair", "192.168.0.1:192.168.1.1", {}],
  ["a pair of its own for each port", "192.168.106.1:192.168.106.2", { server: ["address-pair", "7"] }],
  ["a network of the server is avoided", "10.177.0.1:10.177.0.2", { lans: [["192.168.1.0/24"], []] }],
  [
    "and one of the client, when it says so",
    "10.177.0.1:10.177.0.2",
    { client: AVOIDS, lans: [[], ["192.168.0.0/24"]] },
  ],
  [
    "both have networks, and they meet",
    "172.22.0.1:172.22.0.2",
    { client: AVOIDS, lans: [["192.168.0.0/16", "172.29.0.0/16"], ["10.0.0.0/8"]] },
  ],
  ["a client that has an address keeps it", "192.168.0.1:10.5.5.5", { client: ["10.5.5.5:"] }],
  ["a client that names both ends", "10.6.6.1:10.6.6.2", { client: ["10.6.6.2:10.6.6.1"] }],
  ["given addresses win", "10.7.7.1:10.7.7.2", { server: ["address-pair", "1", "10.7.7.1:10.7.7.2"] }],
  ["half a pair that is given", "10.7.7.1:192.168.1.1", { server: ["address-pair", "1", "10.7.7.1:"] }],
  [
    "a server that insists, as a pppd with given addresses does, is obeyed",
    "192.168.0.1:192.168.1.1",
    { server: ["192.168.0.1:192.168.1.1"], client: AVOIDS, lans: [[], ["192.168.0.0/16"]] },
  ],
] as readonly [string, string, Setting][])
  test(name, () => expect(agreed(setting)).toBe(expected));
