// Options that lost their meaning: IPX and EAP-SRP, spellings of the first pppds, and the options of plugins.

import { alias, flag, GONE, HIDDEN, LATER, special, type Row } from "../row.ts";

function gone(name: string, argument: boolean): Row {
  return { ...special(name, HIDDEN | GONE, "no effect any more", () => {}), argument };
}

/** An option of a plugin; this program has none to load yet. */
function plugin(name: string, argument: boolean): Row {
  return { ...special(name, HIDDEN | LATER, "an option of a plugin", () => {}), argument };
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
const noipx = flag("noipx", 0, "no IPX: there is none", {});

/** Where a dump of 2.4.9 has them. */
export const IPX: readonly Row[] = [
  noipx,
  alias(noipx, "-ipx"),
  alias(noipx, "-ipx-protocol"),
  ...IPX_PLAIN.map((name) => gone(name, false)),
  ...IPX_WITH_VALUE.map((name) => gone(name, true)),
];

export const OLD: readonly Row[] = [
  gone("srp-interval", true),
  gone("srp-pn-secret", true),
  gone("srp-use-pseudonym", false),
  gone("pdebug", true),
  gone("promptprog", true),
  // pppd 2.2 and the first 2.3: IP is on without it.
  flag("+ip-protocol", HIDDEN, "IP", { noip: false }),
  flag("-ip-protocol", HIDDEN, "no IP", { noip: true }),
];

const WITH_VALUE =
  `pppoe-service rp_pppoe_service pppoe-ac rp_pppoe_ac pppoe-sess rp_pppoe_sess pppoe-verbose rp_pppoe_verbose pppoe-mac
pppoe-host-uniq host-uniq pppoe-padi-timeout pppoe-padi-attempts pppol2tp pppol2tp_debug_mask pppol2tp_ifname
pppol2tp_reorderto pppol2tp_session_id pppol2tp_tunnel_id qos passwordfd minconnect radius-config-file avpair
realms-config-file ntlm_auth-helper dhcpv6-metric dhcpv6-ra-intvl dhcpv6-server`.split(/\s+/);
const PLAIN =
  `pppol2tp_lns_mode pppol2tp_recv_seq pppol2tp_send_seq llc-encaps vc-encaps map-to-ttyname map-to-ifname dhcpv6-trusted
dhcpv6-untrusted`.split(/\s+/);

export const PLUGINS: readonly Row[] = [
  ...WITH_VALUE.map((name) => plugin(name, true)),
  ...PLAIN.map((name) => plugin(name, false)),
];
