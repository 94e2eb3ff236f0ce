// Takes back what a killed session has left in the packet filter and in firewalld. Sessions that find nothing do not load this file.

import type { NetDevice } from "../host/interfaces.ts";
import type { LogLevel } from "../log.ts";
import type { Machine } from "../machine.ts";
import { Firewalld } from "./firewalld.ts";
import { PacketFilter } from "./packet-filter.ts";
import { SystemTools } from "./system-tools.ts";

export type LeftSharing =
  | { readonly rules: { readonly family: 4 | 6; readonly index: number } }
  | { readonly zone: string; readonly member: NetDevice };

/** Never rejects. False: something is still there. */
export async function undoSharing(
  machine: Pick<Machine, "network" | "processes">,
  what: LeftSharing,
  log: (level: LogLevel, text: string) => void,
): Promise<boolean> {
  const { network, processes } = machine;
  if ("rules" in what) {
    const { parts, isComplete } = await new PacketFilter(machine, log).remove(what.rules);
    for (const part of parts) log("notice", `Removed ${part} of a killed pppd`);
    return isComplete;
  }
  const { firewallCmd } = network.firewallTools(4);
  const { name, index } = what.member;
  // Another interface may have the name by now, and the zone for it.
  const isOurs = (): boolean => (network.interfaces.find(name)?.index ?? index) === index;
  if (firewallCmd === undefined || !isOurs()) return true;
  const firewalld = new Firewalld(new SystemTools(processes, log), firewallCmd);
  const outcome = await firewalld.remove(what.zone, name, isOurs);
  if (outcome === "removed") log("notice", `Removed ${name} of a killed pppd from firewalld's zone ${what.zone}`);
  return outcome !== "failed";
}
