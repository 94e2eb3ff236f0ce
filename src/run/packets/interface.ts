// The interface of a session from TUNSETIFF to its end: its name for scripts, its pid files, its VRF, the net scripts.
// Addresses and routes are the business of InterfaceSetup.

import type { OptionsInForce } from "../settings/options-in-force.ts";
import type { Tun } from "../host/interfaces.ts";
import type { Log } from "../log.ts";
import { Errno, type HostError, isHostError, type Machine, reasonOf } from "../machine.ts";
import type { PidFiles } from "../session/pid-files.ts";
import { Exit, Failed } from "../exit.ts";
import { interfaceArguments } from "../scripts/arguments.ts";
import type { Hooks } from "../scripts/hooks.ts";
import { linesOf } from "../diagnose/finding.ts";
import { interfaceTrouble } from "../diagnose/tun-trouble.ts";

/** The longest name of an interface in octets. */
const LONGEST_NAME = 15;

export interface InterfaceHost {
  readonly machine: Machine;
  readonly options: OptionsInForce;
  readonly log: Log;
  readonly hooks: Hooks;
  readonly pidFiles: PidFiles;
}

export class Interface {
  readonly tun: Tun;
  readonly #host: InterfaceHost;
  /** The line's speed, for scripts. */
  #speed = 0;
  /** The pid file keeps this name when the interface is renamed. */
  readonly #firstName: string;
  #isForgotten = false;

  private constructor(host: InterfaceHost, tun: Tun) {
    this.#host = host;
    this.tun = tun;
    this.#firstName = tun.name;
  }

  /** Throws Failed. The log says why. */
  static open(host: InterfaceHost): Interface {
    const { machine } = host;
    const { ifname, unit, vrf } = host.options.config;
    try {
      if (vrf !== undefined) lookForVrf(machine, vrf);
      const tun = machine.network.interfaces.openTun({
        ...(ifname === undefined ? {} : { ifname }),
        ...(unit === undefined ? {} : { unit }),
      });
      const opened = new Interface(host, tun);
      if (vrf !== undefined) opened.#joinVrf(vrf);
      return opened;
    } catch (error) {
      if (!isHostError(error)) throw error;
      for (const line of badName(machine, error, unit) ?? linesOf(interfaceTrouble(error)))
        host.log.write("error", line);
      throw new Failed(Exit.FATAL, "");
    }
  }

  /** A name for scripts and the log, with no interface of the kernel behind it. The number is that of `unit`, or a free one. */
  static label(host: InterfaceHost): Interface {
    const { ifname, socks, unit: wished = 0 } = host.options.config;
    const prefix = socks === undefined ? "usernet" : "socks";
    let unit = wished;
    while (ifname === undefined && isInUse(host, `${prefix}${unit}`)) unit++;
    return new Interface(host, { fd: -1, index: -1, unit, name: ifname ?? `${prefix}${unit}`, readName: () => {} });
  }

  #joinVrf(vrf: string): void {
    const { fd, name } = this.tun;
    const { machine, log, hooks } = this.#host;
    try {
      machine.network.interfaces.joinVrf(this.tun, vrf);
    } catch (error) {
      machine.descriptors.close(fd);
      throw new Failed(Exit.FATAL, `Couldn't move interface ${name} in vrf ${vrf}: ${reasonOf(error)}`);
    }
    log.write("info", `Moved interface ${name} in vrf ${vrf}`);
    hooks.env.set("VRF", vrf);
  }

  /** Logs the interface, names it to the scripts and starts net-init. The promise resolves when net-init has ended. */
  announce(speed: number): Promise<void> | undefined {
    const {
      options: { config },
      log,
      hooks,
    } = this.#host;
    const { name, unit } = this.tun;
    hooks.env.set("IFNAME", name).set("UNIT", String(unit));
    if (config.device !== undefined) hooks.env.set("DEVICE", config.device);
    this.setSpeed(speed);
    log.write("info", `Using interface ${name}`);
    return hooks.start(config.netInitScript, this.#args());
  }

  /** The next link may be on another line. */
  setSpeed(speed: number): void {
    this.#speed = speed;
    this.#host.hooks.env.set("SPEED", String(speed));
  }

  /** Asks the kernel for the name. Returns true when a script has changed it. IFNAME and the pid files keep the first name. */
  readName(): boolean {
    const old = this.tun.name;
    this.tun.readName();
    return this.tun.name !== old;
  }

  writePidFiles(): void {
    const {
      machine,
      options: { config },
      log,
      pidFiles,
    } = this.#host;
    const problems = [pidFiles.writeInterface(this.#firstName)];
    if (config.linkname !== undefined) problems.push(pidFiles.writeLink(config.linkname, this.#firstName));
    const level = machine.users.isRoot() ? "error" : "info";
    for (const problem of problems) if (problem !== undefined) log.write(level, problem);
  }

  /** The last link is over: starts net-down. Scripts that start later are not told of the interface. */
  down(): void {
    const {
      options: { config },
      hooks,
    } = this.#host;
    hooks.start(config.netDownScript, this.#args());
    this.#forget();
  }

  /** Done before another interface can have the name. */
  #forget(): void {
    if (this.#isForgotten) return;
    this.#isForgotten = true;
    const { log, hooks, pidFiles } = this.#host;
    for (const problem of pidFiles.remove(this.#firstName)) log.write("warn", problem);
    hooks.env.delete("IFNAME");
  }

  close(): void {
    this.#forget();
    if (this.tun.fd >= 0) this.#host.machine.descriptors.close(this.tun.fd);
  }

  #args(): string[] {
    return interfaceArguments(this.#host.options.config, this.tun.name, this.#speed);
  }
}

/** True when a session that runs has a pid file of this name: another one, or one of this process. */
function isInUse({ machine, pidFiles }: InterfaceHost, name: string): boolean {
  const pid = pidFiles.holderOf(name);
  return pid !== undefined && machine.processes.isRunning(pid);
}

/** pppd makes pppN and renames it, so it complains about a name in other words. Undefined: the name was not the trouble. */
function badName(
  { descriptors, network }: Machine,
  { call, path, errno, reason }: HostError,
  unit: number | undefined,
): string[] | undefined {
  if (call !== "TUNSETIFF" || (errno !== Errno.EBUSY && errno !== Errno.EINVAL)) return undefined;
  const spare = network.interfaces.openTun(unit === undefined ? {} : { unit });
  descriptors.close(spare.fd);
  const isTooLong = Buffer.byteLength(path) > LONGEST_NAME;
  const isTaken = network.interfaces.find(path) !== undefined;
  const why = isTooLong ? `a name has ${LONGEST_NAME} octets at most` : isTaken ? "File exists" : reason;
  return [`Couldn't rename interface ${spare.name} to ${path}: ${why}`];
}

function lookForVrf({ network: { interfaces } }: Machine, vrf: string): void {
  if (interfaces.find(vrf) === undefined) throw new Failed(Exit.FATAL, `Requested vrf ${vrf} does not exist`);
  if (interfaces.vrfTable(vrf) === undefined)
    throw new Failed(Exit.FATAL, `Couldn't get the routing table id of vrf ${vrf}`);
}
