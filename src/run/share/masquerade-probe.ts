// Asks whether this machine's kernel masquerades, without a change of its packet filter.

import type { Machine } from "../machine.ts";
import { SystemTools } from "./system-tools.ts";

/** nft checks it and does not carry it out. */
const TABLE = `table ip nullmodem-probe {
  chain outgoing {
    type nat hook postrouting priority 100
    masquerade
  }
}
`;
/** iptables: another program has its lock. */
const LOCKED = 4;

/** False: programs are there, but the kernel refuses what they ask for. */
export async function kernelMasquerades({
  network,
  processes,
}: Pick<Machine, "network" | "processes">): Promise<boolean> {
  const programs = network.firewallTools(4);
  const { nft, iptables } = programs;
  const tools = new SystemTools(processes, () => {});
  if (nft !== undefined && (await tools.run([nft, "-c", "-f", "-"], TABLE)).exitCode === 0) return true;
  for (const program of iptables) {
    const { exitCode } = await tools.run([program, "-t", "nat", "-S", "POSTROUTING"]);
    if (exitCode === 0 || exitCode === LOCKED) return true;
  }
  return nft === undefined && iptables.length === 0 && programs.firewallCmd !== undefined;
}
