// Finds the programs that change the kernel's packet filter: nft, the two kinds of iptables, and firewalld's firewall-cmd.

import { readFileSync, readlinkSync, realpathSync } from "node:fs";
import { attribute, namesIn } from "../process/sysfs.ts";
import { TOOL_PATH } from "../process/tool-path.ts";

export interface FirewallTools {
  readonly nft: string | undefined;
  readonly iptables: readonly string[];
  readonly firewallCmd: string | undefined;
}

/** Paths of programs that were found. */
const paths = new Map<string, string>();

export function firewallTools(family: 4 | 6): FirewallTools {
  return {
    nft: find("nft"),
    iptables: iptablesPrograms(family === 4 ? "iptables" : "ip6tables", hasLegacyTables(family)),
    // To look for firewalld is to read the names of all processes.
    get firewallCmd() {
      const firewallCmd = find("firewall-cmd");
      return firewallCmd !== undefined && runsHere("firewalld") ? firewallCmd : undefined;
    },
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

/**
 * True when a process of this name is in our network namespace: the firewalld of a container has another packet filter. firewalld
 * leaves no file that says that it runs where systemd starts it.
 */
export function runsHere(program: string): boolean {
  const ours = namespaceOf("thread-self");
  return namesIn("/proc").some(
    (name) => /^\d+$/.test(name) && attribute(`/proc/${name}/comm`) === program && namespaceOf(name) === ours,
  );
}

/** Undefined: the process is gone, or is none of ours to look at. */
function namespaceOf(process: string): string | undefined {
  try {
    return readlinkSync(`/proc/${process}/ns/net`);
  } catch {
    return undefined;
  }
}

function find(program: string): string | undefined {
  const path = paths.get(program) ?? Bun.which(program, { PATH: TOOL_PATH }) ?? undefined;
  if (path !== undefined) paths.set(program, path);
  return path;
}
