// The texts for nft and iptables, and what is made of the rules that iptables-save lists. kernel-sharing.test.ts has the kernel take them.

import { expect, test } from "bun:test";
import {
  filtersForwarded,
  forwardChain,
  iptablesAccept,
  iptablesExtras,
  iptablesRemoval,
  iptablesRules,
} from "../../../src/run/share/iptables-rules.ts";
import { nftExtras, nftRules } from "../../../src/run/share/nft-rules.ts";
import { isPlainName, type Sharing } from "../../../src/run/share/sharing.ts";
import { Destinations } from "../../../src/stack/destinations.ts";

const IPV4: Sharing = {
  family: 4,
  ifname: "ppp0",
  index: 7,
  our: "10.9.0.1",
  peer: "10.9.0.2",
  from: "10.9.0.2",
  isReachable: false,
  mostFlows: 8192,
  destinations: new Destinations([], []).rules(4),
  isLimited: false,
  isOwnOpen: true,
  loopback: false,
  forwards: [],
};
const IPV6: Sharing = {
  ...IPV4,
  family: 6,
  our: "fd00::1",
  peer: "fd00::2",
  from: "fd00::/64",
  destinations: new Destinations([], []).rules(16),
};
const FORWARDS: Sharing["forwards"] = [
  { protocol: "tcp", address: undefined, port: 8080, toPort: 80 },
  { protocol: "udp", address: "192.0.2.1", port: 53, toPort: 5353 },
  { protocol: "tcp", address: "2001:db8::1", port: 22, toPort: 22 },
];

/** The lines of a chain. */
function chain(rules: string, name: string): string[] {
  const [, lines = ""] = new RegExp(`^\tchain ${name} \\{\n(.*?)^\t\\}`, "ms").exec(rules) ?? [];
  return lines
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

test("nft: a table of each family, made anew", () => {
  for (const [sharing, table, saddr, icmp] of [
    [IPV4, "ip nullmodem-7", "ip saddr 10.9.0.2", "icmp"],
    [IPV6, "ip6 nullmodem-7", "ip6 saddr fd00::/64", "icmpv6"],
  ] as const) {
    const rules = nftRules(sharing);
    expect(rules).toStartWith(`add table ${table}\ndelete table ${table}\ntable ${table} {\n`);
    expect(chain(rules, "postrouting")).toEqual([
      "type nat hook postrouting priority 100; policy accept;",
      `${saddr} oifname != "ppp0" masquerade`,
      'iifname "ppp0" oifname != "ppp0" masquerade',
      'oifname "ppp0" ct status dnat masquerade',
    ]);
    expect(chain(rules, "destinations").at(-1)).toBe("return");
    expect(rules).toContain(`reject with ${icmp} type admin-prohibited`);
    expect(chain(rules, "input")).toEqual([]);
  }
});

test("nft: ports lead to the peer in the family of their address", () => {
  const local = "fib daddr type local tcp dport 8080 dnat to";
  expect(chain(nftRules({ ...IPV4, forwards: FORWARDS }), "output").slice(1)).toEqual([
    `${local} 10.9.0.2:80`,
    "ip daddr 192.0.2.1 udp dport 53 dnat to 10.9.0.2:5353",
  ]);
  expect(chain(nftRules({ ...IPV6, forwards: FORWARDS }), "prerouting").slice(1)).toEqual([
    `iifname != "ppp0" ip6 daddr != ::1 ${local} [fd00::2]:80`,
    'iifname != "ppp0" ip6 daddr 2001:db8::1 tcp dport 22 dnat to [fd00::2]:22',
  ]);
});

test("without share, nothing is masqueraded or accepted for the peer's own packets", () => {
  const forwarding: Sharing = { ...IPV4, from: undefined, forwards: FORWARDS };
  expect(chain(nftRules(forwarding), "postrouting").join()).not.toContain("saddr");
  expect(iptablesRules(forwarding, "FORWARD")).not.toMatch(/(?<! !) -s /);
  expect(chain(nftRules(forwarding), "forward").at(-1)).toBe(
    'iifname "ppp0" ct state != { established, related } reject with icmp type admin-prohibited',
  );
  expect(iptablesRules(forwarding, "FORWARD")).toMatch(/-A nullmodem-7 -i ppp0 -j REJECT .*\n-A nullmodem-7-to/);
});

test("a source that is neither the peer's nor behind it by a route is dropped before anything else looks at it", () => {
  expect(chain(nftRules(IPV6), "source")).toEqual([
    "type filter hook prerouting priority -150; policy accept;",
    'iifname "ppp0" ip6 saddr != fd00::/64 fib saddr . iif oif missing drop',
  ]);
  expect(iptablesRules(IPV4, "FORWARD")).toContain(
    "-A nullmodem-7-in -i ppp0 ! -s 10.9.0.2 -m rpfilter --invert -j DROP",
  );
});

test("with share, what has a false source and who calls the peer unasked go nowhere", () => {
  expect(chain(nftRules(IPV6), "forward").slice(3)).toEqual([
    'iifname "ppp0" ct state invalid,untracked drop',
    'oifname "ppp0" ct state invalid,untracked drop',
    'oifname "ppp0" ct state new ct status & dnat != dnat reject with icmpv6 type admin-prohibited',
    'iifname "ppp0" jump destinations',
  ]);
  expect(iptablesRules(IPV4, "FORWARD")).toContain(
    [
      "-A nullmodem-7 -i ppp0 -m conntrack --ctstate INVALID,UNTRACKED -j DROP",
      "-A nullmodem-7 -o ppp0 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP",
      "COMMIT",
    ].join("\n"),
  );
  // proxyarp
  const open: Sharing = { ...IPV4, isReachable: true };
  expect(nftRules(open)).not.toContain("ct status & dnat");
  expect(iptablesRules(open, "FORWARD")).not.toContain("ESTABLISHED,DNAT");
});

test("rules limit this machine's own services too; pings and name queries are answered, replies pass", () => {
  for (const [sharing, daddr, icmp, reject] of [
    [IPV4, "ip daddr 10.9.0.1", "ip daddr 10.9.0.1 meta l4proto icmp", "icmp"],
    [IPV6, "ip6 daddr fd00::1", "meta l4proto ipv6-icmp", "icmpv6"],
  ] as const)
    for (const [isOwnOpen, rule] of [
      [true, `${daddr} accept`],
      [false, `${daddr} ct state != { established, related } reject with ${reject} type admin-prohibited`],
    ] as const)
      expect(chain(nftRules({ ...sharing, isLimited: true, isOwnOpen }), "input").slice(1)).toEqual([
        'iifname != "ppp0" accept',
        `${icmp} accept`,
        `${daddr} udp dport 53 accept`,
        `${daddr} tcp dport 53 accept`,
        rule,
        "fib daddr type local jump destinations",
      ]);
  const own = (sharing: Partial<Sharing>): string[] =>
    iptablesAccept({ ...IPV4, isLimited: true, ...sharing }, "FORWARD")
      .split("\n")
      .filter((line) => line.startsWith("-A nullmodem-7-own"))
      .slice(3);
  expect(own({ isOwnOpen: true })).toEqual([
    "-A nullmodem-7-own -d 10.9.0.1 -j RETURN",
    "-A nullmodem-7-own -j nullmodem-7-to",
  ]);
  expect(own({ isOwnOpen: false })).toEqual([
    "-A nullmodem-7-own -d 10.9.0.1 -m conntrack ! --ctstate RELATED,ESTABLISHED -j REJECT --reject-with icmp-admin-prohibited",
    "-A nullmodem-7-own -j nullmodem-7-to",
  ]);
});

test("the number of flows and active FTP are matters of their own, which a kernel may lack", () => {
  const [limit, ftp] = nftExtras(IPV4);
  expect(limit).toContain(
    'iifname "ppp0" ct state new ct status & confirmed != confirmed ct count over 8192 counter reject',
  );
  expect(ftp).toContain('tcp dport 21 ct helper set "ftp"');
  expect(iptablesExtras(IPV6).map((text) => text.split("\n")[0])).toEqual(["*filter", "*raw"]);
  expect(iptablesExtras(IPV4)[0]).toContain(
    "! --ctstatus CONFIRMED -m connlimit --connlimit-above 8192 --connlimit-mask 0 -j REJECT",
  );
});

test("iptables: the chain that decides, and whether one does", () => {
  const saved = (...lines: string[]): string => ["*filter", ":INPUT DROP [0:0]", ...lines, "COMMIT", ""].join("\n");
  const docker = saved(":FORWARD DROP [0:0]", ":DOCKER-USER - [0:0]", "-A FORWARD -j DOCKER-USER");
  expect([forwardChain(docker), filtersForwarded(docker)]).toEqual(["DOCKER-USER", true]);
  const late = saved(
    ":FORWARD DROP [0:0]",
    ":DOCKER-USER - [0:0]",
    "-A FORWARD -i eth0 -j DROP",
    "-A FORWARD -j DOCKER-USER",
  );
  expect(forwardChain(late)).toBe("FORWARD");
  // A chain that nothing leads to decides nothing.
  const unused = saved(":FORWARD DROP [0:0]", ":DOCKER-USER - [0:0]");
  expect([forwardChain(unused), filtersForwarded(unused)]).toEqual(["FORWARD", true]);
  const accepting = saved(":FORWARD ACCEPT [0:0]");
  expect([forwardChain(accepting), filtersForwarded(accepting)]).toEqual(["FORWARD", false]);
  expect(filtersForwarded(saved(":FORWARD ACCEPT [0:0]", "-A FORWARD -j REJECT"))).toBe(true);
  expect(filtersForwarded("*mangle\n:FORWARD DROP [0:0]\nCOMMIT\n")).toBe(false);
  expect(iptablesAccept(IPV4, "DOCKER-USER")).toContain(
    "\n-I DOCKER-USER -m comment --comment nullmodem -j nullmodem-7\n",
  );
});

test("iptables: what is left of our rules is removed, and nothing else", () => {
  const saved = `*nat
:POSTROUTING ACCEPT [0:0]
:nullmodem-7 - [0:0]
:nullmodem-70 - [0:0]
-A POSTROUTING -m comment --comment nullmodem -j nullmodem-7
-A POSTROUTING -m comment --comment nullmodem -j nullmodem-70
-A nullmodem-7 -s 10.9.0.2/32 ! -o ppp0 -j MASQUERADE
COMMIT
*filter
:FORWARD ACCEPT [0:0]
:nullmodem-7-to - [0:0]
-A FORWARD -j ACCEPT
COMMIT
*mangle
:FORWARD ACCEPT [0:0]
COMMIT
`;
  expect(iptablesRemoval(saved, { index: 7 })).toBe(`*nat
-D POSTROUTING -m comment --comment nullmodem -j nullmodem-7
-F nullmodem-7
-X nullmodem-7
COMMIT
*filter
-F nullmodem-7-to
-X nullmodem-7-to
COMMIT
`);
  expect(iptablesRemoval(saved, { index: 8 })).toBeUndefined();
});

test("names that would be patterns, options or the end of a text are not plain", () => {
  const names = ["ppp0", "usb-modem.1", "a@b", "ppp*", "ppp+", "-A", 'x"y', "a b", "p;q"];
  expect(names.filter(isPlainName)).toEqual(["ppp0", "usb-modem.1", "a@b"]);
});
