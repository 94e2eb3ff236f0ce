// The peer's name servers (`usepeerdns`), where the system has somebody who collects them. A hook of the distribution may
// have told him already: what nobody has done by the time ip-up has ended, we do; and what we did, we take back. A session
// that was killed leaves a note of it for the next.

import { rmSync, writeFileSync } from "node:fs";
import { runTool } from "../../os/process/exec.ts";
import { reasonOf } from "../../os/ffi/libc.ts";
import type { Log } from "../log.ts";
import { findInterface } from "../../os/net/netif.ts";
import { findResolvconf, findResolver, type Request, type Resolver } from "../../os/net/resolv-conf-manager.ts";
import { readHead } from "../../os/ffi/small-file.ts";
import { namesIn } from "../../os/process/sysfs.ts";
import type { Hooks } from "../scripts/hooks.ts";

export class NameServers {
  readonly #log: Log;
  readonly #hooks: Hooks;
  readonly #directory: string;
  /** What was asked for last has to be done before the next. */
  #last: Promise<unknown> = Promise.resolve();

  /** Notes are kept in `directory`, "/var/run". */
  constructor(log: Log, hooks: Hooks, directory: string) {
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
    for (const name of notesIn(this.#directory)) {
      const ifname = name.slice(0, -SUFFIX.length);
      if (isAlive(this.#read(ifname))) continue;
      // An interface of that name that is there again is another's, and so is what is known of it.
      if (findInterface(ifname) !== undefined) this.#forget(ifname);
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
    const resolver = findResolver();
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
    const request = findResolvconf()?.remove(ifname);
    if (request !== undefined) await this.#run(request);
    this.#forget(ifname);
  }

  #run({ argv, input }: Request): ReturnType<typeof runTool> {
    return runTool(argv, input);
  }

  // ── notes ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #path(ifname: string): string {
    return `${this.#directory}/${ifname}${SUFFIX}`;
  }

  #write(ifname: string): void {
    writeFileSync(this.#path(ifname), `${process.pid}\n`, { mode: 0o644 });
  }

  /** The process that wrote it. */
  #read(ifname: string): number | undefined {
    try {
      return Number.parseInt(Buffer.from(readHead(this.#path(ifname), 16)).toString("latin1"), 10) || undefined;
    } catch {
      return undefined;
    }
  }

  #forget(ifname: string): void {
    rmSync(this.#path(ifname), { force: true });
  }
}

const SUFFIX = ".nameservers";

function notesIn(directory: string): string[] {
  return namesIn(directory).filter((name) => name.endsWith(SUFFIX) && name.length > SUFFIX.length);
}

function isAlive(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
