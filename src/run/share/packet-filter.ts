// Makes and removes the rules of a link in the kernel's packet filter, by nft or iptables. What fails becomes a line of the log.

import type { Finding } from "../diagnose/finding.ts";
import type { ToolResult } from "../host/processes.ts";
import type { LogLevel } from "../log.ts";
import type { Machine } from "../machine.ts";
import { Ruleset, ruleText } from "./blocking-rule.ts";
import {
  filtersForwarded,
  forwardChain,
  iptablesAccept,
  iptablesExtras,
  iptablesRemoval,
  iptablesRules,
} from "./iptables-rules.ts";
import { nftExtras, nftRemoval, nftRules, nftTableName } from "./nft-rules.ts";
import { rulesName, type Sharing } from "./sharing.ts";
import { SystemTools } from "./system-tools.ts";

/** Another program may hold the lock of iptables for so long. */
const LOCK_SECONDS = "50";

/** A longer list of rules, as Kubernetes makes it, would hold up the lines while we look through it. */
const MOST_RULES = 4_000_000;

type FilterMachine = Pick<Machine, "network" | "processes">;

interface Removal {
  /** What the rules were part of, for the log. */
  readonly parts: readonly string[];
  /** No rule of the link is left. */
  readonly isComplete: boolean;
}

export class PacketFilter {
  readonly #machine: FilterMachine;
  readonly #tools: SystemTools;
  readonly #log: (level: LogLevel, text: string) => void;

  constructor(machine: FilterMachine, log: (level: LogLevel, text: string) => void) {
    this.#machine = machine;
    this.#tools = new SystemTools(machine.processes, log);
    this.#log = log;
  }

  /** Returns what the rules are part of, for the log. Undefined: none could be made. */
  async make(sharing: Sharing): Promise<string | undefined> {
    const { nft, iptables } = this.#machine.network.firewallTools(sharing.family);
    if (nft !== undefined && (await this.#tools.succeeds([nft, "-f", "-"], nftRules(sharing)))) {
      for (const extra of nftExtras(sharing)) this.#tools.tried(await this.#tools.run([nft, "-f", "-"], extra));
      for (const program of iptables) await this.#accept(program, sharing);
      return `nft's table ${nftTableName(sharing)}`;
    }
    const [program] = iptables;
    if (program !== undefined && (await this.#makeByIptables(program, sharing))) {
      for (const other of iptables.slice(1)) await this.#accept(other, sharing);
      return program.split("/").at(-1);
    }
    if (nft === undefined && program === undefined)
      this.#log("error", "share: neither nft nor iptables is installed (Debian: apt-get install nftables)");
    return undefined;
  }

  /**
   * Makes the rules again if another program has removed some, or if a firewall has started since that needs more. Undefined: they
   * are complete. False: they cannot be made again.
   */
  async renew(sharing: Sharing): Promise<boolean | undefined> {
    if (await this.#isComplete(sharing)) return undefined;
    await this.remove(sharing);
    return (await this.make(sharing)) !== undefined;
  }

  /** firewalld has forgotten the interface, as it does when it is reloaded. To ask its own tool would take long. */
  async isForgotten({ family, ifname }: Sharing): Promise<boolean> {
    const { nft } = this.#machine.network.firewallTools(family);
    if (nft === undefined) return false;
    const { exitCode, output } = await this.#tools.run([nft, "list", "table", "inet", "firewalld"]);
    return exitCode === 0 && !output.includes(`"${ifname}"`);
  }

  async #isComplete(sharing: Sharing): Promise<boolean> {
    const { nft, iptables } = this.#machine.network.firewallTools(sharing.family);
    const table = nftTableName(sharing).split(" ");
    let isThere = nft !== undefined && (await this.#tools.run([nft, "list", "table", ...table])).exitCode === 0;
    for (const program of iptables) {
      const saved = (await this.#tools.run([`${program}-save`, "-t", "filter"])).output;
      if (iptablesRemoval(saved, sharing) !== undefined) isThere = true;
      else if (filtersForwarded(saved)) return false;
    }
    return isThere;
  }

  /** The rule of another program that drops the peer's packets, or the answers to them. `outside` is where they go. */
  async findBlocking({ family, ifname, from }: Sharing, outside: string | undefined): Promise<Finding | undefined> {
    const { nft } = this.#machine.network.firewallTools(family);
    if (nft === undefined || from === undefined) return undefined;
    const { exitCode, output } = await this.#tools.run([nft, "-j", "list", "ruleset"]);
    if (exitCode !== 0 || output.length > MOST_RULES) return undefined;
    const rules = new Ruleset(output);
    const out = rules.blocks({ family, iifname: ifname, oifname: outside, source: from, state: "new" });
    const back = { family, iifname: outside, oifname: ifname, source: undefined, state: "established" } as const;
    const found = out ?? rules.blocks(back);
    if (found === undefined) return undefined;
    const where = `table ${found.table}, chain ${found.chain}`;
    const listed = ["-a", "list", "chain", ...found.table.split(" "), found.chain];
    const text =
      found.handle === undefined
        ? "its policy"
        : `"${ruleText((await this.#tools.run([nft, ...listed])).output, found.handle) ?? `rule ${found.handle}`}"`;
    const pass =
      out === undefined ? `oifname ${ifname} ct state established,related accept` : `iifname ${ifname} accept`;
    // Only firewalld changes its table.
    const step =
      found.table === "inet firewalld"
        ? `firewall-cmd --zone=trusted --change-interface=${ifname}`
        : `nft insert rule ${found.table} ${found.chain} ${pass}`;
    return {
      code: "share-blocked",
      severity: "warning",
      text: `share: a rule of another program drops ${out === undefined ? "the answers to the peer" : "the peer's packets"}: ${text} of ${where}`,
      remedy: `as root: ${step}`,
    };
  }

  /** Removes all rules of the link that are there. */
  async remove(link: Pick<Sharing, "family" | "index">): Promise<Removal> {
    const { nft, iptables } = this.#machine.network.firewallTools(link.family);
    const parts: string[] = [];
    let isComplete = true;
    if (nft !== undefined) {
      const { exitCode, complaint } = await this.#tools.run([nft, "-f", "-"], nftRemoval(link));
      // Somebody has flushed all rules, or iptables has made ours.
      if (exitCode === 0) parts.push(`nft's table ${nftTableName(link)}`);
      else if (!complaint.includes("No such file or directory")) {
        this.#tools.failed(nft, complaint);
        isComplete = false;
      }
    }
    for (const program of iptables) {
      const removal = iptablesRemoval(await this.#saved(program), link);
      if (removal === undefined) continue;
      if (await this.#restore(program, removal))
        parts.push(`${program.split("/").at(-1)}'s rules of ${rulesName(link)}`);
      else isComplete = false;
    }
    return { parts, isComplete };
  }

  async #makeByIptables(program: string, sharing: Sharing): Promise<boolean> {
    const rules = iptablesRules(sharing, forwardChain(await this.#saved(program)));
    if (!(await this.#restore(program, rules))) return false;
    for (const extra of iptablesExtras(sharing)) this.#tools.tried(await this.#runRestore(program, extra));
    return true;
  }

  /** Lets the peer's packets pass the filter that this kind of iptables has, if it has one. */
  async #accept(program: string, sharing: Sharing): Promise<void> {
    const saved = await this.#saved(program);
    if (filtersForwarded(saved)) await this.#restore(program, iptablesAccept(sharing, forwardChain(saved)));
  }

  async #saved(program: string): Promise<string> {
    return (await this.#tools.run([`${program}-save`])).output;
  }

  async #restore(program: string, rules: string): Promise<boolean> {
    const { exitCode, complaint } = await this.#runRestore(program, rules);
    if (exitCode !== 0) this.#tools.failed(`${program}-restore`, complaint);
    return exitCode === 0;
  }

  async #runRestore(program: string, rules: string): Promise<ToolResult> {
    const argv = [`${program}-restore`, "--noflush"] as const;
    const result = await this.#tools.run([...argv, "-w", LOCK_SECONDS], rules);
    // Before 1.6.2 there is no such option.
    const isOld = result.exitCode !== 0 && /(?:unknown|unrecognized|invalid) option/.test(result.complaint);
    return isOld ? this.#tools.run(argv, rules) : result;
  }
}
