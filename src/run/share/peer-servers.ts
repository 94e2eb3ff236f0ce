// The name servers that IPCP names to the peer of a link that shares the network (RFC 1877). `ms-dns` overrides them.

import { parsePrefixes } from "../../bytes/prefix.ts";
import type { ServerAddress } from "../../control/options/ipcp/server-addresses.ts";
import type { Config } from "../../options/config.ts";
import { Destinations } from "../../stack/destinations.ts";
import type { Machine } from "../machine.ts";
import type { PacketPort } from "../packets/port.ts";
import { offeredServers, Resolvers } from "./resolvers.ts";

/** Empty: the link does not share. */
export function peerServers(
  machine: Pick<Machine, "clock" | "files">,
  { share, usernet, shareAllow, shareDeny }: Config,
  { relaysNames }: Pick<PacketPort, "relaysNames">,
): ServerAddress[] {
  if (relaysNames) return ["ours"];
  if (!share && !usernet) return [];
  const destinations = new Destinations(parsePrefixes(shareAllow), parsePrefixes(shareDeny));
  return offeredServers(new Resolvers(machine).now, destinations);
}
