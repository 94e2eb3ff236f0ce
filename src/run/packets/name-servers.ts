// Tells the system's collector of name servers (systemd-resolved, resolvconf) about the peer's (`usepeerdns`). A hook of the
// distribution may do so itself. So we wait until ip-up has ended, tell the collector what it does not know, and take back only
// what we told. A session that is killed leaves a note about this for the next session.

import { bytesOf, textOf } from "../../bytes/text.ts";
import type { Resolver, ResolverRequest } from "../host/resolver.ts";
import type { Log } from "../log.ts";
import { hasCode, type Machine, reasonOf } from "../machine.ts";
import type { Hooks } from "../scripts/hooks.ts";

import { RESOLV_CONF, withoutServers, withServers } from "./bare-resolv-conf.ts";

/** A note has the process id of its writer. */
const PID_DIGITS = 16;

const SUFFIX = ".nameservers";

interface Announced {
  readonly servers: readonly string[];
  /** Where nothing collects name servers, /etc/resolv.conf gets them if it has none. */
  readonly fillsBare: boolean;
}

export class NameServers {
  readonly #machine: Pick<Machine, "files" | "network" | "processes">;
  readonly #log: Log;
  readonly #hooks: Hooks;
  readonly #directory: string;
  /** Requests are carried out one after the other. This is the last one. */
  #last: Promise<unknown> = Promise.resolve();

  /** Notes are kept in `directory`, "/var/run". */
  constructor(machine: Pick<Machine, "files" | "network" | "processes">, log: Log, hooks: Hooks, directory: string) {
    this.#machine = machine;
    this.#log = log;
    this.#hooks = hooks;
    this.#directory = directory;
  }

  /** The interface is up, and ip-up has ended. */
  announce(ifname: string, announced: Announced): void {
    this.#then(() => this.#announce(ifname, announced));
  }

  /** The announced name servers are no longer valid. */
  withdraw(ifname: string): void {
    this.#then(() => this.#withdraw(ifname));
  }

  /** Takes back what killed sessions announced. */
  cleanUp(): void {
    const { network, processes } = this.#machine;
    for (const name of this.#notes()) {
      const ifname = name.slice(0, -SUFFIX.length);
      const pid = this.#read(ifname);
      if (pid !== undefined && processes.isRunning(pid)) continue;
      // An interface of that name belongs to another session by now, and so do its name servers.
      if (network.interfaces.find(ifname) !== undefined) this.#then(async () => this.#forget(ifname));
      else this.withdraw(ifname);
    }
  }

  #then(act: () => Promise<void>): void {
    const done = this.#last.then(act).catch((error: unknown) => {
      this.#log.write("warn", `Telling the system of name servers: ${reasonOf(error)}`);
    });
    this.#last = done;
    // The program waits for this before it ends.
    this.#hooks.wait(done);
  }

  async #announce(ifname: string, { servers, fillsBare }: Announced): Promise<void> {
    const resolver = this.#machine.network.resolver();
    if (resolver === undefined && fillsBare) this.#fill(ifname, servers);
    if (resolver === undefined || (await this.#knows(resolver, ifname))) return;
    const request = resolver.add(ifname, servers);
    if (resolver.remove(ifname) !== undefined) this.#write(ifname);
    const { exitCode } = await this.#run(request);
    if (exitCode === 0) this.#log.write("info", `Told ${resolver.name} of the name servers`);
    else this.#log.write("warn", `${request.argv.join(" ")} failed with code ${exitCode}`);
  }

  async #knows(resolver: Resolver, ifname: string): Promise<boolean> {
    if (resolver.asks === undefined) return resolver.has(ifname, "");
    const { exitCode, output } = await this.#run(resolver.asks(ifname));
    return exitCode === 0 && resolver.has(ifname, output);
  }

  async #withdraw(ifname: string): Promise<void> {
    if (this.#read(ifname) === undefined) return;
    const request = this.#machine.network.resolvconf()?.remove(ifname);
    if (request !== undefined) await this.#run(request);
    this.#forget(ifname);
  }

  /** A link to another file is made by a program that manages it. */
  #fill(ifname: string, servers: readonly string[]): void {
    const { files } = this.#machine;
    if (files.isSymbolicLink(RESOLV_CONF)) return;
    const filled = withServers(this.#resolvConf(), ifname, servers);
    if (filled === undefined) return;
    this.#write(ifname);
    files.replace(RESOLV_CONF, bytesOf(filled), 0o644);
    this.#log.write("info", `Wrote the name servers into ${RESOLV_CONF}, which had none`);
  }

  #empty(ifname: string): void {
    const text = this.#resolvConf();
    const own = withoutServers(text, ifname);
    if (own !== text) this.#machine.files.replace(RESOLV_CONF, bytesOf(own), 0o644);
  }

  /** One char an octet. */
  #resolvConf(): string {
    try {
      return textOf(this.#machine.files.read(RESOLV_CONF));
    } catch (error) {
      if (hasCode(error, "ENOENT")) return "";
      throw error;
    }
  }

  #run({ argv, input }: ResolverRequest): Promise<{ readonly exitCode: number; readonly output: string }> {
    return this.#machine.processes.runTool(argv, input);
  }

  // ── notes ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #path(ifname: string): string {
    return `${this.#directory}/${ifname}${SUFFIX}`;
  }

  #write(ifname: string): void {
    const { files, processes } = this.#machine;
    files.replace(this.#path(ifname), Buffer.from(`${processes.pid}\n`), 0o644);
  }

  /** The id of the process that wrote the note. */
  #read(ifname: string): number | undefined {
    try {
      return Number.parseInt(textOf(this.#machine.files.readHead(this.#path(ifname), PID_DIGITS)), 10) || undefined;
    } catch {
      return undefined;
    }
  }

  #forget(ifname: string): void {
    this.#empty(ifname);
    this.#machine.files.remove(this.#path(ifname));
  }

  /** The names of all notes. */
  #notes(): string[] {
    try {
      const names = this.#machine.files.list(this.#directory);
      return names.filter((name) => name.endsWith(SUFFIX) && name.length > SUFFIX.length);
    } catch {
      return [];
    }
  }
}
