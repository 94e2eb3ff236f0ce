// The peer's name servers (`usepeerdns`): <confdir>/resolv.conf for the scripts, and the system's own collector of them.

import { ipv4Text } from "../../wire/ip.ts";
import type { Network } from "../host/network.ts";
import type { Log } from "../log.ts";
import type { NameServers } from "../packets/name-servers.ts";
import type { PacketPort } from "../packets/port.ts";
import type { OptionsInForce } from "../settings/options-in-force.ts";
import type { Ipv4Up, NetworkDown, NetworkObserver, NetworkUp } from "./network-observer.ts";

export interface NameServerHost {
  readonly options: OptionsInForce;
  readonly log: Log;
  readonly nameServers: NameServers;
  /** "/etc/ppp" */
  readonly etc: string;
}

export class NameServerObserver implements NetworkObserver {
  readonly #network: Network;
  readonly #host: NameServerHost;
  readonly #port: PacketPort;

  constructor(network: Network, host: NameServerHost, port: PacketPort) {
    this.#network = network;
    this.#host = host;
    this.#port = port;
  }

  agreed(event: NetworkUp): void {
    const servers = event.type === "ipv4-up" ? this.#wanted(event) : [];
    if (servers.length === 0) return;
    const problem = this.#network.writeResolvConf(this.#host.etc, servers);
    if (problem !== undefined) this.#host.log.write("error", problem);
  }

  /** ip-up has ended, and IPv4 is still up. A script of the distribution may have told the collector already. */
  scriptEnded(event: Ipv4Up): void {
    // NetworkManager gets them from the plugin, and tells the collector itself.
    if (this.#host.options.config.plugins.includes("nm-pppd-plugin.so")) return;
    const servers = this.#wanted(event);
    const { join: fillsBare } = this.#host.options.config;
    if (servers.length > 0)
      this.#host.nameServers.announce(this.#port.name, { servers: [...new Set(servers)], fillsBare });
  }

  down({ protocol }: NetworkDown): void {
    if (protocol === "ipv4") this.#host.nameServers.withdraw(this.#port.name);
  }

  /** Those of the peer that the system is to use. */
  #wanted({ dns }: Ipv4Up): string[] {
    // Without an interface this machine has no way to them.
    const { usepeerdns, noresolvconf } = this.#host.options.config;
    return usepeerdns && !noresolvconf && this.#port.device !== undefined
      ? dns.filter((server) => server !== 0).map(ipv4Text)
      : [];
  }
}
