// Options of IP: addresses, routes, name servers.

import { OptionError } from "../error.ts";
import { formatIpv4, isBadAddress, parseIpv4, scanNumber, toUint32 } from "../numbers.ts";
import {
  alias,
  checkLimits,
  decoded,
  encoded,
  flag,
  LIST,
  number,
  PRIORITY,
  PRIVILEGED,
  special,
  text,
  wholeNumber,
  type Row,
  type Setting,
} from "../row.ts";

/** The address of one end, or undefined for 0.0.0.0: not known. */
function endAddress({ host }: Setting, word: string, end: "local" | "remote"): number | undefined {
  const address = parseIpv4(word) ?? host.resolveHost(decoded(word));
  if (address === undefined) throw new OptionError(`unknown host: ${decoded(word)}`);
  if (isBadAddress(address)) throw new OptionError(`bad ${end} IP address ${formatIpv4(address)}`);
  return address === 0 ? undefined : address;
}

function setAddresses(setting: Setting, pair: string): void {
  const { config, priority } = setting;
  const colon = pair.indexOf(":");
  const our = pair.slice(0, colon);
  const peer = pair.slice(colon + 1);
  if (our !== "" && priority >= config.ourAddressPriority) {
    const address = endAddress(setting, our, "local");
    if (address !== undefined) Object.assign(config, { ourAddress: address, ourAddressFrom: "given" });
    config.ourAddressPriority = priority;
  }
  if (peer !== "" && priority >= config.peerAddressPriority) {
    const address = endAddress(setting, peer, "remote");
    if (parseIpv4(peer) === undefined && config.remotename === "") config.remotename = encoded(decoded(peer));
    if (address !== undefined) config.peerAddress = address;
    config.peerAddressPriority = priority;
  }
}

const ADDRESSES: Row = {
  name: "IP addresses",
  rules: 0,
  about: "our address and the peer's, OURS:THEIRS; either may be left out",
  argument: false,
  takes: (word) => word.includes(":"),
  set: setAddresses,
  value: ({ ourAddress, peerAddress }) =>
    (ourAddress === undefined ? "" : formatIpv4(ourAddress)) +
    ":" +
    (peerAddress === undefined ? "" : formatIpv4(peerAddress)),
};

/** An option that names a server to tell the peer about: the two last given count, the earlier is the first choice. */
function server(name: "ms-dns" | "ms-wins", key: "msDns" | "msWins", about: string): Row {
  return special(name, LIST, about, ({ config, host }, word) => {
    const address = parseIpv4(word) ?? host.resolveHost(decoded(word));
    if (address === undefined) throw new OptionError(`invalid address parameter '${decoded(word)}' for ${name} option`);
    config[key] = [...config[key].slice(-1), address];
  });
}

/** Dotted numbers, or one number for the whole mask; bits we cannot do without must be in it. */
function setNetmask({ config }: Setting, word: string): void {
  const mask = netmask(word);
  if (mask === undefined) throw new OptionError(`invalid netmask value '${decoded(word)}'`);
  config.netmask = mask;
}

function netmask(word: string): number | undefined {
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

const noip = flag("noip", 0, "no IP", { noip: true });
const novj = flag("novj", 0, "no Van Jacobson header compression", { novj: true });
const novjccomp = flag("novjccomp", 0, "no connection-ID compression in it", { novjccomp: true });
const nodefaultroute = flag("nodefaultroute", 0, "forbid the defaultroute option", {
  nodefaultroute: true,
  defaultroute: false,
});
const noproxyarp = flag("noproxyarp", 0, "forbid the proxyarp option", { noproxyarp: true, proxyarp: false });

export const IPCP: readonly Row[] = [
  noip,
  alias(noip, "-ip"),
  novj,
  alias(novj, "-vj"),
  novjccomp,
  alias(novjccomp, "-vjccomp"),
  special(
    "vj-max-slots",
    PRIORITY,
    "connections that header compression remembers",
    ({ config }, word) => {
      const value = wholeNumber("vj-max-slots", word);
      checkLimits("vj-max-slots", value, { min: 2, max: 16 });
      config.vjMaxSlots = value;
    },
    (config) => String(config.vjMaxSlots),
  ),
  flag("ipcp-accept-local", 0, "take the address the peer has for us", { acceptLocal: true }),
  flag("ipcp-accept-remote", 0, "take the address the peer has for itself", { acceptRemote: true }),
  text("ipparam", "ipparam", PRIORITY, "a word for the scripts"),
  flag("noipdefault", 0, "our host name does not tell our address", { noipdefault: true }),
  server("ms-dns", "msDns", "a name server for the peer"),
  server("ms-wins", "msWins", "a WINS server for the peer"),
  number("ipcp-restart", "ipcpRestart", PRIORITY, "seconds between two IPCP requests", { min: 1, outside: "moved" }),
  number("ipcp-max-terminate", "ipcpMaxTerminate", PRIORITY, "how many IPCP terminate requests to send"),
  number("ipcp-max-configure", "ipcpMaxConfigure", PRIORITY, "how many IPCP configure requests to send"),
  number("ipcp-max-failure", "ipcpMaxFailure", PRIORITY, "how many IPCP naks before a reject"),
  flag("defaultroute", 0, "route everything else through the link", { defaultroute: true }, "nodefaultroute"),
  nodefaultroute,
  alias(nodefaultroute, "-defaultroute"),
  flag("replacedefaultroute", PRIVILEGED, "do so even if there is such a route already", { replacedefaultroute: true }),
  flag("noreplacedefaultroute", 0, "leave such a route alone", { replacedefaultroute: false }),
  flag("proxyarp", 0, "answer for the peer on the local network", { proxyarp: true }, "noproxyarp"),
  noproxyarp,
  alias(noproxyarp, "-proxyarp"),
  flag("usepeerdns", 0, "ask the peer for name servers", { usepeerdns: true }),
  flag("usepeerwins", 0, "ask the peer for WINS servers", { usepeerwins: true }),
  flag("noresolvconf", 0, "do not write the peer's name servers to resolv.conf", { noresolvconf: true }),
  special("netmask", PRIORITY, "the interface's netmask", setNetmask, ({ netmask = 0 }) => formatIpv4(netmask)),
  flag("ipcp-no-addresses", 0, "never use the old form of address negotiation", { ipcpNoAddresses: true }),
  flag("ipcp-no-address", 0, "do not negotiate addresses", { ipcpNoAddress: true }),
  flag("noremoteip", 0, "the peer need not have an address", { noremoteip: true }),
  flag("nosendip", 0, "do not tell the peer our address", { nosendip: true }),
  ADDRESSES,
];
