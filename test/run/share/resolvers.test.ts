// The host's name servers, from the texts of its files.

import { expect, test } from "bun:test";
import { parsePrefix } from "../../../src/bytes/prefix.ts";
import { bytesOf } from "../../../src/bytes/text.ts";
import type { Machine } from "../../../src/run/machine.ts";
import { hostResolvers, offeredServers, Resolvers } from "../../../src/run/share/resolvers.ts";
import { Destinations } from "../../../src/stack/destinations.ts";
import { SimulatedError } from "../../simulation/errors.ts";

const SYSTEMD = "/run/systemd/resolve/resolv.conf";
const NETWORK_MANAGER = "/run/NetworkManager/no-stub-resolv.conf";

type Texts = Readonly<Record<string, string>>;

/** The servers as text: those that the host asks, those beyond it, and those that IPCP offers. */
function found(texts: Texts, allow: readonly string[] = []): [own: string, beyond: string, offered: string] {
  const resolvers = hostResolvers((path) => texts[path]);
  const allowed = allow.map((text) => parsePrefix(text)!);
  const text = (address: Uint8Array): string => address.join(address.length === 4 ? "." : " ");
  const offered = offeredServers(resolvers, new Destinations(allowed, []));
  return [
    resolvers.own.map(text).join(),
    resolvers.beyond.map(text).join(),
    offered.map((one) => (one === "ours" ? one : one.toString(16))).join(),
  ];
}

const lines = (...servers: readonly string[]): string => servers.map((server) => `nameserver ${server}\n`).join("");
const SIX = "32 1 13 184 0 0 0 0 0 0 0 0 0 0 0 83";

test.each([
  ["plain", { "/etc/resolv.conf": lines("192.0.2.53") }, ["192.0.2.53", "192.0.2.53", "c0000235"]],
  [
    "at most two are offered",
    { "/etc/resolv.conf": lines("192.0.2.1", "192.0.2.2", "192.0.2.3") },
    ["192.0.2.1,192.0.2.2,192.0.2.3", "192.0.2.1,192.0.2.2,192.0.2.3", "c0000201,c0000202"],
  ],
  [
    "comments, tabs and words that are no addresses",
    {
      "/etc/resolv.conf":
        "# nameserver 1.1.1.1\n \tnameserver\t192.0.2.53 # ours\nnameserver dns.test\noptions edns0\n",
    },
    ["192.0.2.53", "192.0.2.53", "c0000235"],
  ],
  ["no file", {}, ["127.0.0.1", "", "ours"]],
  [
    "systemd-resolved",
    { "/etc/resolv.conf": lines("127.0.0.53"), [SYSTEMD]: lines("192.0.2.53", "2001:db8::53") },
    ["127.0.0.53", `192.0.2.53,${SIX}`, "c0000235"],
  ],
  [
    "systemd's server, but only NetworkManager knows what is behind it",
    {
      "/etc/resolv.conf": lines("127.0.0.53"),
      [SYSTEMD]: lines("127.0.0.1"),
      [NETWORK_MANAGER]: lines("192.0.2.53"),
    },
    ["127.0.0.53", "192.0.2.53", "c0000235"],
  ],
  ["systemd-resolved without a network", { "/etc/resolv.conf": lines("127.0.0.53") }, ["127.0.0.53", "", "ours"]],
  [
    "dnsmasq or unbound on the loopback, which is asked on purpose",
    { "/etc/resolv.conf": lines("127.0.0.1"), [NETWORK_MANAGER]: lines("192.0.2.53") },
    ["127.0.0.1", "", "ours"],
  ],
  [
    "IPv6 only",
    { "/etc/resolv.conf": lines("2001:db8::53", "::1", "fe80::1%eth0") },
    [`${SIX},0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1`, SIX, "ours"],
  ],
  [
    "a cloud's server, at an address that is closed to the peer",
    { "/etc/resolv.conf": lines("169.254.169.253") },
    ["169.254.169.253", "169.254.169.253", "ours"],
  ],
  ["0.0.0.0 is the loopback", { "/etc/resolv.conf": lines("0.0.0.0") }, ["0.0.0.0", "", "ours"]],
] as readonly (readonly [string, Texts, [string, string, string]])[])("name servers: %s", (_, texts, expected) => {
  expect(found(texts)).toEqual(expected);
});

test("name servers outside share-allow are not offered", () => {
  const texts = { "/etc/resolv.conf": lines("192.0.2.53", "10.0.0.53") };
  expect(found(texts, ["10.0.0.0/8"])[2]).toBe("a000035");
  expect(found(texts, ["172.16.0.0/12"])[2]).toBe("ours");
});

test("files that change are read again", () => {
  let [now, text] = [0, lines("192.0.2.1")];
  const files = {
    read(path: string): Uint8Array {
      if (path !== "/etc/resolv.conf" || text === "") throw new SimulatedError("open", path, "ENOENT");
      return bytesOf(text);
    },
  };
  const resolvers = new Resolvers({ clock: { now: () => now }, files } as unknown as Machine);
  const own = (): string => resolvers.now.own.map((address) => address.join(".")).join();
  expect(own()).toBe("192.0.2.1");
  [now, text] = [1000, lines("192.0.2.2")];
  expect(own()).toBe("192.0.2.2");
  [now, text] = [2000, ""];
  expect(own()).toBe("127.0.0.1");
});
