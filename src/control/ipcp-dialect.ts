// IPCP: addresses and name servers (RFC 1332, RFC 1877), by pppd's rules about whose idea of an address wins.

import { type ConfOption, option32, type OptionList, read32 } from "../wire/control.ts";
import {
  addressesOption,
  IpcpOption,
  OLD_VJ,
  oldVjOption,
  readAddresses,
  readCompression,
  type Vj,
  vjOption,
} from "../wire/ipcp.ts";
import { ipv4Text } from "../wire/ip.ts";
import { Protocol } from "../wire/protocols.ts";
import { Code } from "../wire/control.ts";
import { type Answer, type Dialect, type Limits, type Lower, type Verdict, weigh } from "./negotiator.ts";

export interface IpcpConfig {
  /** Our address; 0: the peer tells us. */
  our: number;
  /** The peer's address; 0: it tells us. */
  peer: number;
  /** Take the peer's idea of our address although we have one. */
  acceptLocal: boolean;
  /** Take the peer's idea of its own address although we have one for it. */
  acceptRemote: boolean;
  /** Name servers for the peer, first and second; empty: none to give. */
  dns: readonly number[];
  wins: readonly number[];
  /** Ask the peer for name servers. */
  wantDns: boolean;
  wantWins: boolean;
  /** Say our address (not nosendip). */
  sendAddress: boolean;
  /** The Address option and the old Addresses option may be used (not ipcp-no-address, ipcp-no-addresses). */
  address: boolean;
  addresses: boolean;
  /** Let the peer go without an address (noremoteip). */
  noRemote: boolean;
  /** Van Jacobson header compression: what we ask for, and the most we agree to; undefined: none (novj). */
  vj: Vj | undefined;
  limits: Limits;
}

/** What was agreed; 0: nothing. */
export interface IpcpResult {
  our: number;
  peer: number;
  dns: readonly [number, number];
  wins: readonly [number, number];
  /** Header compression of what we receive, and of what we send. */
  vjReceive: Vj | undefined;
  vjTransmit: Vj | undefined;
}

/** What RFC 1172's form of the option stands for. */
const OLD_VJ_TERMS: Vj = { maxSlot: 15, compressSlot: true };

export interface IpcpOwner {
  /** IPCP agreed. Returns why the agreement will not do, as the reason to close with. */
  ipcpUp(result: IpcpResult, now: number): string | undefined;
  ipcpDown(now: number): void;
  ipcpFinished(now: number): void;
  /** Closes IPCP after up() ran: the automaton is in the middle of becoming Opened. */
  closeIpcp(reason: string, now: number): void;
  /** The address the peer gets when nobody has one for it. */
  madeUpPeerAddress(): number;
}

/** The numbered options that ask for something, and the values we hold of them. */
const SERVERS = [IpcpOption.Dns1, IpcpOption.Dns2, IpcpOption.Wins1, IpcpOption.Wins2] as const;

const FOUR_OCTETS: readonly number[] = [IpcpOption.Address, ...SERVERS];

export class Ipcp implements Dialect {
  readonly name = "IPCP";
  readonly protocol = Protocol.IPCP;
  readonly #config: IpcpConfig;
  readonly #lower: Lower;
  readonly #owner: IpcpOwner;
  /** The peer's address as we want it; secrets may name another than the options did. */
  #wantPeer: number;
  #our = 0;
  /** Which of the address options our request has. */
  #asks: "address" | "addresses" | "nothing" = "address";
  readonly #asked = new Map<number, number>();
  /** What the peer said of itself in the request we took; undefined: nothing. */
  #peer: number | undefined;
  /** What we ask for, and the protocol number of RFC 1172's form if the peer wants that. */
  #vj: Vj | undefined;
  #oldVj: number | undefined;
  #peerVj: Vj | undefined;
  /** The protocol number the peer's own request had, if that was in RFC 1172's form. */
  #peerOldVj: number | undefined;
  /** The form in which the request being judged names addresses first; the other form is refused behind it. */
  #addressForm: number | undefined;
  /** The peer's request left its address out, and we asked it once to put it in. */
  #demandedAddress = false;

  constructor(config: IpcpConfig, lower: Lower, owner: IpcpOwner) {
    this.#config = config;
    this.#lower = lower;
    this.#owner = owner;
    this.#wantPeer = config.peer;
  }

  get wantPeer(): number {
    return this.#wantPeer;
  }

  /** The secrets file has an address for the peer that authenticated itself. */
  set wantPeer(address: number) {
    this.#wantPeer = address;
  }

  reset(): void {
    const { our, sendAddress, address, addresses, wantDns, wantWins } = this.#config;
    this.#our = our;
    this.#asks = !sendAddress ? "nothing" : address ? "address" : addresses ? "addresses" : "nothing";
    this.#asked.clear();
    if (wantDns) this.#asked.set(IpcpOption.Dns1, 0).set(IpcpOption.Dns2, 0);
    if (wantWins) this.#asked.set(IpcpOption.Wins1, 0).set(IpcpOption.Wins2, 0);
    this.#vj = this.#config.vj;
    this.#oldVj = undefined;
    this.#peer = this.#peerVj = this.#peerOldVj = undefined;
    this.#demandedAddress = false;
  }

  request(): ConfOption[] {
    const options: ConfOption[] = [];
    if (this.#asks === "addresses") options.push(addressesOption({ source: this.#our, destination: this.#wantPeer }));
    if (this.#oldVj !== undefined) options.push(oldVjOption(this.#oldVj));
    else if (this.#vj !== undefined) options.push(vjOption(this.#vj));
    if (this.#asks === "address") options.push(option32(IpcpOption.Address, this.#our));
    for (const type of SERVERS) {
      const value = this.#asked.get(type);
      if (value !== undefined) options.push(option32(type, value));
    }
    return options;
  }

  judge(list: OptionList, rejectOnly: boolean): Answer {
    this.#peer = this.#peerVj = this.#peerOldVj = this.#addressForm = undefined;
    const answer = weigh(list, rejectOnly, (option) => this.#verdict(option));
    const { address, noRemote } = this.#config;
    const named = list.options.some(({ type }) => type === IpcpOption.Address || type === IpcpOption.Addresses);
    // A peer that says nothing of its address is asked for it, once.
    if (answer.code === Code.ConfRej || named || !address || noRemote || rejectOnly || this.#demandedAddress)
      return answer;
    this.#demandedAddress = true;
    const options = answer.code === Code.ConfNak ? answer.options : [];
    return { code: Code.ConfNak, options: [...options, option32(IpcpOption.Address, this.#wantPeer)] };
  }

  #verdict(option: ConfOption): Verdict {
    const { value } = option;
    switch (option.type) {
      case IpcpOption.Address: {
        const address = read32(value);
        if (address === undefined || !this.#config.address || !this.#isFirstForm(option.type)) return "reject";
        const wanted = this.#addressVerdict(address);
        return typeof wanted === "number" ? option32(IpcpOption.Address, wanted) : wanted;
      }
      case IpcpOption.Addresses:
        return this.#addressesVerdict(value);
      case IpcpOption.Compression:
        return this.#vjVerdict(option);
      case IpcpOption.Dns1:
      case IpcpOption.Dns2:
        return serverVerdict(option, this.#config.dns, option.type === IpcpOption.Dns2);
      case IpcpOption.Wins1:
      case IpcpOption.Wins2:
        return serverVerdict(option, this.#config.wins, option.type === IpcpOption.Wins2);
      default:
        return "reject";
    }
  }

  #isFirstForm(type: number): boolean {
    this.#addressForm ??= type;
    return this.#addressForm === type;
  }

  /** Whether the peer may call itself so; a number is what it should say instead. */
  #addressVerdict(address: number): "ack" | "reject" | number {
    const wanted = this.#wantPeer;
    const free = this.#config.acceptRemote || wanted === 0;
    // Neither knows it: the option is refused, and it would be idle to ask for it later.
    if (address === 0 && wanted === 0) {
      this.#demandedAddress = true;
      return "reject";
    }
    if (address !== wanted && (address === 0 || !free)) return wanted;
    this.#peer = address;
    return "ack";
  }

  /** The old option says both addresses at once (RFC 1172 §5.1). */
  #addressesVerdict(value: Uint8Array): Verdict {
    const addresses = readAddresses(value);
    if (addresses === undefined || !this.#config.addresses || !this.#isFirstForm(IpcpOption.Addresses)) return "reject";
    const source = this.#addressVerdict(addresses.source);
    if (source === "reject") return "reject";
    let { destination } = addresses;
    if (destination !== this.#our && (destination === 0 || !this.#acceptsLocal)) {
      if (this.#our === 0) return "reject";
      destination = this.#our;
    } else if (this.#our === 0) this.#our = destination;
    if (source === "ack" && destination === addresses.destination) return "ack";
    return addressesOption({ source: source === "ack" ? addresses.source : source, destination });
  }

  #vjVerdict({ value }: ConfOption): Verdict {
    const most = this.#config.vj;
    const asked = readCompression(value);
    if (most === undefined || asked === undefined) return "reject";
    if (asked.vj === undefined) {
      const isOld = value.length === 2 && (asked.protocol === Protocol.VJ_COMP || asked.protocol === OLD_VJ);
      if (!isOld) return "reject";
      this.#peerVj = OLD_VJ_TERMS;
      this.#peerOldVj = asked.protocol;
      return "ack";
    }
    const { maxSlot, compressSlot } = asked.vj;
    if (maxSlot > most.maxSlot || (compressSlot && !most.compressSlot))
      return vjOption({
        maxSlot: Math.min(maxSlot, most.maxSlot),
        compressSlot: compressSlot && most.compressSlot,
      });
    this.#peerVj = asked.vj;
    return "ack";
  }

  /** The peer's idea of the compression we asked for: no more than that, or RFC 1172's form of it. */
  #vjNaked(value: Uint8Array): void {
    const offer = readCompression(value);
    if (this.#vj === undefined || offer === undefined) return;
    if (offer.vj !== undefined) {
      this.#oldVj = undefined;
      this.#vj = {
        maxSlot: Math.min(this.#vj.maxSlot, offer.vj.maxSlot),
        compressSlot: this.#vj.compressSlot && offer.vj.compressSlot,
      };
    } else if (value.length === 2 && (offer.protocol === Protocol.VJ_COMP || offer.protocol === OLD_VJ))
      this.#oldVj = offer.protocol;
    else this.#vj = this.#oldVj = undefined;
  }

  /** A peer that asks for it in RFC 1172's form may know no other. */
  #vjRejected(): void {
    this.#oldVj = this.#oldVj === undefined ? this.#peerOldVj : undefined;
    if (this.#oldVj === undefined) this.#vj = undefined;
  }

  get #acceptsLocal(): boolean {
    return this.#config.acceptLocal || this.#config.our === 0;
  }

  understands(options: readonly ConfOption[]): boolean {
    return options.every(({ type, value }) => {
      if (type === IpcpOption.Addresses) return readAddresses(value) !== undefined;
      return !FOUR_OCTETS.includes(type) || read32(value) !== undefined;
    });
  }

  naked(options: ConfOption[], asReject: boolean): void {
    for (const option of options) {
      const address = read32(option.value) ?? 0;
      switch (option.type) {
        case IpcpOption.Address:
          if (asReject) this.#asks = "nothing";
          else if (this.#acceptsLocal && address !== 0) this.#our = address;
          break;
        case IpcpOption.Addresses: {
          const addresses = readAddresses(option.value)!;
          if (asReject) this.#asks = "nothing";
          else {
            if (this.#asks === "address" && this.#config.addresses) this.#asks = "addresses";
            if (this.#acceptsLocal && addresses.source !== 0) this.#our = addresses.source;
          }
          if (!asReject && this.#config.acceptRemote && addresses.destination !== 0)
            this.#wantPeer = addresses.destination;
          break;
        }
        case IpcpOption.Compression:
          if (asReject) this.#vj = this.#oldVj = undefined;
          else this.#vjNaked(option.value);
          break;
        case IpcpOption.Dns1:
        case IpcpOption.Dns2:
        case IpcpOption.Wins1:
        case IpcpOption.Wins2:
          // A peer may name servers that nobody asked it for, and insist: UMTS modems do.
          if (asReject) this.#asked.delete(option.type);
          else this.#asked.set(option.type, address);
          break;
      }
    }
  }

  rejected(options: ConfOption[]): void {
    for (const { type } of options) {
      if (type === IpcpOption.Address) this.#asks = this.#config.addresses ? "addresses" : "nothing";
      else if (type === IpcpOption.Addresses) this.#asks = "nothing";
      else if (type === IpcpOption.Compression) this.#vjRejected();
      else this.#asked.delete(type);
    }
  }

  up(now: number): void {
    const reason = this.#settle(now);
    if (reason !== undefined) this.#owner.closeIpcp(reason, now);
  }

  /** Draws the agreement together and hands it up; what is returned is the reason why there is none. */
  #settle(now: number): string | undefined {
    const config = this.#config;
    if (this.#asks === "nothing" && config.sendAddress && (config.address || config.addresses) && config.our !== 0) {
      this.#lower.log("error", "Peer refused to agree to our IP address");
      const our = ipv4Text(config.our);
      this.#lower.log("error", `Here ${our} was given: ipcp-accept-local takes what the peer says, or give it :${our}`);
      return "Refused our IP address";
    }
    if (this.#our === 0) {
      this.#lower.log("error", "Could not determine local IP address");
      this.#lower.log("error", "Neither end said it: give ADDRESS: at this end, or :ADDRESS at the other");
      return "Could not determine local IP address";
    }
    let peer = this.#peer ?? this.#wantPeer;
    if (peer === 0 && !config.noRemote) {
      peer = this.#owner.madeUpPeerAddress();
      this.#lower.log("warn", `Could not determine remote IP address: defaulting to ${ipv4Text(peer)}`);
    }
    if (config.peer !== 0 && peer !== this.#wantPeer && !config.acceptRemote) {
      this.#lower.log("error", "Peer refused to agree to his IP address");
      const want = ipv4Text(this.#wantPeer);
      this.#lower.log(
        "error",
        `Here :${want} was given: ipcp-accept-remote takes what the peer says, or give it ${want}:`,
      );
      return "Refused his IP address";
    }
    const vjReceive = this.#oldVj === undefined ? this.#vj : OLD_VJ_TERMS;
    return this.#owner.ipcpUp(
      {
        our: this.#our,
        peer,
        dns: [this.#asked.get(IpcpOption.Dns1) ?? 0, this.#asked.get(IpcpOption.Dns2) ?? 0],
        wins: [this.#asked.get(IpcpOption.Wins1) ?? 0, this.#asked.get(IpcpOption.Wins2) ?? 0],
        vjReceive,
        // The kernel of a pppd that refused ours has nothing to uncompress with, whatever the pppd asked for.
        vjTransmit: vjReceive && this.#peerVj,
      },
      now,
    );
  }

  down(now: number): void {
    this.#owner.ipcpDown(now);
  }

  finished(now: number): void {
    this.#owner.ipcpFinished(now);
  }
}

function serverVerdict(option: ConfOption, servers: readonly number[], second: boolean): Verdict {
  const address = read32(option.value);
  const wanted = servers[second ? 1 : 0];
  if (address === undefined || wanted === undefined || wanted === 0) return "reject";
  return address === wanted ? "ack" : option32(option.type, wanted);
}
