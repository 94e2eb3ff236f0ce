// IPv6CP: interface identifiers (RFC 5072), by pppd's rules about whose idea of an identifier wins.

import { u32 } from "../bytes/be.ts";
import { Code, type ConfOption, type OptionList } from "../wire/control.ts";
import { type InterfaceId, interfaceIdOption, Ipv6cpOption, readInterfaceId } from "../wire/ipv6cp.ts";
import { Protocol } from "../wire/protocols.ts";
import { type Answer, type Dialect, type Limits, type Lower, type Verdict, weigh } from "./negotiator.ts";

export interface Ipv6cpConfig {
  /** Our identifier; {@link NO_ID}: one is made up, and the peer may name another. */
  our: InterfaceId;
  /** The peer's identifier; {@link NO_ID}: it tells us. */
  peer: InterfaceId;
  /** Take the peer's idea of our identifier although we have one. */
  acceptLocal: boolean;
  /** Take the peer's idea of its own identifier although we have one for it. */
  acceptRemote: boolean;
  /** Let the peer go without an identifier (ipv6cp-noremote). */
  noRemote: boolean;
  /** Do not say ours (ipv6cp-nosend). */
  noSend: boolean;
  limits: Limits;
}

/** What was agreed; the peer's is {@link NO_ID} when it has none and needs none. */
export interface Ipv6cpResult {
  our: InterfaceId;
  peer: InterfaceId;
}

export interface Ipv6cpOwner {
  /** IPv6CP agreed. Returns why the agreement will not do, as the reason to close with. */
  ipv6cpUp(result: Ipv6cpResult, now: number): string | undefined;
  ipv6cpDown(now: number): void;
  ipv6cpFinished(now: number): void;
  /** Closes IPv6CP after up() ran: the automaton is in the middle of becoming Opened. */
  closeIpv6cp(reason: string, now: number): void;
  /** A random number of 32 bits. */
  random32(): number;
}

export const NO_ID: InterfaceId = { high: 0, low: 0 };

/** RFC 5072 §4.1: set only in an identifier that is the world's only one. */
const UNIVERSAL = 0x02000000;

/** Of a hardware address of 48 bits (RFC 5072 §4.1), always marked as universal, as pppd marks it. */
export function idOfMac(mac: Uint8Array): InterfaceId {
  const bytes = Uint8Array.of(mac[0]! | 2, mac[1]!, mac[2]!, 0xff, 0xfe, mac[3]!, mac[4]!, mac[5]!);
  return { high: u32(bytes, 0), low: u32(bytes, 4) };
}

/** `fe80::a00:1` of 10.0.0.1, as `ipv6cp-use-ipaddr` wants it; of 0 it is none. */
export function idOfIpv4(address: number): InterfaceId {
  return { high: 0, low: address >>> 0 };
}

export class Ipv6cp implements Dialect {
  readonly name = "IPV6CP";
  readonly protocol = Protocol.IPV6CP;
  readonly #config: Ipv6cpConfig;
  readonly #lower: Lower;
  readonly #owner: Ipv6cpOwner;
  #our = NO_ID;
  /** Our request has the option. */
  #asks = true;
  /** What the peer said of itself in the request we took; undefined: nothing. */
  #peer: InterfaceId | undefined;
  /** What we last told the peer to call itself; undefined: nothing yet. */
  #proposed: InterfaceId | undefined;
  /** The peer's request left its identifier out, and we asked it once to put it in. */
  #demanded = false;

  constructor(config: Ipv6cpConfig, lower: Lower, owner: Ipv6cpOwner) {
    this.#config = config;
    this.#lower = lower;
    this.#owner = owner;
  }

  reset(): void {
    const { our, noSend } = this.#config;
    this.#our = isNone(our) ? this.#madeUp(NO_ID) : our;
    this.#asks = !noSend;
    this.#peer = this.#proposed = undefined;
    this.#demanded = false;
  }

  request(): ConfOption[] {
    return this.#asks ? [interfaceIdOption(this.#our)] : [];
  }

  judge(list: OptionList, rejectOnly: boolean): Answer {
    this.#peer = undefined;
    const answer = weigh(list, rejectOnly, (option) => this.#verdict(option));
    const named = list.options.some(({ type }) => type === Ipv6cpOption.InterfaceId);
    // A peer that says nothing of its identifier is asked for it, once.
    if (answer.code !== Code.ConfAck || named || this.#config.noRemote || rejectOnly || this.#demanded) return answer;
    this.#demanded = true;
    return { code: Code.ConfNak, options: [interfaceIdOption(this.#config.peer)] };
  }

  #verdict(option: ConfOption): Verdict {
    const id = option.type === Ipv6cpOption.InterfaceId ? readInterfaceId(option.value) : undefined;
    if (id === undefined) return "reject";
    const { peer: wanted, acceptRemote } = this.#config;
    const first = this.#proposed === undefined;
    // pppd says its own idea once, and gives in to a peer that insists.
    if (first && !isNone(wanted) && !acceptRemote && !isSame(id, wanted)) return this.#propose(wanted);
    if (isNone(id) || isSame(id, this.#our)) {
      const idea = first ? wanted : NO_ID;
      return this.#propose(isNone(idea) || isSame(idea, this.#our) ? this.#madeUp(this.#our) : idea);
    }
    this.#peer = id;
    return "ack";
  }

  #propose(id: InterfaceId): ConfOption {
    this.#proposed = id;
    return interfaceIdOption(id);
  }

  understands(options: readonly ConfOption[]): boolean {
    const at = options.findIndex(({ type }) => type === Ipv6cpOption.InterfaceId);
    if (at < 0) return true;
    const again = options.some(({ type }, index) => index > at && type === Ipv6cpOption.InterfaceId);
    // pppd wants what it asked for first, and once.
    return readInterfaceId(options[at]!.value) !== undefined && !again && !(this.#asks && at > 0);
  }

  naked(options: ConfOption[], asReject: boolean): void {
    const offer = options.find(({ type }) => type === Ipv6cpOption.InterfaceId);
    const id = offer && readInterfaceId(offer.value);
    if (id === undefined) return;
    const { our, acceptLocal, noSend } = this.#config;
    if (this.#asks && asReject) {
      this.#asks = false;
      return;
    }
    // Asked for what we did not say, we say it; but not with nosend, unless the peer says what to say.
    if (!this.#asks && noSend && isNone(id)) return;
    this.#asks = true;
    if (!acceptLocal && !isNone(our)) return;
    const proposed = this.#proposed ?? NO_ID;
    this.#our = isNone(id) || isSame(id, proposed) ? this.#madeUp(proposed) : id;
  }

  /** The value is not compared: pppd itself rejects with the one it would rather have seen. */
  rejected(options: ConfOption[]): void {
    if (options.some(({ type }) => type === Ipv6cpOption.InterfaceId)) this.#asks = false;
  }

  up(now: number): void {
    const reason = this.#settle(now);
    if (reason !== undefined) this.#owner.closeIpv6cp(reason, now);
  }

  /** Draws the agreement together and hands it up; what is returned is the reason why there is none. */
  #settle(now: number): string | undefined {
    const { peer: wanted, noRemote } = this.#config;
    const our = this.#our;
    const peer = this.#peer ?? wanted;
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

  /** A random identifier that is neither none nor `other`. */
  #madeUp(other: InterfaceId): InterfaceId {
    const high = (this.#owner.random32() & ~UNIVERSAL) >>> 0;
    let low = this.#owner.random32();
    while ((high === 0 && low === 0) || (high === other.high && low === other.low)) low = (low + 1) >>> 0;
    return { high, low };
  }
}

function isNone({ high, low }: InterfaceId): boolean {
  return high === 0 && low === 0;
}

function isSame(one: InterfaceId, other: InterfaceId): boolean {
  return one.high === other.high && one.low === other.low;
}
