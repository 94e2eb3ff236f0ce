// The scripts of a network phase: ip-up, ip-down, ipv6-up, ipv6-down and the environment of all that run from then on.

import { ipv4Text } from "../../wire/ip.ts";
import type { PacketPort } from "../packets/port.ts";
import { interfaceArguments } from "../scripts/arguments.ts";
import type { Hooks, UpDown } from "../scripts/hooks.ts";
import type { OptionsInForce } from "../settings/options-in-force.ts";
import {
  addressTexts,
  type Ipv4Up,
  type NetworkDown,
  type NetworkObserver,
  type NetworkUp,
} from "./network-observer.ts";

export interface ScriptObserverHost {
  readonly options: OptionsInForce;
  readonly hooks: Hooks;
  /** Speed of the line. */
  speed(): number;
  /** What ip-up is told of must be known. Undefined: it is. */
  known?(): Promise<unknown> | undefined;
}

export class ScriptObserver implements NetworkObserver {
  readonly #host: ScriptObserverHost;
  readonly #port: PacketPort;
  readonly #ipv4Ended: (event: Ipv4Up) => void;
  readonly #scripts: { readonly ipv4: UpDown; readonly ipv6: UpDown };

  /** `ipv4Ended` is called when ip-up has ended, or is not there, and IPv4 is still up. */
  constructor(host: ScriptObserverHost, port: PacketPort, ipv4Ended: (event: Ipv4Up) => void) {
    const { config } = host.options;
    this.#host = host;
    this.#port = port;
    this.#ipv4Ended = ipv4Ended;
    this.#scripts = {
      ipv4: host.hooks.pair(config.ipUpScript, config.ipDownScript),
      ipv6: host.hooks.pair(config.ipv6UpScript, config.ipv6DownScript),
    };
  }

  agreed(event: NetworkUp): void {
    const { env } = this.#host.hooks;
    const { usepeerdns, usepeerwins } = this.#host.options.config;
    const [our, peer] = addressTexts(event);
    if (event.type === "ipv6-up") {
      env.set("LLLOCAL", our).set("LLREMOTE", peer);
      return;
    }
    env.set("IPLOCAL", our).set("IPREMOTE", peer);
    // Without an interface this machine has no way to the servers, and a script must not tell it to use them.
    const hasInterface = this.#port.device !== undefined;
    this.#setServers("DNS", event.dns, usepeerdns && hasInterface);
    this.#setServers("WINS", event.wins, usepeerwins && hasInterface);
  }

  #setServers(name: "DNS" | "WINS", servers: readonly [number, number], wanted: boolean): void {
    const { env } = this.#host.hooks;
    if (servers[0] !== 0) env.set(`${name}1`, ipv4Text(servers[0]));
    if (servers[1] !== 0) env.set(`${name}2`, ipv4Text(servers[1]));
    if (wanted && (servers[0] !== 0 || servers[1] !== 0)) env.set(`USEPEER${name}`, "1");
  }

  up(event: NetworkUp): void {
    const args = this.#args(event);
    if (event.type === "ipv4-up") this.#scripts.ipv4.up(args, () => this.#ipv4Ended(event), this.#host.known?.());
    else this.#scripts.ipv6.up(args);
  }

  down({ protocol, was, seconds, octetsIn, octetsOut }: NetworkDown): void {
    const { env } = this.#host.hooks;
    env.set("CONNECT_TIME", String(seconds)).set("BYTES_SENT", String(octetsOut)).set("BYTES_RCVD", String(octetsIn));
    this.#scripts[protocol].down(was && this.#args(was));
  }

  #args(event: NetworkUp): string[] {
    const { options, speed } = this.#host;
    return interfaceArguments(options.config, this.#port.name, speed(), ...addressTexts(event));
  }
}
