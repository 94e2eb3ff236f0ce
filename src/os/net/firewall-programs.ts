// Finds the programs that change the kernel's packet filter: nft, the two kinds of iptables, and firewalld's firewall-cmd.

import { readFileSync, realpathSync } from "node:fs";
import { attribute, namesIn } from "../process/sysfs.ts";

export interface FirewallTools {
  readonly nft: string | undefined;
  readonly iptables: readonly string[];
  readonly firewallCmd: string | undefined;
}

/** Nobody else chooses what runs as root. */
const PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin";

export function firewallTools(family: 4 | 6): FirewallTools {
  const firewallCmd = find("firewall-cmd");
  return {
    nft: find("nft"),
    iptables: iptablesPrograms(family === 4 ? "iptables" : "ip6tables", hasLegacyTables(family)),
    firewallCmd: firewallCmd !== undefined && isRunning("firewalld") ? firewallCmd : undefined,
  };
}

/** `iptables` is one of the two kinds, as the machine's administrator has chosen. Older systems have one kind only. */
function iptablesPrograms(name: string, hasTables: boolean): string[] {
  const [own, nft, legacy] = [name, `${name}-nft`, `${name}-legacy`].map(find);
  const wanted = [hasTables ? legacy : undefined, own, nft, own === undefined ? legacy : undefined];
  const programs = new Map<string, string>();
  for (const path of wanted) {
    if (path === undefined) continue;
    const program = realpathSync(path);
    if (!programs.has(program)) programs.set(program, path);
  }
  return [...programs.values()];
}

/** Tables of the older kind are there. To ask iptables-legacy would make them. */
function hasLegacyTables(family: 4 | 6): boolean {
  try {
    return (
      readFileSync(
        family === 4 ? "/proc/thread-self/net/ip_tables_names" : "/proc/thread-self/net/ip6_tables_names",
        "latin1",
      ) !== ""
    );
  } catch {
    return false;
  }
}

/** firewalld leaves no file that says so where systemd starts it. */
function isRunning(program: string): boolean {
  return namesIn("/proc").some((name) => /^\d+$/.test(name) && attribute(`/proc/${name}/comm`) === program);
}

function find(program: string): string | undefined {
  return Bun.which(program, { PATH }) ?? undefined;
}
