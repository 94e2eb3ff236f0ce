// firewalld drops forwarded packets of interfaces in most of its zones, and no rule of another program changes that. So the link's
// interface goes into a zone that lets them pass: by firewall-cmd, at runtime only.

import type { SystemTools } from "./system-tools.ts";

/** A zone of NetworkManager for such links: all is forwarded, and only some services of this machine are reached. */
const SHARED = "nm-shared";
/** In every firewalld: all is forwarded, and all services of this machine are reached. */
const TRUSTED = "trusted";

/** The exit code of firewall-cmd where the firewalld that runs is that of another container. */
const NOT_RUNNING = 252;
/** The exit code with "no zone". It has other meanings too. */
const NO_ZONE = 2;
const NONE = "";
/** No zone has this name. */
const NO_FIREWALLD = "no firewalld";

export class Firewalld {
  readonly #tools: SystemTools;
  readonly #firewallCmd: string;

  constructor(tools: SystemTools, firewallCmd: string) {
    this.#tools = tools;
    this.#firewallCmd = firewallCmd;
  }

  /**
   * The zone that the interface should be in: that of the interface which leads outside, if it lets packets pass, or one for such
   * links. Undefined: somebody has chosen one, or firewalld does not answer, and the log says so.
   */
  async zoneFor(ifname: string, outside: string | undefined): Promise<string | undefined> {
    if ((await this.#zoneOf(ifname)) !== NONE) return undefined;
    const outer = outside === undefined ? NONE : await this.#zoneOf(outside);
    const listed = outer === NONE ? "" : outer && (await this.#ask(`--zone=${outer}`, "--list-all"));
    if (listed === undefined) return undefined;
    if (masquerades(listed)) return outer;
    const zones = await this.#ask("--get-zones");
    if (zones === undefined) return undefined;
    if (zones.split(/\s+/).includes(SHARED)) return SHARED;
    // It lets pass what goes from one of its interfaces to another, and opens no more services than it has for the outside.
    return /^\s*forward: yes$/m.test(listed) ? outer : TRUSTED;
  }

  add(zone: string, ifname: string): Promise<boolean> {
    return this.#tools.succeeds([this.#firewallCmd, `--zone=${zone}`, `--add-interface=${ifname}`]);
  }

  /**
   * Does nothing when it is not in that zone any more: somebody may have reloaded firewalld. Nor when `isOurs`, which is asked last,
   * says no.
   */
  async remove(
    zone: string,
    ifname: string,
    isOurs = (): boolean => true,
  ): Promise<"removed" | "not in the zone" | "failed"> {
    const is = await this.#zoneOf(ifname);
    if (is === undefined) return "failed";
    if (is !== zone || !isOurs()) return "not in the zone";
    const argv = [this.#firewallCmd, `--zone=${zone}`, `--remove-interface=${ifname}`] as const;
    return (await this.#tools.succeeds(argv)) ? "removed" : "failed";
  }

  /** NONE: it is in no zone. Undefined: there is no answer, and the log says so. */
  async #zoneOf(ifname: string): Promise<string | undefined> {
    const { exitCode, output, complaint } = await this.#tools.run([
      this.#firewallCmd,
      `--get-zone-of-interface=${ifname}`,
    ]);
    if (exitCode === 0) return output.trim();
    if (exitCode === NO_ZONE && /no zone/.test(output + complaint)) return NONE;
    if (exitCode === NOT_RUNNING) return NO_FIREWALLD;
    this.#tools.failed(this.#firewallCmd, complaint);
    return undefined;
  }

  /** Undefined: there is no answer, and the log says so. */
  async #ask(...words: readonly string[]): Promise<string | undefined> {
    const { exitCode, output, complaint } = await this.#tools.run([this.#firewallCmd, ...words]);
    if (exitCode === 0) return output.trim();
    this.#tools.failed(this.#firewallCmd, complaint);
    return undefined;
  }
}

/** What the log says of a zone beside its name. */
export function zoneNote(zone: string): string {
  return zone === TRUSTED ? ", where the peer reaches all services of this machine" : "";
}

/** `listed` is what `--list-all` says. Before firewalld 0.9, a zone that masquerades forwards, and "forward:" is unknown. */
function masquerades(listed: string): boolean {
  return /^\s*masquerade: yes$/m.test(listed) && !/^\s*forward: no$/m.test(listed);
}
