// The options in force: those that the program was started with, what has been found out since, and those of the peer's line
// in a secrets file while that peer is here. A Config is never written: each change makes another one.

import { type Config, withFields } from "../../options/config.ts";
import type { OptionHost } from "../../options/host.ts";
import { withPeerOptions } from "../../options/parse.ts";

/** What is found out at run time, and holds instead of what the options said. */
interface Found {
  /** Where the adapter is now. */
  device?: string;
  /** The addresses of the interface that `demand` keeps. IPv4 addresses are uint32. */
  ourAddress?: number;
  peerAddress?: number;
}

export class OptionsInForce {
  readonly #told: Config;
  readonly #found: Found = {};
  /** Without the peer's options. */
  #own: Config;
  #withPeer: Config | undefined;

  /** `told` is what the program was started with. */
  constructor(told: Config) {
    this.#told = told;
    this.#own = told;
  }

  get config(): Config {
    return this.#withPeer ?? this.#own;
  }

  /** The device is at this path now. */
  deviceFound(device: string): void {
    this.#found.device = device;
    this.#settle({ device });
  }

  /** The interface has these addresses now. One that the peer's options set is forgotten with them. */
  addressesFound(addresses: Pick<Found, "ourAddress" | "peerAddress">): void {
    const { ourAddress, peerAddress } = addresses;
    const { config } = this;
    if (ourAddress !== undefined && config.ourAddress === this.#own.ourAddress) this.#found.ourAddress = ourAddress;
    if (peerAddress !== undefined && config.peerAddress === this.#own.peerAddress)
      this.#found.peerAddress = peerAddress;
    this.#settle(addresses);
  }

  #settle(found: Found): void {
    this.#own = withFields(this.#told, this.#found);
    if (this.#withPeer !== undefined) this.#withPeer = withFields(this.#withPeer, found);
  }

  /** Adds the words of the peer's line, in place of those of a line before. What is wrong with them, for the log. */
  addPeerOptions(words: readonly string[], host: OptionHost): string | undefined {
    this.removePeerOptions();
    if (words.length === 0) return undefined;
    const { config, trouble } = withPeerOptions(this.#own, words, host);
    this.#withPeer = config;
    return trouble;
  }

  /** The peer has left. */
  removePeerOptions(): void {
    this.#withPeer = undefined;
  }
}
