// Linux ignores Router Advertisements on an interface while it forwards IPv6, unless accept_ra of the interface is 2. An interface
// that took them before goes on doing so, and so do new ones, or this machine would lose its own way out.

import type { Machine } from "../machine.ts";
import { namesIn, switchOver } from "../packets/switched-parameter.ts";

const CONF = "net/ipv6/conf";
/** "default" is for interfaces that are yet to come. */
const OTHERS = ["all", "lo"];

/**
 * To be called before forwarding is switched on. `own` is the interface of the link, which takes none: the peer is no router of ours.
 * Returns what takes all back when no other session needs it. An interface that came meanwhile keeps 2, which means 1 where
 * forwarding is off.
 */
export function keepAcceptingRa(
  machine: Pick<Machine, "files" | "network" | "processes">,
  directory: string,
  own: string,
  isForwarding: boolean,
): () => void {
  const { files, network } = machine;
  network.writeSysctl(`${CONF}/${own}/accept_ra`, "0");
  const undo = namesIn(files, CONF).flatMap((name) => {
    if (OTHERS.includes(name) || name === own) return [];
    const sysctl = `${CONF}/${name}/accept_ra`;
    const value = network.readSysctl(sysctl);
    const accepts = value === "1" && !isForwarding && network.readSysctl(`${CONF}/${name}/forwarding`) === "0";
    // Another session may have switched it.
    if (!accepts && value !== "2") return [];
    return [switchOver(machine, directory, { name: `accept_ra-${name}`, sysctl, from: "1", to: "2" }).undo];
  });
  return () => {
    for (const step of undo) step();
  };
}
