// Options of IPv6. Interface identifiers are numbers of 64 bits.

import { decoded } from "../../bytes/text.ts";
import { OptionError } from "../error.ts";
import { GROUP, INIT_ONLY, PRIORITY, PRIVILEGED, row, unset } from "../row.ts";
import { alias, flag, number, sets } from "../row-kinds.ts";

/** The low 64 bits of an IPv6 address whose high 64 bits are zero. Undefined: it is none. */
function parseInterfaceId(text: string): bigint | undefined {
  const address = parseIpv6(text);
  return address === undefined || address >> 64n !== 0n ? undefined : address;
}

/** inet_pton(3) for IPv6. */
function parseIpv6(text: string): bigint | undefined {
  const dotted = /^(.*:)(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  let whole = text;
  if (dotted) {
    const octets = dotted.slice(2).map(Number);
    if (octets.some((octet) => octet > 255)) return undefined;
    const [a = 0, b = 0, c = 0, d = 0] = octets;
    whole = `${dotted[1]}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  }
  const halves = whole.split("::");
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) => (half === "" ? [] : half.split(":")));
  const all = groups.flat();
  if (all.some((group) => !/^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  const missing = 8 - all.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const [high = [], low = []] = groups;
  const full = halves.length === 1 ? all : [...high, ...Array<string>(missing).fill("0"), ...low];
  return full.reduce((value, group) => (value << 16n) | BigInt(parseInt(group, 16)), 0n);
}

/** The id as a link-local address: `fe80::0000:0000:0000:0001`. */
function formatInterfaceId(id: bigint): string {
  const groups = [48n, 32n, 16n, 0n].map((shift) => ((id >> shift) & 0xffffn).toString(16).padStart(4, "0"));
  return `fe80::${groups.join(":")}`;
}

function interfaceId(word: string, end: "local" | "remote"): bigint {
  const id = parseInterfaceId(word);
  if (!id) throw new OptionError(`Illegal interface identifier (${end}): ${decoded(word)}`);
  return id;
}

const plusIpv6 = sets("+ipv6", PRIORITY, "IPv6", { ipv6: true }, { fields: { ipv6: true } });
const noipv6 = sets("noipv6", GROUP, "no IPv6", { ipv6: false }, { shares: [plusIpv6] });

const identifiers = row({
  name: "ipv6",
  about: "interface identifiers, OURS,THEIRS; either may be left out",
  fields: { ipv6Local: unset<bigint>(), ipv6Remote: unset<bigint>() },
  shares: [plusIpv6],
  set({ draft, given, priority }, argument) {
    const comma = argument.indexOf(",");
    const our = comma < 0 ? argument : argument.slice(0, comma);
    const peer = comma < 0 ? "" : argument.slice(comma + 1);
    if (our !== "") draft.ipv6Local = interfaceId(our, "local");
    if (peer !== "") draft.ipv6Remote = interfaceId(peer, "remote");
    // The option also acts as +ipv6, which has a priority.
    if ((given[plusIpv6.name]?.priority ?? 0) > priority) return;
    given[plusIpv6.name] = { winner: "", source: "", priority, values: [] };
    draft.ipv6 = true;
  },
  value({ ipv6Local, ipv6Remote }) {
    const our = ipv6Local === undefined ? "" : formatInterfaceId(ipv6Local);
    const peer = ipv6Remote === undefined ? "" : formatInterfaceId(ipv6Remote);
    return `${our},${peer}`;
  },
});

const nodefaultroute6 = sets(
  "nodefaultroute6",
  0,
  "forbid the defaultroute6 option",
  { nodefaultroute6: true, defaultroute6: false },
  { fields: { nodefaultroute6: false, defaultroute6: false } },
);

export const IPV6CP = [
  identifiers,
  plusIpv6,
  noipv6,
  alias(noipv6, "-ipv6"),
  flag("ipv6cp-accept-local", "ipv6cpAcceptLocal", 0, "accept the peer's choice of our identifier"),
  flag("ipv6cp-accept-remote", "ipv6cpAcceptRemote", 0, "accept the peer's choice of its own identifier"),
  sets(
    "defaultroute6",
    0,
    "make the link the default route of IPv6",
    { defaultroute6: true },
    { shares: [nodefaultroute6], disabledBy: nodefaultroute6 },
  ),
  nodefaultroute6,
  alias(nodefaultroute6, "-defaultroute6"),
  number(
    "defaultroute6-metric",
    "defaultroute6Metric",
    0,
    PRIVILEGED | INIT_ONLY,
    "the metric of the default route of IPv6",
    {
      min: -1,
    },
  ),
  flag("ipv6cp-use-ipaddr", "ipv6cpUseIpaddr", 0, "make the identifiers from the IPv4 addresses"),
  flag("ipv6cp-use-persistent", "ipv6cpUsePersistent", 0, "make our identifier from a hardware address"),
  flag("ipv6cp-use-remotenumber", "ipv6cpUseRemotenumber", 0, "make the peer's identifier from its telephone number"),
  flag("ipv6cp-noremote", "ipv6cpNoremote", 0, "the peer need not have an identifier"),
  flag("ipv6cp-nosend", "ipv6cpNosend", 0, "do not tell the peer our identifier"),
  number("ipv6cp-restart", "ipv6cpRestart", 3, PRIORITY, "seconds between two IPv6CP requests", {
    min: 1,
    outside: "moved",
  }),
  number("ipv6cp-max-terminate", "ipv6cpMaxTerminate", 2, PRIORITY, "how many IPv6CP terminate requests to send"),
  number("ipv6cp-max-configure", "ipv6cpMaxConfigure", 10, PRIORITY, "how many IPv6CP configure requests to send"),
  number("ipv6cp-max-failure", "ipv6cpMaxFailure", 5, PRIORITY, "how many IPv6CP naks to send before a reject"),
] as const;
