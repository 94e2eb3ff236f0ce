// The options in force: those given at the start, later findings, and the options in the peer's line of a secrets file
// while the peer is connected. A Config is never written: each change makes a new one.

import { type Config, withFields } from "../../options/config.ts";
import type { OptionHost } from "../../options/host.ts";
import { withPeerOptions } from "../../options/parse.ts";

/** Findings at run time. They override the given options. */
interface Found {
  /** The present path of the adapter. */
  device?: string;
  /** The addresses of the interface that `demand` keeps. IPv4 addresses are uint32. */
  ourAddress?: number;
  peerAddress?: number;
  /** Packets go through sockets of this process. */
  usernet?: boolean;
  share?: boolean;
}

export class OptionsInForce {
  readonly #told: Config;
  readonly #found: Found = {};
  /** The options without those of the peer. */
  #own: Config;
  #withPeer: Config | undefined;

  /** `told` are the options given at the start. */
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

  /** The interface now has these addresses. An address from the peer's options is forgotten with those options. */
  addressesFound(addresses: Pick<Found, "ourAddress" | "peerAddress">): void {
    const { ourAddress, peerAddress } = addresses;
    const { config } = this;
    if (ourAddress !== undefined && config.ourAddress === this.#own.ourAddress) this.#found.ourAddress = ourAddress;
    if (peerAddress !== undefined && config.peerAddress === this.#own.peerAddress)
      this.#found.peerAddress = peerAddress;
    this.#settle(addresses);
  }

  /** This machine carries packets so. */
  carrierFound(found: Required<Pick<Found, "usernet" | "share">>): void {
    Object.assign(this.#found, found);
    this.#settle(found);
  }

  #settle(found: Found): void {
    this.#own = withFields(this.#told, this.#found);
    if (this.#withPeer !== undefined) this.#withPeer = withFields(this.#withPeer, found);
  }

  /**
   * Applies the words of the peer's line, in place of those of an earlier peer. Returns the message for the log when
   * they are wrong.
   */
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
