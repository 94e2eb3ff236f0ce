// The addresses that the peer may use, as the secrets files and the options say.

import { printable } from "../../bytes/text.ts";
import type { Config } from "../../options/config.ts";
import type { OptionHost } from "../../options/host.ts";
import { formatIpv4 } from "../../options/numbers.ts";
import { asSentence } from "../../options/secret-search.ts";
import { addressAllowed, type AddressList, addressList } from "../../options/secrets.ts";
import type { Log } from "../log.ts";

export class PeerAddresses {
  readonly #host: OptionHost;
  readonly #log: Log;
  /** Undefined when no peer has authenticated itself. */
  #words: readonly string[] | undefined;
  #list: AddressList | undefined;
  /** The source of the words, as a message names it. */
  #source = "";
  #trouble: string | undefined;
  #unit = 0;

  constructor(host: OptionHost, log: Log) {
    this.#host = host;
    this.#log = log;
  }

  /** The words are address specifications, as in a secrets file. */
  set(words: readonly string[], source: string): void {
    this.#words = words;
    this.#source = source;
  }

  clear(): void {
    this.#words = this.#list = undefined;
  }

  /** The address for the peer. Undefined when `wanted` (0: none) can stay. `unit` is the N of pppN. */
  addressFor(wanted: number, unit: number): number | undefined {
    this.#unit = unit;
    this.#list = undefined;
    const list = this.#allowed();
    if (list?.suggested === undefined) return undefined;
    return wanted === 0 || !addressAllowed(list, wanted) ? list.suggested : undefined;
  }

  mayUse(address: number, { facts }: Config): boolean {
    const list = this.#allowed();
    if (list === undefined) return !facts.authRequired;
    const allowed = addressAllowed(list, address);
    if (!allowed) {
      const words = this.#words?.map(printable).join(" ") ?? "";
      const rule = words === "" ? "allows the peer no address" : `allows the peer: ${words}`;
      this.#trouble = asSentence(`${this.#source} ${rule}; it wants ${formatIpv4(address)}`);
    }
    return allowed;
  }

  /** The message about an address that the peer may not use. Each message is returned once. */
  takeTrouble(): string | undefined {
    const trouble = this.#trouble;
    this.#trouble = undefined;
    return trouble;
  }

  #allowed(): AddressList | undefined {
    if (this.#words === undefined) return undefined;
    this.#list ??= addressList(
      this.#words,
      {
        host: (name) => this.#host.resolveHost(name),
        network: (name) => this.#host.resolveNetwork(name),
        warn: (text) => this.#log.write("warn", text),
      },
      this.#unit,
    );
    return this.#list;
  }
}

/** True for addresses that no host can have: loopback, multicast, class E and "this network". */
export function isNobodys(address: number): boolean {
  const first = address >>> 24;
  return first === 0 || first === 127 || first >= 224;
}
