// Publishes what a link, or a bundle of links, is doing, for pppstats and `nullmodem status`.

import type { FrameCounts } from "../diagnose/port-watch.ts";
import type { Link } from "../../link/link.ts";
import type { Networks } from "../../link/networks.ts";
import { ipv4Text } from "../../wire/ip.ts";
import { addressPortText, addressText } from "../../bytes/prefix.ts";
import { linkLocalAddress } from "../../wire/ipv6cp.ts";
import type { FileTransfer, Publication } from "../host/processes.ts";
import type { Log } from "../log.ts";
import { type Machine, reasonOf } from "../machine.ts";
import type { PacketPort } from "../packets/port.ts";
import type { Hooks } from "../scripts/hooks.ts";
import type { Ipv4Up, Ipv6Up, NetworkObserver } from "../session/network-observer.ts";
import type { OptionsInForce } from "../settings/options-in-force.ts";
import { type LineStatus, type QueueStatus, type Status, statusPath } from "./published-status.ts";

const SECOND = 1000;

export interface StatusHost {
  readonly machine: Machine;
  readonly options: OptionsInForce;
  readonly log: Log;
  readonly hooks: Hooks;
  readonly runDirectory: string;
  lines(): LineStatus[];
  /** Undefined: no packet has waited in a queue of ours. */
  queue(): QueueStatus | undefined;
}

/** A network phase as readers see it. */
export interface NetworkState {
  readonly mtu: number;
  readonly ipv4: Ipv4Up | undefined;
  readonly ipv6: Ipv6Up | undefined;
  /** When the first network protocol came up; undefined: none is. */
  readonly upSince: number | undefined;
  /** How the peer uses this machine's network, and since when. */
  readonly sharing: { readonly way: "kernel" | "sockets"; readonly by?: string; readonly since: number } | undefined;
  /** The peer's IPv6 network; undefined: it has none. */
  readonly network: string | undefined;
  /** Where the peer finds our files; undefined: none are given. */
  readonly files: string | undefined;
  /** The files that are on their way. */
  readonly transfers: readonly FileTransfer[];
}

export class StatusPublisher implements NetworkObserver {
  readonly #host: StatusHost;
  readonly #port: PacketPort;
  readonly #networks: Networks;
  readonly #state: () => NetworkState;
  readonly #publication: Publication | undefined;

  constructor(host: StatusHost, port: PacketPort, networks: Networks, state: () => NetworkState) {
    this.#host = host;
    this.#port = port;
    this.#networks = networks;
    this.#state = state;
    this.#publication = this.#publish();
  }

  /** Ends it. A second call does nothing. */
  close(): void {
    this.#publication?.close();
  }

  renamed(): void {
    this.#publication?.move(statusPath(this.#port.name, this.#host.runDirectory));
  }

  #publish(): Publication | undefined {
    const { machine, log, runDirectory } = this.#host;
    try {
      return machine.processes.publish(statusPath(this.#port.name, runDirectory), () => JSON.stringify(this.now()));
    } catch (error) {
      log.write("debug", `pppstats will know less of ${this.#port.name}: ${reasonOf(error)}`);
      return undefined;
    }
  }

  /** The status of this moment. */
  now(): Status {
    const { machine, options, hooks } = this.#host;
    const { linkname, socks, interleave } = options.config;
    const { mtu, ipv4, ipv6, upSince, sharing, network, files, transfers } = this.#state();
    const { datapath } = this.#networks;
    const lines = this.#host.lines();
    const mayCut = lines.some(({ agreed }) => agreed?.transmit.mrru !== undefined);
    const secondsSince = (moment: number): number => Math.floor((machine.clock.now() - moment) / SECOND);
    return {
      interface: this.#port.name,
      pid: machine.processes.pid,
      namespace: machine.network.namespace(),
      linkname,
      peer: hooks.env.get("PEERNAME"),
      up: upSince === undefined ? undefined : secondsSince(upSince),
      mtu,
      ipv4: ipv4 && { our: ipv4Text(ipv4.our), peer: ipv4Text(ipv4.peer) },
      ipv6: ipv6 && { our: addressText(linkLocalAddress(ipv6.our)), peer: addressText(linkLocalAddress(ipv6.peer)) },
      compression: this.#networks.compression,
      counters: datapath.counters(),
      sharing: sharing && { way: sharing.way, by: sharing.by, seconds: secondsSince(sharing.since) },
      network,
      flows: this.#port.flows,
      files,
      transfers: transfers.length === 0 ? undefined : transfers,
      vj: ipv4 && { receive: datapath.vjIn !== undefined, transmit: datapath.vjOut !== undefined },
      queue: this.#host.queue(),
      proxy: socks && addressPortText(socks.address, socks.port),
      interleave: interleave && mayCut,
      lines,
    };
  }
}

/** What the watch of the port looks at. */
export function frameCounts(link: Link): FrameCounts {
  const { frames, badFcs, runts, overlong, aborted } = link.deframer.stats;
  return { good: frames, bad: badFcs + runts + overlong + aborted, sent: link.framesSent };
}
