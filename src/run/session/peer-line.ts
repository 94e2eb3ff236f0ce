// What the peer's line of a secrets file says, once the peer has proved who it is: options, and its addresses.

import type { LinkConfig } from "../../link/link-host.ts";
import type { Link } from "../../link/link.ts";
import type { Log } from "../log.ts";
import type { Machine } from "../machine.ts";
import type { PacketPort } from "../packets/port.ts";
import type { Peers } from "../peers/peers.ts";
import { filtersOf, ipcpConfig } from "../settings/link-config.ts";
import type { OptionsInForce } from "../settings/options-in-force.ts";
import { peerServers } from "../share/peer-servers.ts";

export interface PeerLineHost {
  readonly machine: Machine;
  readonly options: OptionsInForce;
  readonly log: Log;
  readonly peers: Peers;
}

/** Applies the line to a link that has not begun its network phase. `linkConfig` is that of the link. */
export function applyPeerLine(
  { machine, options, log, peers }: PeerLineHost,
  link: Link,
  linkConfig: LinkConfig,
  packets: PacketPort,
): void {
  const problem = peers.applyOptions();
  if (problem !== undefined) log.write("error", problem);
  if (link.networks.up) return;
  // The peer's options make a new Config.
  const { config } = options;
  link.networks.filters = filtersOf(config);
  const { ipcp } = linkConfig.networks;
  const dialect = link.networks.ipcp;
  if (ipcp === undefined || dialect === undefined) return;
  Object.assign(ipcp, ipcpConfig(config, machine.network, peerServers(machine, config, packets)));
  dialect.wantPeer = peers.addressFor(ipcp.peer, packets.unit) ?? ipcp.peer;
}
