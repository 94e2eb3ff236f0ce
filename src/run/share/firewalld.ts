// firewalld drops forwarded packets of interfaces in most of its zones, and no rule of another program changes that. So the link's
// interface goes into a zone that lets them pass: by firewall-cmd, at runtime only.

import type { SystemTools } from "./system-tools.ts";

/** A zone of NetworkManager for such links: all is forwarded, and only some services of this machine are reached. */
const SHARED = "nm-shared";
/** In every firewalld: all is forwarded, and all services of this machine are reached. */
const TRUSTED = "trusted";

/** The exit code of firewall-cmd where the firewalld that runs is that of another container. */
const NOT_RUNNING = 252;

export class Firewalld {
  readonly #tools: SystemTools;
  readonly #firewallCmd: string;

  constructor(tools: SystemTools, firewallCmd: string) {
    this.#tools = tools;
    this.#firewallCmd = firewallCmd;
  }

  /**
   * The zone that the interface should be in: that of the interface which leads outside, if it masquerades, or one for such
   * links. Undefined: somebody has chosen one.
   */
  async zoneFor(ifname: string, outside: string | undefined): Promise<string | undefined> {
    const { exitCode } = await this.#tools.run([this.#firewallCmd, `--get-zone-of-interface=${ifname}`]);
    if (exitCode === 0 || exitCode === NOT_RUNNING) return undefined;
    const outer = outside === undefined ? undefined : await this.#ask(`--get-zone-of-interface=${outside}`);
    if (outer !== undefined && isForwarding((await this.#ask(`--zone=${outer}`, "--list-all")) ?? "")) return outer;
    const zones = (await this.#ask("--get-zones")) ?? "";
    return zones.split(/\s+/).includes(SHARED) ? SHARED : TRUSTED;
  }

  add(zone: string, ifname: string): Promise<boolean> {
    return this.#tools.succeeds([this.#firewallCmd, `--zone=${zone}`, `--add-interface=${ifname}`]);
  }

  /** Does nothing when it is not in that zone any more: somebody may have reloaded firewalld. */
  async remove(zone: string, ifname: string): Promise<boolean> {
    if ((await this.#ask(`--get-zone-of-interface=${ifname}`)) !== zone) return false;
    return this.#tools.succeeds([this.#firewallCmd, `--zone=${zone}`, `--remove-interface=${ifname}`]);
  }

  /** Undefined: there is no answer. */
  async #ask(...words: readonly string[]): Promise<string | undefined> {
    const { exitCode, output } = await this.#tools.run([this.#firewallCmd, ...words]);
    return exitCode === 0 ? output.trim() : undefined;
  }
}

/** `listed` is what `--list-all` says. Before firewalld 0.9, a zone that masquerades forwards, and "forward:" is unknown. */
function isForwarding(listed: string): boolean {
  return /^\s*masquerade: yes$/m.test(listed) && !/^\s*forward: no$/m.test(listed);
}
