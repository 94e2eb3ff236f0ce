// `files`: starts the process that serves the folder when IPv4 is up, and ends it when IPv4 is down. This process only opens the
// listening socket, at our address of the link, because that may need root's rights.

import type { Config } from "../../options/config.ts";
import { report } from "../diagnose/finding.ts";
import type { FilesProcess, FilesRequest, FileTransfer } from "../host/processes.ts";
import type { Log } from "../log.ts";
import { type Machine, reasonOf } from "../machine.ts";
import type { PacketPort } from "../packets/port.ts";
import type { Hooks } from "../scripts/hooks.ts";
import type { NetworkDown, NetworkObserver, NetworkUp } from "../session/network-observer.ts";
import type { OptionsInForce } from "../settings/options-in-force.ts";
import { ipv4Text } from "../../wire/ip.ts";
import {
  addressOfService,
  type FileService,
  type FilesWanted,
  HTTP_PORT,
  serviceText,
  startFileService,
  triedText,
} from "./file-service.ts";
import { closedSecrets, fileUsers } from "./file-users.ts";
import { NAMES_PORT, SMB_PORT } from "./windows-sockets.ts";

export interface FilesObserverHost {
  readonly machine: Machine;
  readonly options: OptionsInForce;
  readonly log: Log;
  readonly hooks: Hooks;
}

const LOOPBACK = "127.0.0.1";
/** The address for scripts. */
const VARIABLE = "FILES_URL";
/** IPv4 comes up so long after IPv6, or not at all. */
const IPV4_MS = 10_000;
/** ip-up waits so long for the address at most. */
const MOST_OPENING_MS = 5000;

export class FilesObserver implements NetworkObserver {
  readonly #host: FilesObserverHost;
  readonly #port: PacketPort;
  #server: FilesProcess | undefined;
  /** The ports of our address that lead to the loopback. */
  readonly #services: { readonly protocol: "tcp" | "udp"; readonly port: number }[] = [];
  #hasIpv4 = false;
  /** When IPv6 came up without IPv4. */
  #lacksIpv4Since: number | undefined;
  /** What the peer types. Undefined: nothing is served, or it is not known yet. */
  address: string | undefined;
  /** Settles when it is known whether the folder is served, or soon, if it is on a disk that does not answer. */
  opened: Promise<unknown> | undefined;

  constructor(host: FilesObserverHost, port: PacketPort) {
    this.#host = host;
    this.#port = port;
  }

  get transfers(): readonly FileTransfer[] {
    return this.#server?.transfers() ?? [];
  }

  up(event: NetworkUp): void {
    const isIpv4 = event.type === "ipv4-up";
    this.#hasIpv4 ||= isIpv4;
    this.#lacksIpv4Since = this.#hasIpv4 ? undefined : this.#host.machine.clock.now();
    if (!isIpv4) return;
    this.#stop();
    const { config } = this.#host.options;
    const users = config.filesAuth ? fileUsers(this.#host.machine, config) : null;
    if (users?.length === 0) {
      const closed = closedSecrets(this.#host.machine, config);
      const none = "no user has a password in the files of secrets, and files-auth asks for one";
      this.#warn(closed === undefined ? none : `files-auth may not read ${closed}`);
      return;
    }
    try {
      this.#start(ipv4Text(event.our), config, users);
    } catch (error) {
      const tried = triedText(ipv4Text(event.our), config.filesPort);
      this.#warn(reasonOf(error), this.#port.device === undefined ? "" : ` at ${tried}`);
    }
  }

  /** To be called now and then. */
  lookAfter(now: number): void {
    if (this.#lacksIpv4Since === undefined || now - this.#lacksIpv4Since < IPV4_MS) return;
    this.#lacksIpv4Since = undefined;
    this.#warn("this link has IPv6 only, and files are served by IPv4");
  }

  #start(our: string, config: Config, users: FilesRequest["users"]): void {
    const { files: directory = "", filesWrite: isWritable, filesQuota: quota = null } = config;
    const windowsAt = config.filesSmb ? our : undefined;
    const wanted = { directory, isWritable, quota, hasShortNames: config.filesShortNames, users, windowsAt };
    const { server, port, troubles } = this.#serve(wanted, our, config.filesPort);
    this.#server = server;
    for (const trouble of troubles) this.#host.log.write("warn", trouble);
    const served = this.#opening(server, addressOfService(our, port));
    const { clock } = this.#host.machine;
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const forget = clock.after(MOST_OPENING_MS, resolve);
    this.opened = Promise.race([served, late]).finally(forget);
    // The runtime must have its turns until then.
    this.#host.hooks.wait(this.opened);
    void served.then((isServed) => (isServed ? this.#watch(server) : undefined));
  }

  /** Returns the port by which the peer reaches it. Throws HostError. */
  #serve(wanted: FilesWanted, our: string, given: number | undefined): FileService {
    const { machine } = this.#host;
    const { device } = this.#port;
    if (device !== undefined) return startFileService(machine, wanted, { address: our, device: device.name }, given);
    if (this.#port.setService === undefined) throw new Error("there is no interface, and no usernet");
    const service = startFileService(machine, wanted, { address: LOOPBACK, device: undefined }, 0);
    const port = given ?? HTTP_PORT;
    this.#open("tcp", port, service.port);
    this.#open("tcp", SMB_PORT, service.smbPort);
    this.#open("udp", NAMES_PORT, service.namesPort);
    return { ...service, port };
  }

  /** A port of our address leads to one of the loopback. */
  #open(protocol: "tcp" | "udp", port: number, loopbackPort: number | undefined): void {
    if (loopbackPort === undefined) return;
    this.#services.push({ protocol, port });
    this.#port.setService?.(protocol, port, loopbackPort);
  }

  /** True: it is served. */
  async #opening(started: FilesProcess, address: string): Promise<boolean> {
    const { log, options, hooks } = this.#host;
    const opened = await started.opened;
    if (this.#server !== started) return false;
    if ("trouble" in opened) {
      this.#warn(opened.trouble);
      this.#stop();
      return false;
    }
    this.address = address;
    hooks.env.set(VARIABLE, address);
    const text = serviceText(options.config.files ?? "", address, opened);
    report(log, [{ code: "files", text, severity: "info" }]);
    return true;
  }

  async #watch(started: FilesProcess): Promise<void> {
    const { exitCode, signal } = await started.ended;
    if (this.#server !== started) return;
    this.#warn(`its process has ended with ${signal === 0 ? `exit code ${exitCode}` : `signal ${signal}`}`);
    this.#stop();
  }

  #warn(reason: string, where = ""): void {
    this.#host.log.write("warn", `Files of ${this.#host.options.config.files} are not served${where}: ${reason}`);
  }

  down({ protocol }: NetworkDown): void {
    this.#lacksIpv4Since = undefined;
    if (protocol === "ipv4") this.#stop();
  }

  end(): void {
    this.#stop();
  }

  #stop(): void {
    const { hooks } = this.#host;
    this.#server?.end();
    this.#server = this.address = this.opened = undefined;
    hooks.env.delete(VARIABLE);
    for (const { protocol, port } of this.#services.splice(0)) this.#port.setService?.(protocol, port, undefined);
  }
}
