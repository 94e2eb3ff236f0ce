// Options that lost their meaning: IPX and EAP-SRP, and spellings of the first pppds.

import { alias, flag, GONE, GROUP, HIDDEN, PRIORITY, special, type Row } from "../row.ts";

function gone(name: string, argument: boolean): Row {
  return { ...special(name, HIDDEN | GONE, "no effect any more", () => {}), argument };
}

const IPX_WITH_VALUE = [
  "ipx-network",
  "ipx-node",
  "ipx-router-name",
  "ipx-routing",
  "ipx-compression",
  "ipxcp-restart",
  "ipxcp-max-configure",
  "ipxcp-max-failure",
  "ipxcp-max-terminate",
];
const IPX_PLAIN = ["ipx", "+ipx", "+ipx-protocol", "ipxcp-accept-local", "ipxcp-accept-network", "ipxcp-accept-remote"];
const noipx = flag("noipx", PRIORITY, "no IPX: there is none", {});

/** Where a dump of 2.4.9 has them. */
export const IPX: readonly Row[] = [
  noipx,
  alias(noipx, "-ipx", PRIORITY | GROUP),
  alias(noipx, "-ipx-protocol", PRIORITY | GROUP),
  ...IPX_PLAIN.map((name) => gone(name, false)),
  ...IPX_WITH_VALUE.map((name) => gone(name, true)),
];

export const OLD: readonly Row[] = [
  gone("srp-interval", true),
  gone("srp-pn-secret", true),
  gone("srp-use-pseudonym", false),
  gone("pdebug", true),
  // pppd 2.2 and the first 2.3: IP is on without it.
  flag("+ip-protocol", HIDDEN, "IP", { noip: false }),
  flag("-ip-protocol", HIDDEN, "no IP", { noip: true }),
];
