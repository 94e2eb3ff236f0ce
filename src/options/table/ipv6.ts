// Options of IPv6.

import { OptionError } from "../error.ts";
import {
  alias,
  decoded,
  flag,
  GROUP,
  INIT_ONLY,
  number,
  PRIORITY,
  PRIVILEGED,
  special,
  type Row,
  type Setting,
} from "../row.ts";

/** The low 64 bits of an IPv6 address text whose high 64 are zero; undefined: not one. */
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

function setIdentifiers({ config, priority }: Setting, argument: string): void {
  const comma = argument.indexOf(",");
  const our = comma < 0 ? argument : argument.slice(0, comma);
  const peer = comma < 0 ? "" : argument.slice(comma + 1);
  if (our !== "") config.ipv6Local = interfaceId(our, "local");
  if (peer !== "") config.ipv6Remote = interfaceId(peer, "remote");
  // It says +ipv6 as well, and that has a priority.
  if ((config.given.get("+ipv6")?.priority ?? 0) > priority) return;
  config.given.set("+ipv6", { winner: "", source: "", priority, values: [] });
  config.ipv6 = true;
}

const noipv6 = flag("noipv6", GROUP, "no IPv6", { ipv6: false });
const nodefaultroute6 = flag("nodefaultroute6", 0, "forbid the defaultroute6 option", {
  nodefaultroute6: true,
  defaultroute6: false,
});

export const IPV6CP: readonly Row[] = [
  special("ipv6", 0, "interface identifiers, OURS,THEIRS; either may be left out", setIdentifiers, (config) => {
    const our = config.ipv6Local === undefined ? "" : formatInterfaceId(config.ipv6Local);
    const peer = config.ipv6Remote === undefined ? "" : formatInterfaceId(config.ipv6Remote);
    return `${our},${peer}`;
  }),
  flag("+ipv6", PRIORITY, "IPv6", { ipv6: true }),
  noipv6,
  alias(noipv6, "-ipv6"),
  flag("ipv6cp-accept-local", 0, "take the identifier the peer has for us", { ipv6cpAcceptLocal: true }),
  flag("ipv6cp-accept-remote", 0, "take the identifier the peer has for itself", { ipv6cpAcceptRemote: true }),
  flag("defaultroute6", 0, "route all other IPv6 through the link", { defaultroute6: true }, "nodefaultroute6"),
  nodefaultroute6,
  alias(nodefaultroute6, "-defaultroute6"),
  number("defaultroute6-metric", "defaultroute6Metric", PRIVILEGED | INIT_ONLY, "the metric of that route", {
    min: -1,
  }),
  flag("ipv6cp-use-ipaddr", 0, "make identifiers of the IPv4 addresses", { ipv6cpUseIpaddr: true }),
  flag("ipv6cp-use-persistent", 0, "make our identifier of a hardware address", { ipv6cpUsePersistent: true }),
  flag("ipv6cp-use-remotenumber", 0, "make the peer's identifier of its number", { ipv6cpUseRemotenumber: true }),
  flag("ipv6cp-noremote", 0, "the peer need not have an identifier", { ipv6cpNoremote: true }),
  flag("ipv6cp-nosend", 0, "do not tell the peer our identifier", { ipv6cpNosend: true }),
  number("ipv6cp-restart", "ipv6cpRestart", PRIORITY, "seconds between two IPv6CP requests", {
    min: 1,
    outside: "moved",
  }),
  number("ipv6cp-max-terminate", "ipv6cpMaxTerminate", PRIORITY, "how many IPv6CP terminate requests to send"),
  number("ipv6cp-max-configure", "ipv6cpMaxConfigure", PRIORITY, "how many IPv6CP configure requests to send"),
  number("ipv6cp-max-failure", "ipv6cpMaxFailure", PRIORITY, "how many IPv6CP naks before a reject"),
];
