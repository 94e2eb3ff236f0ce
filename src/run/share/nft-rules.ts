// The table of a link for nft(8), as text for `nft -f -`. Each link and each family has a table of its own, which goes as a whole.

import type { Forward } from "../../options/table/share-rows.ts";
import { forwardsOf, prefixText, rulesName, type Sharing } from "./sharing.ts";

const FAMILY = { 4: "ip", 6: "ip6" } as const;
const REJECT = { 4: "reject with icmp type admin-prohibited", 6: "reject with icmpv6 type admin-prohibited" } as const;
const SYN = "tcp flags & (syn | rst) == syn";

/** "ip nullmodem-7" */
export function nftTableName(sharing: Pick<Sharing, "family" | "index">): string {
  return `${FAMILY[sharing.family]} ${rulesName(sharing)}`;
}

/** What goes without if the kernel has no such part: texts for nft, which add to the table one by one. */
export function nftExtras(sharing: Sharing): string[] {
  const { family, ifname, mostFlows } = sharing;
  const table = nftTableName(sharing);
  return [
    // A flow too many is told so. This comes first, since a chain can be left before its end. The first packet of a flow stands for it:
    // some kernels count each packet that comes before an answer.
    `insert rule ${table} forward iifname "${ifname}" ct state new ct status & confirmed != confirmed ct count over ${mostFlows} counter ${REJECT[family]}\n`,
    `table ${table} {
\tct helper ftp { type "ftp" protocol tcp; }
\tchain helpers {
\t\ttype filter hook prerouting priority -150; policy accept;
\t\tiifname "${ifname}" tcp dport 21 ct helper set "ftp"
\t}
}\n`,
  ];
}

/** Removes the table. Fails when it is not there. */
export function nftRemoval(sharing: Pick<Sharing, "family" | "index">): string {
  return `delete table ${nftTableName(sharing)}\n`;
}

/** Makes the table. One that a killed process has left under this name is replaced. */
export function nftRules(sharing: Sharing): string {
  const chains = [
    chain("destinations", undefined, destinations(sharing)),
    chain("forward", "filter hook forward priority 0", [...clamps(sharing), ...guards(sharing)]),
    ...(sharing.isLimited ? [chain("input", "filter hook input priority 0", own(sharing))] : []),
    chain("source", "filter hook prerouting priority -150", [source(sharing)]),
    chain("prerouting", "nat hook prerouting priority -100", [
      ...loopback(sharing),
      ...redirections(sharing, `iifname != "${sharing.ifname}" `),
    ]),
    chain("output", "nat hook output priority -100", redirections(sharing, "")),
    chain("postrouting", "nat hook postrouting priority 100", postrouting(sharing)),
  ];
  // To add the table first makes sure that there is one to delete.
  const table = nftTableName(sharing);
  return `add table ${table}\n${nftRemoval(sharing)}table ${table} {\n${chains.join("")}}\n`;
}

/** Kernels before 4.18 translate replies only if both prerouting and postrouting are there, so an empty chain is not left out. */
function chain(name: string, base: string | undefined, rules: readonly string[]): string {
  const lines = base === undefined ? rules : [`type ${base}; policy accept;`, ...rules];
  return `\tchain ${name} {\n${lines.map((line) => `\t\t${line}\n`).join("")}\t}\n`;
}

/** Replies go everywhere: somebody the peer may not call may call the peer. */
function destinations({ family, destinations: rules }: Sharing): string[] {
  return [
    "ct state established,related return",
    ...rules.map(({ prefix, isAllowed }) => {
      const match = prefix === undefined ? "" : `${FAMILY[family]} daddr ${prefixText(prefix)} `;
      return `${match}${isAllowed ? "return" : REJECT[family]}`;
    }),
  ];
}

/** Sources that are neither masqueraded nor behind the interface by a route are forged: the outside would believe them. */
function source({ family, ifname, from, peer }: Sharing): string {
  return `iifname "${ifname}" ${FAMILY[family]} saddr != ${from ?? peer} fib saddr . iif oif missing drop`;
}

/** The MSS never exceeds what the route to either end takes (RFC 2923 §2.3). */
function clamps({ ifname }: Sharing): string[] {
  return [
    `iifname "${ifname}" ${SYN} tcp option maxseg size set rt mtu`,
    `oifname "${ifname}" ${SYN} tcp option maxseg size set rt mtu`,
  ];
}

/** What the link may not carry from and to other interfaces. */
function guards({ family, ifname, from, isReachable }: Sharing): string[] {
  const [toPeer, fromPeer] = [`oifname "${ifname}"`, `iifname "${ifname}"`];
  if (from === undefined)
    return [`${fromPeer} jump destinations`, `${fromPeer} ct state != { established, related } ${REJECT[family]}`];
  return [
    // No masquerade is for these: they would leave with the peer's own address.
    `${fromPeer} ct state invalid,untracked drop`,
    ...(isReachable
      ? []
      : [
          `${toPeer} ct state invalid,untracked drop`,
          `${toPeer} ct state new ct status & dnat != dnat ${REJECT[family]}`,
        ]),
    `${fromPeer} jump destinations`,
  ];
}

/** The rules count for this machine's own addresses as for others. Our address always answers pings and name queries. */
function own({ family, ifname, our, loopback, isOwnOpen }: Sharing): string[] {
  const ours = `${FAMILY[family]} daddr ${our}`;
  return [
    `iifname != "${ifname}" accept`,
    // IPv6 itself needs its link-local addresses and groups.
    ...(family === 4 ? [`${ours} meta l4proto icmp accept`] : ["meta l4proto ipv6-icmp accept"]),
    `${ours} udp dport 53 accept`,
    `${ours} tcp dport 53 accept`,
    // Our address was allowed before the loopback answered for it.
    ...(loopback ? ["ct status dnat accept"] : []),
    isOwnOpen ? `${ours} accept` : `${ours} ct state != { established, related } ${REJECT[family]}`,
    "fib daddr type local jump destinations",
  ];
}

function postrouting({ family, ifname, from }: Sharing): string[] {
  return [
    ...(from === undefined
      ? []
      : [
          `${FAMILY[family]} saddr ${from} oifname != "${ifname}" masquerade`,
          // For the networks behind the peer. Kernels before 5.7 know no input interface here.
          `iifname "${ifname}" oifname != "${ifname}" masquerade`,
        ]),
    // The peer answers to an address that it reaches, whoever has called.
    `oifname "${ifname}" ct status dnat masquerade`,
  ];
}

/** Name queries are for our relay. */
function loopback({ ifname, our, loopback: isOpen }: Sharing): string[] {
  if (!isOpen) return [];
  const ours = `iifname "${ifname}" ip daddr ${our}`;
  return ["tcp", "udp"].map((protocol) => `${ours} ${protocol} dport != 53 dnat to 127.0.0.1`);
}

function redirections(sharing: Sharing, where: string): string[] {
  return forwardsOf(sharing).map((forwarded) => `${where}${redirection(sharing, forwarded)}`);
}

function redirection({ family, peer }: Sharing, { protocol, address, port, toPort }: Forward): string {
  const daddr = `${FAMILY[family]} daddr`;
  // The loopback of IPv6 has no way to an interface.
  const any = family === 4 ? "fib daddr type local" : `${daddr} != ::1 fib daddr type local`;
  const local = address === undefined ? any : `${daddr} ${address}`;
  return `${local} ${protocol} dport ${port} dnat to ${family === 4 ? peer : `[${peer}]`}:${toPort}`;
}
