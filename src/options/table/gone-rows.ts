// Options that have no effect any more: IPX and EAP-SRP, and spellings of the first pppds.

import { GROUP, HIDDEN, PRIORITY } from "../row.ts";
import { alias, gone, sets } from "../row-kinds.ts";
import { noip } from "./ipcp-rows.ts";

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
const noipx = sets("noipx", PRIORITY, "no IPX, which does not exist here", {}, {});

/** At their place in a dump of 2.4.9. */
export const IPX = [
  noipx,
  alias(noipx, "-ipx", PRIORITY | GROUP),
  alias(noipx, "-ipx-protocol", PRIORITY | GROUP),
  ...IPX_PLAIN.map((name) => gone(name, false)),
  ...IPX_WITH_VALUE.map((name) => gone(name, true)),
] as const;

export const OLD = [
  gone("srp-interval", true),
  gone("srp-pn-secret", true),
  gone("srp-use-pseudonym", false),
  gone("pdebug", true),
  // For pppd 2.2 and the first 2.3. Without it, IP is enabled too.
  sets("+ip-protocol", HIDDEN, "IP", { noip: false }, { shares: [noip] }),
  sets("-ip-protocol", HIDDEN, "no IP", { noip: true }, { shares: [noip] }),
] as const;
