// The peer's name servers (`usepeerdns`), where the system has somebody who collects them. A hook of the distribution may
// have told him already: what nobody has done by the time ip-up has ended, we do; and what we did, we take back. A session
// that was killed leaves a note of it for the next.

import { textOf } from "../../bytes/text.ts";
import type { Resolver, ResolverRequest } from "../host/resolver.ts";
import type { Log } from "../log.ts";
import { type Machine, reasonOf } from "../machine.ts";
import type { Hooks } from "../scripts/hooks.ts";

/** A note has the process id of its writer. */
const PID_DIGITS = 16;

const SUFFIX = ".nameservers";

export class NameServers {
  readonly #machine: Pick<Machine, "files" | "network" | "processes">;
  readonly #log: Log;
  readonly #hooks: Hooks;
  readonly #directory: string;
  /** What was asked for last has to be done before the next. */
  #last: Promise<unknown> = Promise.resolve();

  /** Notes are kept in `directory`, "/var/run". */
  constructor(machine: Pick<Machine, "files" | "network" | "processes">, log: Log, hooks: Hooks, directory: string) {
    this.#machine = machine;
    this.#log = log;
    this.#hooks = hooks;
    this.#directory = directory;
  }

  /** The interface is up, and ip-up has ended. */
  announce(ifname: string, servers: readonly string[]): void {
    this.#then(() => this.#announce(ifname, servers));
  }

  /** What was announced is true no more. */
  withdraw(ifname: string): void {
    this.#then(() => this.#withdraw(ifname));
  }

  /** Takes back what sessions that were killed have left. */
  cleanUp(): void {
    const { network, processes } = this.#machine;
    for (const name of this.#notes()) {
      const ifname = name.slice(0, -SUFFIX.length);
      const pid = this.#read(ifname);
      if (pid !== undefined && processes.isRunning(pid)) continue;
      // An interface of that name that is there again is another's, and so is what is known of it.
      if (network.interfaces.find(ifname) !== undefined) this.#forget(ifname);
      else this.withdraw(ifname);
    }
  }

  #then(act: () => Promise<void>): void {
    const done = this.#last.then(act).catch((error: unknown) => {
      this.#log.write("warn", `Telling the system of name servers: ${reasonOf(error)}`);
    });
    this.#last = done;
    // The program does not end before it.
    this.#hooks.wait(done);
  }

  async #announce(ifname: string, servers: readonly string[]): Promise<void> {
    const resolver = this.#machine.network.resolver();
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

  /** The process that wrote it. */
  #read(ifname: string): number | undefined {
    try {
      return Number.parseInt(textOf(this.#machine.files.readHead(this.#path(ifname), PID_DIGITS)), 10) || undefined;
    } catch {
      return undefined;
    }
  }

  #forget(ifname: string): void {
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
