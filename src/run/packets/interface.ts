// The interface of a session from TUNSETIFF to its end: its name for scripts, its pid files, its VRF, the net scripts. What
// a link makes of it is the Unit's.

import type { OptionsInForce } from "../settings/options-in-force.ts";
import { closeFd, EBUSY, EINVAL, OsError, reasonOf, strerror } from "../../os/ffi/libc.ts";
import type { Log } from "../log.ts";
import { findInterface } from "../../os/net/netif.ts";
import type { PidFiles } from "../../os/process/pid-file.ts";
import { IFNAMSIZ, openTun, type Tun } from "../../os/net/tun.ts";
import { joinVrf, vrfTable } from "../../os/net/vrf.ts";
import { Exit, Failed } from "../exit.ts";
import type { Hooks } from "../scripts/hooks.ts";
import { linesOf } from "../diagnose/finding.ts";
import { interfaceTrouble } from "../diagnose/tun-trouble.ts";

export interface InterfaceHost {
  readonly options: OptionsInForce;
  readonly log: Log;
  readonly hooks: Hooks;
  readonly pidFiles: PidFiles;
}

export class Interface {
  readonly tun: Tun;
  readonly #host: InterfaceHost;
  /** Of the line, for scripts. */
  #speed = 0;
  /** What the pid file is called by, whatever the interface is called later. */
  readonly #firstName: string;
  #isForgotten = false;

  private constructor(host: InterfaceHost, tun: Tun) {
    this.#host = host;
    this.tun = tun;
    this.#firstName = tun.name;
  }

  /** Throws Failed: the log says why. */
  static open(host: InterfaceHost): Interface {
    const { ifname, unit, vrf } = host.options.config;
    try {
      if (vrf !== undefined) lookForVrf(vrf);
      const tun = openTun({
        ...(ifname === undefined ? {} : { ifname }),
        ...(unit === undefined ? {} : { unit }),
      });
      const opened = new Interface(host, tun);
      if (vrf !== undefined) opened.#joinVrf(vrf);
      return opened;
    } catch (error) {
      if (!(error instanceof OsError)) throw error;
      for (const line of badName(error, unit) ?? linesOf(interfaceTrouble(error))) host.log.write("error", line);
      throw new Failed(Exit.FATAL, "");
    }
  }

  #joinVrf(vrf: string): void {
    const { fd, name } = this.tun;
    const { log, hooks } = this.#host;
    try {
      joinVrf(this.tun, vrf);
    } catch (error) {
      closeFd(fd);
      throw new Failed(Exit.FATAL, `Couldn't move interface ${name} in vrf ${vrf}: ${reasonOf(error)}`);
    }
    log.write("info", `Moved interface ${name} in vrf ${vrf}`);
    hooks.env.set("VRF", vrf);
  }

  /** The log and the scripts hear of it; net-init runs, and what is returned is its end. */
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

  /** Another line, perhaps. */
  setSpeed(speed: number): void {
    this.#speed = speed;
    this.#host.hooks.env.set("SPEED", String(speed));
  }

  /** A script may have renamed it. True: it has. IFNAME and the pid files keep the first name. */
  readName(): boolean {
    const old = this.tun.name;
    this.tun.readName();
    return this.tun.name !== old;
  }

  writePidFiles(): void {
    const {
      options: { config },
      log,
      pidFiles,
    } = this.#host;
    const problems = [pidFiles.writeInterface(this.#firstName)];
    if (config.linkname !== undefined) problems.push(pidFiles.writeLink(config.linkname, this.#firstName));
    for (const problem of problems) if (problem !== undefined) log.write("error", problem);
  }

  /** There is no link any more: net-down starts, and scripts that only begin now are told of no interface. */
  down(): void {
    const {
      options: { config },
      hooks,
    } = this.#host;
    hooks.start(config.netDownScript, this.#args());
    this.#forget();
  }

  /** Before its name is another's. */
  #forget(): void {
    if (this.#isForgotten) return;
    this.#isForgotten = true;
    const { log, hooks, pidFiles } = this.#host;
    for (const problem of pidFiles.remove(this.#firstName)) log.write("warn", problem);
    hooks.env.delete("IFNAME");
  }

  close(): void {
    this.#forget();
    closeFd(this.tun.fd);
  }

  #args(): string[] {
    const { device = "", ipparam } = this.#host.options.config;
    return [this.tun.name, device, String(this.#speed), ...(ipparam === undefined ? [] : [ipparam])];
  }
}

/** pppd makes pppN and renames it; undefined: it was not the name. */
function badName({ call, path = "", errno }: OsError, unit: number | undefined): string[] | undefined {
  if (call !== "TUNSETIFF" || (errno !== EBUSY && errno !== EINVAL)) return undefined;
  const spare = openTun(unit === undefined ? {} : { unit });
  closeFd(spare.fd);
  const isTooLong = Buffer.byteLength(path) >= IFNAMSIZ;
  const reason = isTooLong
    ? `a name has ${IFNAMSIZ - 1} octets at most`
    : findInterface(path) === undefined
      ? strerror(errno)
      : "File exists";
  return [`Couldn't rename interface ${spare.name} to ${path}: ${reason}`];
}

function lookForVrf(vrf: string): void {
  if (findInterface(vrf) === undefined) throw new Failed(Exit.FATAL, `Requested vrf ${vrf} does not exist`);
  if (vrfTable(vrf) === undefined) throw new Failed(Exit.FATAL, `Couldn't get the routing table id of vrf ${vrf}`);
}
