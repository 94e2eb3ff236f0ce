// The options of pppd's plugin for PPPoE (rp-pppoe.so, pppoe.so). Here the program pppoe(8) has the session (pppoe-line.ts).

import { decoded } from "../../bytes/text.ts";
import type { OptionHost } from "../host.ts";
import { quoted } from "../quoted.ts";
import { DEVICE, INIT_ONLY, PRIVFIX, type Row, row, unset } from "../row.ts";
import { alias, number, ofPlugin, text } from "../row-kinds.ts";

/** What pppd's own users of the plugin, NetworkManager for one, put before the name of an interface. */
const PREFIX = "nic-";

function interfaceName(word: string): string {
  const name = decoded(word);
  return name.length > PREFIX.length && name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
}

const ETHERNET_ADDRESS = 6;

function of<Own extends object>(own: Row<Own>): Row<Own> {
  return ofPlugin("rp-pppoe.so", own);
}

const device = row({
  name: "PPPoE device name",
  rules: PRIVFIX | INIT_ONLY | DEVICE,
  about: "an Ethernet interface: PPPoE on it",
  argument: false,
  takes: (word: string, host: OptionHost) => host.hardwareAddress(interfaceName(word))?.length === ETHERNET_ADDRESS,
  fields: {
    /** The interface of PPPoE. */
    pppoeInterface: unset<string>(),
  },
  set({ draft }, word) {
    draft.pppoeInterface = interfaceName(word);
  },
  value: ({ pppoeInterface }) => quoted(pppoeInterface ?? ""),
});

const service = of(text("pppoe-service", "pppoeService", 0, "the name of the service"));
const concentrator = of(text("pppoe-ac", "pppoeAc", 0, "the name of the access concentrator"));
const session = of(text("pppoe-sess", "pppoeSess", 0, "a session that is there already, as number:address"));
const mac = of(text("pppoe-mac", "pppoeMac", 0, "the address of the access concentrator"));
const hostUniq = of(text("pppoe-host-uniq", "pppoeHostUniq", 0, "the Host-Uniq tag, in hex"));
const verbose = of(number("pppoe-verbose", "pppoeVerbose", 0, 0, "show the access concentrators"));

export const PPPOE = [
  of(device),
  service,
  alias(service, "rp_pppoe_service"),
  concentrator,
  alias(concentrator, "rp_pppoe_ac"),
  session,
  alias(session, "rp_pppoe_sess"),
  mac,
  hostUniq,
  alias(hostUniq, "host-uniq"),
  verbose,
  alias(verbose, "rp_pppoe_verbose"),
  of(number("pppoe-padi-timeout", "pppoePadiTimeout", 5, 0, "seconds to wait for the first offer")),
  of(number("pppoe-padi-attempts", "pppoePadiAttempts", 3, 0, "how often to ask for offers")),
] as const;
