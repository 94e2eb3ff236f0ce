// IPv6CP over its table of options (options/ipv6cp-options.ts): it asks a silent peer for its identifier, and checks
// the agreement (RFC 5072).

import { u32 } from "../bytes/be.ts";
import { Code, type ConfOption, type OptionList } from "../wire/control.ts";
import { type InterfaceId, interfaceIdOption, Ipv6cpOption } from "../wire/ipv6cp.ts";
import { Protocol } from "../wire/protocols.ts";
import type { Answer, Dialect, Limits, Lower } from "./dialect.ts";
import { type Ipv6cpHost, isNone, isSame } from "./options/ipv6cp/interface-identifier.ts";
import {
  IPV6CP_OPTIONS,
  type Ipv6cpAsked,
  type Ipv6cpHeard,
  type Ipv6cpOptionsConfig,
} from "./options/ipv6cp-options.ts";
import { OptionTalk } from "./options/option-row.ts";

export interface Ipv6cpConfig extends Ipv6cpOptionsConfig {
  /** Accept a peer without an identifier (ipv6cp-noremote). */
  readonly noRemote: boolean;
  readonly limits: Limits;
}

/** The agreement. The peer's identifier is {@link NO_ID} when it has none and needs none. */
export interface Ipv6cpResult {
  our: InterfaceId;
  peer: InterfaceId;
}

export interface Ipv6cpOwner {
  /** IPv6CP agreed. Returns the reason to close IPv6CP when the owner does not accept the agreement. */
  ipv6cpUp(result: Ipv6cpResult, now: number): string | undefined;
  ipv6cpDown(now: number): void;
  ipv6cpFinished(now: number): void;
  /** Closes IPv6CP after up() has returned: the automaton is just changing to Opened. */
  closeIpv6cp(reason: string, now: number): void;
  /** A random number of 32 bits. */
  random32(): number;
}

/** The identifier of a 48-bit hardware address (RFC 5072 §4.1). Like pppd, it always sets the universal bit. */
export function idOfMac(mac: Uint8Array): InterfaceId {
  const bytes = Uint8Array.of(mac[0]! | 2, mac[1]!, mac[2]!, 0xff, 0xfe, mac[3]!, mac[4]!, mac[5]!);
  return { high: u32(bytes, 0), low: u32(bytes, 4) };
}

/** The identifier that `ipv6cp-use-ipaddr` makes from an IPv4 address: `fe80::a00:1` from 10.0.0.1, none from 0. */
export function idOfIpv4(address: number): InterfaceId {
  return { high: 0, low: address >>> 0 };
}

export class Ipv6cp implements Dialect {
  readonly name = "IPV6CP";
  readonly protocol = Protocol.IPV6CP;
  readonly #config: Ipv6cpConfig;
  readonly #talk: OptionTalk<Ipv6cpOptionsConfig, Ipv6cpAsked, Ipv6cpHeard, Ipv6cpHost>;
  readonly #lower: Lower;
  readonly #owner: Ipv6cpOwner;
  /** We have asked the peer once for the identifier that its request left out. */
  #demanded = false;

  constructor(config: Ipv6cpConfig, lower: Lower, owner: Ipv6cpOwner) {
    this.#config = config;
    this.#lower = lower;
    this.#owner = owner;
    this.#talk = new OptionTalk(IPV6CP_OPTIONS, config, owner);
  }

  reset(): void {
    this.#talk.reset();
    this.#demanded = false;
  }

  request(): ConfOption[] {
    return this.#talk.request();
  }

  judge(list: OptionList, rejectOnly: boolean): Answer {
    const answer = this.#talk.judge(list, rejectOnly);
    const named = list.options.some(({ type }) => type === Ipv6cpOption.InterfaceId);
    // A peer whose request has no identifier is asked for it once.
    if (answer.code !== Code.ConfAck || named || this.#config.noRemote || rejectOnly || this.#demanded) return answer;
    this.#demanded = true;
    return { code: Code.ConfNak, options: [interfaceIdOption(this.#config.peer)] };
  }

  understands(options: readonly ConfOption[]): boolean {
    const at = options.findIndex(({ type }) => type === Ipv6cpOption.InterfaceId);
    if (at < 0) return true;
    const again = options.some(({ type }, index) => index > at && type === Ipv6cpOption.InterfaceId);
    // pppd accepts the option only once, and only in first place when it asked for it.
    return this.#talk.understands(options) && !again && !(this.#talk.got.asks && at > 0);
  }

  naked(options: ConfOption[], asReject: boolean): void {
    for (const option of options) this.#talk.naked(option, asReject);
  }

  rejected(options: ConfOption[]): void {
    for (const option of options) this.#talk.rejected(option);
  }

  up(now: number): void {
    const reason = this.#settle(now);
    if (reason !== undefined) this.#owner.closeIpv6cp(reason, now);
  }

  /** Reports the agreement to the owner. Returns the reason when it is not accepted. */
  #settle(now: number): string | undefined {
    const { peer: wanted, noRemote } = this.#config;
    const { our } = this.#talk.got;
    const peer = this.#talk.peer.id ?? wanted;
    let trouble: string | undefined;
    if (isNone(peer) && !noRemote) trouble = "Could not determine remote LL address";
    else if (isSame(our, peer)) trouble = "local and remote LL addresses are equal";
    if (trouble === undefined) return this.#owner.ipv6cpUp({ our, peer }, now);
    this.#lower.log("error", trouble);
    return trouble;
  }

  down(now: number): void {
    this.#owner.ipv6cpDown(now);
  }

  finished(now: number): void {
    this.#owner.ipv6cpFinished(now);
  }
}
