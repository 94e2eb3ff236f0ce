// What the links of a session that shares its network, or forwards ports, have in common: the IPv6 prefix of this machine, its name
// servers, and the kernel's forwarding. Other sessions do not load this file.

import type { Config } from "../../options/config.ts";
import type { Log } from "../log.ts";
import { isHostError, type Machine, reasonOf } from "../machine.ts";
import type { PacketPort } from "../packets/port.ts";
import { LinkServices } from "./link-services.ts";
import { NameRelay } from "./name-relay.ts";
import { linkNetwork, ownPrefix } from "./own-prefix.ts";
import { Resolvers } from "./resolvers.ts";
import { ShareObserver, type ShareObserverHost } from "./share-observer.ts";

export class SessionServices {
  readonly #machine: Machine;
  readonly #log: Log;
  #prefix: Uint8Array | undefined;

  constructor(machine: Machine, log: Log) {
    this.#machine = machine;
    this.#log = log;
  }

  /** The services of a link that is about to begin. Undefined: only ports are forwarded. */
  servicesOf(port: PacketPort, config: Config, mtu: () => number): LinkServices | undefined {
    const { device, msDns, share, usernet } = config;
    if (!share && !usernet) return undefined;
    const { clock, random } = this.#machine;
    this.#prefix ??= ownPrefix(this.#machine);
    const hasServers = msDns.length === 0;
    return new LinkServices({
      clock,
      random,
      port,
      network: linkNetwork(this.#prefix, port.name, device ?? ""),
      servesNames: hasServers,
      relay: hasServers && !port.relaysNames ? this.#openRelay() : undefined,
      mtu,
      hasWayOut: () =>
        this.#machine.network.routes.defaults6(undefined).some(({ device }) => device.name !== port.name),
    });
  }

  observerOf(host: ShareObserverHost, port: PacketPort, services: LinkServices | undefined): ShareObserver {
    return new ShareObserver(host, port, services);
  }

  #openRelay(): NameRelay | undefined {
    const { network, random } = this.#machine;
    try {
      return new NameRelay(network.openSockets(), new Resolvers(this.#machine), () => random.u32());
    } catch (error) {
      if (!isHostError(error)) throw error;
      this.#log.write("warn", `Name queries of the peer are not relayed: ${reasonOf(error)}`);
      return undefined;
    }
  }
}
