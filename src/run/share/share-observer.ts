// `share` and `forward` where the kernel forwards: tells KernelSharing when the network protocols of a link go up and down.

import { addressText, parseAddress, parsePrefixes } from "../../bytes/prefix.ts";
import type { Config } from "../../options/config.ts";
import { Destinations } from "../../stack/destinations.ts";
import type { Machine } from "../machine.ts";
import type { Log } from "../log.ts";
import type { Closed, Release } from "../packets/held-packets.ts";
import type { PacketPort } from "../packets/port.ts";
import { portText } from "../packets/forwarding.ts";
import type { Hooks } from "../scripts/hooks.ts";
import { addressTexts, type NetworkDown, type NetworkObserver, type NetworkUp } from "../session/network-observer.ts";
import type { OptionsInForce } from "../settings/options-in-force.ts";
import { KernelSharing } from "./kernel-sharing.ts";
import type { LinkServices } from "./link-services.ts";
import { addressesIn } from "./own-prefix.ts";
import type { Sharing } from "./sharing.ts";

export interface ShareObserverHost {
  readonly machine: Machine;
  readonly options: OptionsInForce;
  readonly log: Log;
  readonly hooks: Hooks;
  readonly runDirectory: string;
  readonly usernetWord?: string | undefined;
  hold(version: 4 | 6): Release;
}

/** As many as usernet has. */
const MOST_FLOWS = 8192;

/** Other firewalls are started, and remove all rules when they are started again. So we look after ours this often. */
const RENEW_MS = 60_000;

const LOOPBACK = Uint8Array.of(127, 0, 0, 1);

export class ShareObserver implements NetworkObserver {
  readonly #host: ShareObserverHost;
  readonly #port: PacketPort;
  readonly #services: LinkServices | undefined;
  readonly #sharing: KernelSharing;
  /** When the rules are looked after again. */
  #dueAt = -Infinity;
  /** What is up now, so that it can be told again under another name of the interface. */
  readonly #shared = new Map<4 | 6, Sharing>();

  #hasTold = false;

  /** When the sharing of the first family began to work. */
  #since = 0;

  /** Without services there is no network for IPv6, and only IPv4 is shared. */
  constructor(host: ShareObserverHost, port: PacketPort, services: LinkServices | undefined) {
    const { machine, log, hooks, runDirectory: directory, usernetWord } = host;
    this.#host = host;
    this.#port = port;
    this.#services = services;
    this.#sharing = new KernelSharing({
      machine,
      directory,
      usernetWord,
      log: (level, text) => log.write(level, text),
      wait: (done) => hooks.wait(done),
      lost: (sharing) => this.#lost(sharing),
    });
  }

  up(event: NetworkUp): void {
    const { device } = this.#port;
    if (device !== undefined) this.#tellImpossible();
    const ends = this.#endsOf(event);
    const { machine, options } = this.#host;
    const sharing = device && ends && sharingOf(options.config, ends, device, machine.network);
    if (sharing !== undefined) this.#share(sharing);
  }

  /** Takes the place of what the family shares. */
  #share(sharing: Sharing): void {
    this.#shared.set(sharing.family, sharing);
    void this.#start(sharing);
  }

  /** Says once which forwards cannot work. */
  #tellImpossible(): void {
    if (this.#hasTold) return;
    this.#hasTold = true;
    const { usernetWord = "usernet", options } = this.#host;
    const { forwards, ipv6 } = options.config;
    const trouble = (address: string | undefined): string | undefined => {
      if (address === undefined || !address.includes(":")) return undefined;
      if (isLoopback(address)) return `no kernel leads packets of ::1 to an interface; give ${usernetWord}`;
      if (!ipv6) return "IPv6 is off";
      return this.#services === undefined ? "the peer has no IPv6 address here without share" : undefined;
    };
    for (const forward of forwards) {
      const reason = trouble(forward.address);
      if (reason !== undefined) this.#host.log.write("warn", `${portText(forward)} is not forwarded: ${reason}`);
    }
  }

  #endsOf(event: NetworkUp): Ends | undefined {
    if (event.type === "ipv4-up") {
      const [our, peer] = addressTexts(event);
      return event.peer === 0 ? undefined : { family: 4, our, peer, from: peer };
    }
    const network = this.#services?.network;
    if (network === undefined) return undefined;
    const { our, peer } = addressesIn(network, event.peer);
    return { family: 6, our: addressText(our), peer: addressText(peer), from: `${addressText(network)}/64` };
  }

  async #start(sharing: Sharing): Promise<void> {
    const { clock } = this.#host.machine;
    // A flow that begins before the rules are made goes on without them.
    const release = this.#host.hold(sharing.family);
    const isForwarded = await this.#sharing.start(sharing);
    release(isForwarded ? undefined : this.#close(sharing));
    if (isForwarded && this.#sharing.places.size === 1) this.#since = clock.now();
    if (sharing.family === 6 && this.#shared.has(6)) this.#services?.shared(isForwarded);
  }

  /** The kernel would forward by itself what no rule looks at, if another program has switched forwarding on. */
  #close({ family, our, isLimited }: Sharing): Closed {
    const what = `share: without rules, packets of the peer are dropped (IPv${family})`;
    this.#host.log.write("error", isLimited ? what : `${what}, except those to ${our}`);
    return { own: isLimited ? undefined : parseAddress(our)! };
  }

  /** The rules are gone, and cannot be made again. */
  #lost(sharing: Sharing): void {
    if (!this.#shared.has(sharing.family)) return;
    this.#host.hold(sharing.family)(this.#close(sharing));
    if (sharing.family === 6) this.#services?.shared(false);
  }

  /** What the peer's packets are forwarded by, and since when. Undefined: they are not. */
  get status(): { readonly way: "kernel"; readonly by: string; readonly since: number } | undefined {
    const places = [...this.#sharing.places.values()];
    return places.length === 0 ? undefined : { way: "kernel", by: placesText(places), since: this.#since };
  }

  /** To be called now and then while the link carries packets. */
  lookAfter(now: number): void {
    if (now < this.#dueAt) return;
    this.#dueAt = now + RENEW_MS;
    this.#followAddresses();
    this.#sharing.renew();
  }

  /** This machine has addresses that it did not have when the link came up, and the rules may name one. */
  #followAddresses(): void {
    const { machine, options } = this.#host;
    for (const sharing of this.#shared.values()) {
      const own = ownServices(options.config, sharing, machine.network);
      if (own.isOwnOpen !== sharing.isOwnOpen) this.#share({ ...sharing, ...own });
    }
  }

  down({ protocol }: NetworkDown): void {
    this.#end(protocol === "ipv4" ? 4 : 6);
  }

  renamed(): void {
    const { device } = this.#port;
    if (device !== undefined)
      for (const sharing of this.#shared.values()) this.#share({ ...sharing, ifname: device.name });
  }

  /** The link is over, perhaps because of a bug. */
  end(): void {
    for (const family of [4, 6] as const) this.#end(family);
  }

  #end(family: 4 | 6): void {
    if (this.#shared.delete(family)) this.#sharing.end(family);
  }
}

/** The two ends of a link, and the addresses that the peer may have. */
type Ends = Pick<Sharing, "family" | "our" | "peer"> & { readonly from: string };

/** Undefined: the options share nothing. */
function sharingOf(
  config: Config,
  ends: Ends,
  { index, name }: { readonly index: number; readonly name: string },
  network: Machine["network"],
): Sharing | undefined {
  const { share, shareAllow, shareDeny, forwards, proxyarp } = config;
  if (!share && forwards.length === 0) return undefined;
  const { family, our, peer, from } = ends;
  return {
    family,
    ifname: name,
    index,
    our,
    peer,
    from: share ? from : undefined,
    // With proxyarp the user wants the peer to be one of our network.
    isReachable: proxyarp && family === 4,
    mostFlows: MOST_FLOWS,
    destinations: destinationsOf(config).rules(family === 4 ? 4 : 16),
    isLimited: shareAllow.length + shareDeny.length > 0,
    ...ownServices(config, ends, network),
    forwards: forwards.filter(({ address }) => address === undefined || !isLoopback(address)),
  };
}

function destinationsOf({ shareAllow, shareDeny }: Config): Destinations {
  return new Destinations(parsePrefixes(shareAllow), parsePrefixes(shareDeny));
}

/** As usernet decides. */
function ownServices(
  config: Config,
  { family, our }: Pick<Sharing, "family" | "our">,
  network: Machine["network"],
): Pick<Sharing, "isOwnOpen" | "loopback"> {
  // No kernel lets a packet of an interface reach the loopback of IPv6.
  const isLoopback = config.shareLoopback && family === 4;
  const others = isLoopback ? [LOOPBACK] : network.ownAddresses(family);
  const isOwnOpen = destinationsOf(config).allowsOwn(parseAddress(our)!, others);
  return { isOwnOpen, loopback: isLoopback && isOwnOpen };
}

/** The loopback of IPv6 has no way to an interface. */
function isLoopback(address: string): boolean {
  const octets = parseAddress(address);
  return octets?.length === 16 && octets.every((octet, at) => octet === (at === 15 ? 1 : 0));
}

/** "nft's tables ip and ip6 nullmodem-3" of both tables, "iptables and ip6tables". */
export function placesText(places: readonly string[]): string {
  const tables = places.map((place) => /^nft's table (\S+) (\S+)$/.exec(place));
  const families = tables.flatMap((table) => table?.[1] ?? []).sort();
  if (places.length > 1 && families.length === places.length)
    return `nft's tables ${families.join(" and ")} ${tables[0]![2]}`;
  return [...new Set(places)].join(" and ");
}
