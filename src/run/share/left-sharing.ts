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

/** Never rejects. */
export async function undoSharing(
  machine: Pick<Machine, "network" | "processes">,
  what: LeftSharing,
  log: (level: LogLevel, text: string) => void,
): Promise<void> {
  const { network, processes } = machine;
  if ("rules" in what) {
    for (const part of await new PacketFilter(machine, log).remove(what.rules))
      log("notice", `Removed ${part} of a killed pppd`);
    return;
  }
  const { firewallCmd } = network.firewallTools(4);
  const { name, index } = what.member;
  // Another interface may have the name by now, and the zone for it.
  const isOurs = (): boolean => (network.interfaces.find(name)?.index ?? index) === index;
  if (firewallCmd === undefined || !isOurs()) return;
  const firewalld = new Firewalld(new SystemTools(processes, log), firewallCmd);
  if (await firewalld.remove(what.zone, name, isOurs))
    log("notice", `Removed ${name} of a killed pppd from firewalld's zone ${what.zone}`);
}
