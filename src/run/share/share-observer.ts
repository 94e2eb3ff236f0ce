// `share` and `forward` where the kernel forwards: tells KernelSharing when the network protocols of a link go up and down.

import { parsePrefix, type Prefix } from "../../bytes/prefix.ts";
import type { Config } from "../../options/config.ts";
import { Destinations } from "../../stack/destinations.ts";
import type { Machine } from "../machine.ts";
import type { Log } from "../log.ts";
import type { PacketPort } from "../packets/port.ts";
import type { Hooks } from "../scripts/hooks.ts";
import { addressTexts, type NetworkDown, type NetworkObserver, type NetworkUp } from "../session/network-observer.ts";
import type { OptionsInForce } from "../settings/options-in-force.ts";
import { KernelSharing } from "./kernel-sharing.ts";
import type { Sharing } from "./sharing.ts";

export interface ShareObserverHost {
  readonly machine: Machine;
  readonly options: OptionsInForce;
  readonly log: Log;
  readonly hooks: Hooks;
  readonly runDirectory: string;
}

export class ShareObserver implements NetworkObserver {
  readonly #host: ShareObserverHost;
  readonly #port: PacketPort;
  readonly #sharing: KernelSharing;
  /** What is up now, so that it can be told again under another name of the interface. */
  readonly #shared = new Map<4 | 6, Sharing>();

  constructor(host: ShareObserverHost, port: PacketPort) {
    const { machine, log, hooks, runDirectory: directory } = host;
    this.#host = host;
    this.#port = port;
    this.#sharing = new KernelSharing({
      machine,
      directory,
      log: (level, text) => log.write(level, text),
      wait: (done) => hooks.wait(done),
    });
  }

  up(event: NetworkUp): void {
    const { device } = this.#port;
    if (device === undefined || event.type !== "ipv4-up" || event.peer === 0) return;
    const [our, peer] = addressTexts(event);
    const sharing = sharingOf(this.#host.options.config, our, peer, device);
    if (sharing === undefined) return;
    this.#shared.set(4, sharing);
    this.#sharing.start(sharing);
  }

  down({ protocol }: NetworkDown): void {
    this.#end(protocol === "ipv4" ? 4 : 6);
  }

  renamed(): void {
    const { device } = this.#port;
    if (device !== undefined)
      for (const sharing of this.#shared.values()) this.#sharing.start({ ...sharing, ifname: device.name });
  }

  /** The link is over, perhaps because of a bug. */
  end(): void {
    for (const family of [4, 6] as const) this.#end(family);
  }

  #end(family: 4 | 6): void {
    if (this.#shared.delete(family)) this.#sharing.end(family);
  }
}

/** Undefined: the options share nothing. */
function sharingOf(
  { share, shareAllow, shareDeny, forwards }: Config,
  our: string,
  peer: string,
  { index, name }: { readonly index: number; readonly name: string },
): Sharing | undefined {
  if (!share && forwards.length === 0) return undefined;
  return {
    family: 4,
    ifname: name,
    index,
    our,
    peer,
    from: share ? peer : undefined,
    destinations: new Destinations(prefixesOf(shareAllow), prefixesOf(shareDeny)).rules(4),
    isLimited: shareAllow.length + shareDeny.length > 0,
    forwards,
  };
}

function prefixesOf(texts: readonly string[]): Prefix[] {
  return texts.flatMap((text) => parsePrefix(text) ?? []);
}
