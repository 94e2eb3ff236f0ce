// The rules of a link for iptables(8) and ip6tables(8), as text for `iptables-restore --noflush`. They lie in chains of our own, and
// each jump to such a chain has the comment "nullmodem".

import type { Forward } from "../../options/table/share-rows.ts";
import { forwardsOf, prefixText, rulesName, type Sharing } from "./sharing.ts";

const COMMENT = "-m comment --comment nullmodem";
const SYN = "-p tcp -m tcp --tcp-flags SYN,RST SYN";
const REJECT = { 4: "REJECT --reject-with icmp-admin-prohibited", 6: "REJECT --reject-with icmp6-adm-prohibited" };
/** Replies, and packets that belong to a connection in another way. */
const REPLIES = "-m conntrack --ctstate RELATED,ESTABLISHED";
const NO_REPLIES = "-m conntrack ! --ctstate RELATED,ESTABLISHED";
const REDIRECTED = "-m conntrack --ctstate DNAT";

/** Marks packets from networks behind the peer, which are masqueraded like the peer's. */
const BEHIND = "0x2000/0x2000";

/** Our chains in each table: the first is jumped to from the table's own chains */
function chainsOf(sharing: Sharing): { main: string; to: string; in: string; own: string } {
  const main = rulesName(sharing);
  return { main, to: `${main}-to`, in: `${main}-in`, own: `${main}-own` };
}

/** All that the link needs, where nft cannot be used. `chain` is one from {@link forwardChain}. */
export function iptablesRules(sharing: Sharing, chain: string): string {
  return nat(sharing) + mangle(sharing) + iptablesAccept(sharing, chain);
}

function table(name: string, chains: readonly string[], rules: readonly string[]): string {
  return [`*${name}`, ...chains.map((chain) => `:${chain} - [0:0]`), ...rules, "COMMIT", ""].join("\n");
}

function nat(sharing: Sharing): string {
  const { ifname, from } = sharing;
  const { main, in: redirections } = chainsOf(sharing);
  return table(
    "nat",
    [main, redirections],
    [
      `-A POSTROUTING ${COMMENT} -j ${main}`,
      ...(from === undefined
        ? []
        : [
            `-A ${main} -s ${from} ! -o ${ifname} -j MASQUERADE`,
            `-A ${main} -m mark --mark ${BEHIND} ! -o ${ifname} -j MASQUERADE`,
          ]),
      // The peer answers to an address that it reaches, whoever has called.
      `-A ${main} -o ${ifname} ${REDIRECTED} -j MASQUERADE`,
      `-A PREROUTING ${COMMENT} -j ${redirections}`,
      `-A OUTPUT ${COMMENT} -j ${redirections}`,
      ...loopback(sharing).map((rule) => `-A ${redirections} ${rule}`),
      `-A ${redirections} -i ${ifname} -j RETURN`,
      ...forwardsOf(sharing).map((forwarded) => `-A ${redirections} ${redirection(sharing, forwarded)}`),
    ],
  );
}

/** Name queries are for our relay. */
function loopback({ ifname, our, loopback: isOpen }: Sharing): string[] {
  if (!isOpen) return [];
  return ["tcp", "udp"].map(
    (protocol) =>
      `-i ${ifname} -d ${our} -p ${protocol} -m ${protocol} ! --dport 53 -j DNAT --to-destination 127.0.0.1`,
  );
}

function redirection({ family, peer }: Sharing, { protocol, address, port, toPort }: Forward): string {
  // The loopback of IPv6 has no way to an interface.
  const any = `${family === 4 ? "" : "! -d ::1/128 "}-m addrtype --dst-type LOCAL`;
  const local = address === undefined ? any : `-d ${address}`;
  const to = `${family === 4 ? peer : `[${peer}]`}:${toPort}`;
  return `${local} -p ${protocol} -m ${protocol} --dport ${port} -j DNAT --to-destination ${to}`;
}

/** A packet that is accepted in the filter, also by the rules of another link, has been here before. */
function mangle(sharing: Sharing): string {
  const { ifname, from, peer, isReachable } = sharing;
  const { main, in: sources } = chainsOf(sharing);
  const clamp = (direction: string): string => `-A ${main} ${direction} ${ifname} ${SYN} -j TCPMSS --clamp-mss-to-pmtu`;
  const guards =
    from === undefined
      ? []
      : [
          // A network behind the interface.
          `-A ${sources} -i ${ifname} ! -s ${from} -j MARK --set-xmark ${BEHIND}`,
          // No masquerade is for these: they would leave with the peer's own address.
          `-A ${main} -i ${ifname} -m conntrack --ctstate INVALID,UNTRACKED -j DROP`,
          ...(isReachable ? [] : [`-A ${main} -o ${ifname} -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP`]),
        ];
  return table(
    "mangle",
    [main, sources],
    [
      `-A FORWARD ${COMMENT} -j ${main}`,
      clamp("-i"),
      clamp("-o"),
      // Sources that are neither the peer's nor behind the interface by a route are forged: the outside would believe them.
      `-A PREROUTING ${COMMENT} -j ${sources}`,
      `-A ${sources} -i ${ifname} ! -s ${from ?? peer} -m rpfilter --invert -j DROP`,
      ...guards,
    ],
  );
}

/** What goes without if the kernel has no such part: texts for iptables-restore, which add to {@link iptablesRules} one by one. */
export function iptablesExtras(sharing: Sharing): string[] {
  const { ifname, family, mostFlows } = sharing;
  const { main } = chainsOf(sharing);
  // The first packet of a flow stands for it: some kernels count each packet that comes before an answer.
  const flows = `-m conntrack --ctstate NEW ! --ctstatus CONFIRMED -m connlimit --connlimit-above ${mostFlows} --connlimit-mask 0`;
  return [
    table("filter", [], [`-I ${main} -i ${ifname} ${flows} -j ${REJECT[family]}`]),
    table(
      "raw",
      [main],
      [`-A PREROUTING ${COMMENT} -j ${main}`, `-A ${main} -i ${ifname} -p tcp -m tcp --dport 21 -j CT --helper ftp`],
    ),
  ];
}

/**
 * The peer's packets pass the filter, whatever its other rules say. nft's tables cannot do that: a packet that one table
 * accepts is dropped by another.
 */
export function iptablesAccept(sharing: Sharing, chain: string): string {
  const { ifname, family, from, isLimited } = sharing;
  const { main, to, own } = chainsOf(sharing);
  return table(
    "filter",
    [main, to, own],
    [
      `-I ${chain} ${COMMENT} -j ${main}`,
      ...(isLimited ? [`-I INPUT -i ${ifname} -m addrtype --dst-type LOCAL ${COMMENT} -j ${own}`] : []),
      `-A ${main} -o ${ifname} ${REPLIES} -j ACCEPT`,
      `-A ${main} -o ${ifname} ${REDIRECTED} -j ACCEPT`,
      `-A ${main} -i ${ifname} -j ${to}`,
      `-A ${main} -i ${ifname} ${REPLIES} -j ACCEPT`,
      // The mangle table has dropped what has a false source.
      `-A ${main} -i ${ifname} -j ${from === undefined ? REJECT[family] : "ACCEPT"}`,
      // Somebody the peer may not call may call the peer.
      `-A ${to} ${REPLIES} -j RETURN`,
      ...sharing.destinations.map(({ prefix, isAllowed }) => {
        const match = prefix === undefined ? "" : `-d ${prefixText(prefix)} `;
        return `-A ${to} ${match}-j ${isAllowed ? "RETURN" : REJECT[family]}`;
      }),
      ...ownServices(sharing).map((match) => `-A ${own} ${match} -j RETURN`),
      // Replies are let pass by what follows.
      ...(sharing.isOwnOpen ? [] : [`-A ${own} -d ${sharing.our} ${NO_REPLIES} -j ${REJECT[family]}`]),
      `-A ${own} -j ${to}`,
    ],
  );
}

/** The rules count for this machine's own addresses as for others. Our address always answers pings and name queries. */
function ownServices({ family, our, loopback: isOpen, isOwnOpen }: Sharing): string[] {
  return [
    // IPv6 itself needs its link-local addresses.
    family === 4 ? `-d ${our} -p icmp` : "-p ipv6-icmp",
    `-d ${our} -p udp -m udp --dport 53`,
    `-d ${our} -p tcp -m tcp --dport 53`,
    // Our address was allowed before the loopback answered for it.
    ...(isOpen ? [REDIRECTED] : []),
    ...(isOwnOpen ? [`-d ${our}`] : []),
  ];
}

/** The chain that decides first about forwarded packets. `saved` is what `iptables-save` says. */
export function forwardChain(saved: string): "DOCKER-USER" | "FORWARD" {
  // Docker puts this jump in front of its own rules, and leaves the chain to the user.
  const [, target] = /^-A FORWARD(?: -j (\S+)$)?/m.exec(filterOf(saved)) ?? [];
  return target === "DOCKER-USER" ? target : "FORWARD";
}

/** The filter may drop forwarded packets: it has rules or a policy for them. */
export function filtersForwarded(saved: string): boolean {
  const filter = filterOf(saved);
  return /^:FORWARD DROP/m.test(filter) || /^-A FORWARD /m.test(filter);
}

function filterOf(saved: string): string {
  return /^\*filter\n[^]*?^COMMIT$/m.exec(saved)?.[0] ?? "";
}

/**
 * Removes our rules from those that `iptables-save` has listed, so that nothing fails when somebody has flushed some of them.
 * Undefined: there are none.
 */
export function iptablesRemoval(saved: string, sharing: Pick<Sharing, "index">): string | undefined {
  const isOurs = new RegExp(`^${RegExp.escape(rulesName(sharing))}(?:-to|-in|-own)?$`);
  const tables = [...saved.matchAll(/^\*(\w+)\n([^]*?)^COMMIT$/gm)].flatMap(([, name = "", lines = ""]) => {
    const chains = [...lines.matchAll(/^:(\S+)/gm)]
      .map(([, chain = ""]) => chain)
      .filter((chain) => isOurs.test(chain));
    const jumps = [...lines.matchAll(/^-A (\S+)(.* -j (\S+))$/gm)]
      .filter(([, chain = "", , target = ""]) => isOurs.test(target) && !isOurs.test(chain))
      .map(([, chain, rule]) => `-D ${chain}${rule}`);
    const steps = [...jumps, ...chains.map((chain) => `-F ${chain}`), ...chains.map((chain) => `-X ${chain}`)];
    return steps.length === 0 ? [] : [table(name, [], steps)];
  });
  return tables.length === 0 ? undefined : tables.join("");
}
