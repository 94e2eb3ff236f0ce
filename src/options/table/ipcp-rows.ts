// Options of IP: addresses, routes, name servers. IPv4 addresses are uint32.

import { decoded, encoded } from "../../bytes/text.ts";
import { OptionError } from "../error.ts";
import { formatIpv4, isBadAddress, parseIpv4, scanNumber, toUint32 } from "../numbers.ts";
import { field, list, LIST, oneOf, PRIORITY, PRIVILEGED, row, unset, type Row, type Setting } from "../row.ts";
import { alias, flag, number, sets, text } from "../row-kinds.ts";
import { checkLimits, wholeNumber } from "../whole-number.ts";
import { remotename } from "./auth-rows.ts";

/** The address of one end. Undefined for 0.0.0.0, which means unknown. */
function endAddress({ host }: Setting, word: string, end: "local" | "remote"): number | undefined {
  const address = parseIpv4(word) ?? host.resolveHost(decoded(word));
  if (address === undefined) throw new OptionError(`unknown host: ${decoded(word)}`);
  if (isBadAddress(address)) throw new OptionError(`bad ${end} IP address ${formatIpv4(address)}`);
  return address === 0 ? undefined : address;
}

const addresses = row({
  name: "IP addresses",
  about: "our address and the peer's, OURS:THEIRS; either may be left out",
  argument: false,
  takes: (word) => word.includes(":"),
  fields: {
    /** Undefined: unknown, the peer names it. */
    ourAddress: unset<number>(),
    /** "hostname": a default that the peer may change. */
    ourAddressFrom: oneOf<"given" | "hostname" | "none">("none"),
    peerAddress: unset<number>(),
    /** The priority of each side of the pair. */
    ourAddressPriority: 0,
    peerAddressPriority: 0,
  },
  shares: [remotename],
  set(setting, pair) {
    const { draft, priority } = setting;
    const colon = pair.indexOf(":");
    const our = pair.slice(0, colon);
    const peer = pair.slice(colon + 1);
    if (our !== "" && priority >= draft.ourAddressPriority) {
      const address = endAddress(setting, our, "local");
      if (address !== undefined) {
        draft.ourAddress = address;
        draft.ourAddressFrom = "given";
      }
      draft.ourAddressPriority = priority;
    }
    if (peer !== "" && priority >= draft.peerAddressPriority) {
      const address = endAddress(setting, peer, "remote");
      if (parseIpv4(peer) === undefined && draft.remotename === "") draft.remotename = encoded(decoded(peer));
      if (address !== undefined) draft.peerAddress = address;
      draft.peerAddressPriority = priority;
    }
  },
  value: ({ ourAddress, peerAddress }) =>
    (ourAddress === undefined ? "" : formatIpv4(ourAddress)) +
    ":" +
    (peerAddress === undefined ? "" : formatIpv4(peerAddress)),
});

/** An option that names a server for the peer. The last two count, and the earlier of them is preferred. */
function server<Key extends "msDns" | "msWins">(
  name: string,
  key: Key,
  about: string,
): Row<Record<Key, readonly number[]>> {
  return row({
    name,
    rules: LIST,
    about,
    fields: field(key, list<number>()),
    set({ draft, host }, word) {
      const address = parseIpv4(word) ?? host.resolveHost(decoded(word));
      if (address === undefined)
        throw new OptionError(`invalid address parameter '${decoded(word)}' for ${name} option`);
      draft[key] = [...draft[key].slice(-1), address];
    },
  });
}

const addressPair = row({
  name: "address-pair",
  rules: PRIORITY,
  about: "private addresses that are free on both machines; N: which of a list, the first is the HOWTO's",
  fields: {
    /** From 1 on. 0: take the peer's, but not those of a network that this machine reaches otherwise. */
    addressPair: unset<number>(),
  },
  set({ draft }, word) {
    const value = wholeNumber("address-pair", word);
    checkLimits("address-pair", value, { min: 0, max: 64 });
    draft.addressPair = value;
  },
  value: (fields) => String(fields.addressPair ?? 0),
});

export const netmask = row({
  name: "netmask",
  rules: PRIORITY,
  about: "the interface's netmask",
  fields: { netmask: unset<number>() },
  set({ draft }, word) {
    const mask = parseNetmask(word);
    if (mask === undefined) throw new OptionError(`invalid netmask value '${decoded(word)}'`);
    draft.netmask = mask;
  },
  value: (fields) => formatIpv4(fields.netmask ?? 0),
});

/** Four dotted numbers, or one number for the whole mask. The bits that a mask must have are required. */
function parseNetmask(word: string): number | undefined {
  let mask = 0;
  let at = 0;
  for (const shift of [24, 16, 8, 0]) {
    const part = scanNumber(word, 0, at);
    if (part === undefined) return undefined;
    const value = toUint32(part.value);
    at = part.end;
    if (value > 255) return shift === 24 && at === word.length ? value : undefined;
    mask += value * 2 ** shift;
    if (shift === 0) break;
    if (word[at++] !== ".") return undefined;
  }
  return at === word.length ? mask : undefined;
}

const vjMaxSlots = row({
  name: "vj-max-slots",
  rules: PRIORITY,
  about: "how many connections header compression (VJ) remembers",
  fields: { vjMaxSlots: 16 },
  set({ draft }, word) {
    const value = wholeNumber("vj-max-slots", word);
    checkLimits("vj-max-slots", value, { min: 2, max: 16 });
    draft.vjMaxSlots = value;
  },
  value: (fields) => String(fields.vjMaxSlots),
});

export const noip = flag("noip", "noip", 0, "no IP");
const novj = flag("novj", "novj", 0, "no Van Jacobson header compression");
const novjccomp = flag("novjccomp", "novjccomp", 0, "no connection-ID compression in VJ header compression");
const nodefaultroute = sets(
  "nodefaultroute",
  0,
  "forbid the defaultroute option",
  { nodefaultroute: true, defaultroute: false },
  {
    fields: {
      /** True when defaultroute is forbidden. */
      nodefaultroute: false,
      defaultroute: false,
    },
  },
);
const noproxyarp = sets(
  "noproxyarp",
  0,
  "forbid the proxyarp option",
  { noproxyarp: true, proxyarp: false },
  { fields: { noproxyarp: false, proxyarp: false } },
);
const replacedefaultroute = flag(
  "replacedefaultroute",
  "replacedefaultroute",
  PRIVILEGED,
  "with defaultroute: replace an existing default route",
);

export const IPCP = [
  noip,
  alias(noip, "-ip"),
  novj,
  alias(novj, "-vj"),
  novjccomp,
  alias(novjccomp, "-vjccomp"),
  vjMaxSlots,
  // The next two are also set when the address was not given (by checkOptions).
  flag("ipcp-accept-local", "acceptLocal", 0, "accept the peer's choice of our address"),
  flag("ipcp-accept-remote", "acceptRemote", 0, "accept the peer's choice of its own address"),
  text("ipparam", "ipparam", PRIORITY, "a word to pass to the scripts"),
  flag("noipdefault", "noipdefault", 0, "do not take our address from our host name"),
  server("ms-dns", "msDns", "a name server for the peer"),
  server("ms-wins", "msWins", "a WINS server for the peer"),
  number("ipcp-restart", "ipcpRestart", 3, PRIORITY, "seconds between two IPCP requests", { min: 1, outside: "moved" }),
  number("ipcp-max-terminate", "ipcpMaxTerminate", 2, PRIORITY, "how many IPCP terminate requests to send"),
  number("ipcp-max-configure", "ipcpMaxConfigure", 10, PRIORITY, "how many IPCP configure requests to send"),
  number("ipcp-max-failure", "ipcpMaxFailure", 100, PRIORITY, "how many IPCP naks to send before a reject"),
  sets(
    "defaultroute",
    0,
    "make the link the default route",
    { defaultroute: true },
    { shares: [nodefaultroute], disabledBy: nodefaultroute },
  ),
  nodefaultroute,
  alias(nodefaultroute, "-defaultroute"),
  replacedefaultroute,
  sets(
    "noreplacedefaultroute",
    0,
    "with defaultroute: keep an existing default route",
    { replacedefaultroute: false },
    { shares: [replacedefaultroute] },
  ),
  sets(
    "proxyarp",
    0,
    "answer ARP requests for the peer on the local network",
    { proxyarp: true },
    { shares: [noproxyarp], disabledBy: noproxyarp },
  ),
  noproxyarp,
  alias(noproxyarp, "-proxyarp"),
  flag("usepeerdns", "usepeerdns", 0, "ask the peer for name servers"),
  flag("usepeerwins", "usepeerwins", 0, "ask the peer for WINS servers"),
  flag("noresolvconf", "noresolvconf", 0, "do not write the peer's name servers to resolv.conf"),
  addressPair,
  netmask,
  flag("ipcp-no-addresses", "ipcpNoAddresses", 0, "never use the old form of address negotiation"),
  flag("ipcp-no-address", "ipcpNoAddress", 0, "do not negotiate addresses"),
  flag("noremoteip", "noremoteip", 0, "the peer need not have an address"),
  flag("nosendip", "nosendip", 0, "do not tell the peer our address"),
  addresses,
] as const;
