// IP-Address, and the deprecated IP-Addresses that names both ends at once (RFC 1332 §3.1, §3.3; RFC 1172 §5.1). The
// rules of pppd decide which side's address wins.

import { u32 } from "../../../bytes/be.ts";
import { option32, read32, type Verdict } from "../../../wire/control.ts";
import { ipv4Text } from "../../../wire/ip.ts";
import { addressesOption, IpcpOption, readAddresses } from "../../../wire/ipcp.ts";
import type { IpcpRow, IpcpTalk } from "./ipcp-row.ts";

/** Addresses of a list that the peer goes through too, where nobody has given any. */
export interface AddressChoice {
  /** An address in place of one that this machine cannot use. Undefined: it can, or there is no other. */
  instead(of: number): number | undefined;
  /** The other end's address that belongs to one of the list. */
  partner(of: number): number | undefined;
}

interface AddressConfig {
  /** Our address. 0: the peer names it. */
  readonly our: number;
  /** Accept the address that the peer names for us, even if we have one. */
  readonly acceptLocal: boolean;
  /** Accept the address that the peer names for itself, even if we have one for it. */
  readonly acceptRemote: boolean;
  /** Send our address (not nosendip). */
  readonly sendAddress: boolean;
  /** The Address option and the old Addresses option may be used (not ipcp-no-address, ipcp-no-addresses). */
  readonly address: boolean;
  readonly addresses: boolean;
  /** Undefined: the addresses are given, or the peer names them. */
  readonly choice?: AddressChoice | undefined;
  /** What to propose when neither side knows an address. Undefined: there will be none. */
  readonly proposal?: { readonly our: number; readonly peer: number } | undefined;
}

interface OurAddress {
  our: number;
  /** The form in which our request names addresses. */
  asks: "address" | "addresses" | "nothing";
  /** The peer was asked once for the address that its request left out, or there is none to ask for. */
  demandedAddress: boolean;
  /** Addresses that this machine cannot use and that were answered with others. A peer that insists on one gets it. */
  declined: readonly number[];
}

interface TheirAddress {
  /** The address in the peer's request. Undefined: it had none. */
  address: number | undefined;
  /** The form that the peer's request used first. The other form is refused after it. */
  form: number | undefined;
}

type AddressRow = IpcpRow<AddressConfig, OurAddress, TheirAddress>;
type AddressTalk = IpcpTalk<AddressConfig, OurAddress, TheirAddress>;

const OURS: OurAddress = { our: 0, asks: "address", demandedAddress: false, declined: [] };
const THEIRS: TheirAddress = { address: undefined, form: undefined };

export const ipAddress: AddressRow = {
  type: IpcpOption.Address,
  got: OURS,
  peer: THEIRS,
  describe: (packet, at, length) =>
    length === 4 ? { text: `addr ${ipv4Text(u32(packet, at))}`, next: at + 4 } : undefined,
  start({ config, got }) {
    got.our = config.our;
    got.asks = !config.sendAddress
      ? "nothing"
      : config.address
        ? "address"
        : config.addresses
          ? "addresses"
          : "nothing";
  },
  ask: ({ got }) => (got.asks === "address" ? option32(IpcpOption.Address, got.our) : undefined),
  judge(value, talk) {
    const address = read32(value);
    if (address === undefined || !talk.config.address || !isFirstForm(IpcpOption.Address, talk)) return "reject";
    const wanted = judgeAddress(address, talk);
    return typeof wanted === "number" ? option32(IpcpOption.Address, wanted) : wanted;
  },
  understands: (value) => read32(value) !== undefined,
  naked(value, talk, asReject) {
    const address = read32(value)!;
    if (asReject) talk.got.asks = "nothing";
    else if (acceptsLocal(talk.config) && address !== 0) takeOwn(address, talk);
  },
  rejected({ config, got }) {
    // The peer does not know ours. It may accept one, as pppd does.
    if (got.our === 0 && config.proposal !== undefined) {
      got.our = config.proposal.our;
      return;
    }
    got.asks = config.addresses ? "addresses" : "nothing";
  },
};

export const ipAddresses: AddressRow = {
  type: IpcpOption.Addresses,
  got: OURS,
  peer: THEIRS,
  describe(packet, at, length) {
    if (length !== 8) return undefined;
    return { text: `addrs ${ipv4Text(u32(packet, at))} ${ipv4Text(u32(packet, at + 4))}`, next: at + length };
  },
  ask: ({ got, host }) =>
    got.asks === "addresses" ? addressesOption({ source: got.our, destination: host.wantPeer }) : undefined,
  judge: judgeBoth,
  understands: (value) => readAddresses(value) !== undefined,
  naked(value, { config, got, host }, asReject) {
    const { source, destination } = readAddresses(value)!;
    if (asReject) {
      got.asks = "nothing";
      return;
    }
    if (got.asks === "address" && config.addresses) got.asks = "addresses";
    if (acceptsLocal(config) && source !== 0) got.our = source;
    if (config.acceptRemote && destination !== 0) host.wantPeer = destination;
  },
  rejected({ got }) {
    got.asks = "nothing";
  },
};

function acceptsLocal({ acceptLocal, our }: AddressConfig): boolean {
  return acceptLocal || our === 0;
}

/** Takes the address that the peer names for us, or the one in place of it. The peer's address is to belong to it. */
function takeOwn(named: number, talk: AddressTalk): void {
  const { config, got, host } = talk;
  got.our = otherThan(named, talk) ?? named;
  if (host.wantPeer !== 0) host.wantPeer = config.choice?.partner(got.our) ?? host.wantPeer;
}

/** The address to answer with, once, when this machine cannot use one. */
function otherThan(named: number, { config, got }: AddressTalk): number | undefined {
  const other = got.declined.includes(named) ? undefined : config.choice?.instead(named);
  if (other !== undefined) got.declined = [...got.declined, named];
  return other;
}

function isFirstForm(type: number, { peer }: AddressTalk): boolean {
  peer.form ??= type;
  return peer.form === type;
}

/** Judges the address that the peer names for itself. A number is the address that it should use instead. */
function judgeAddress(address: number, talk: AddressTalk): "ack" | "reject" | number {
  const { config, got, peer, host } = talk;
  const wanted = address === 0 ? host.wantPeer || (config.proposal?.peer ?? 0) : host.wantPeer;
  const free = config.acceptRemote || wanted === 0;
  // Neither side knows the peer's address. The option is refused, and asking for it later would be useless.
  if (address === 0 && wanted === 0) {
    got.demandedAddress = true;
    return "reject";
  }
  if (address !== wanted && (address === 0 || !free)) return wanted;
  const other = otherThan(address, talk);
  if (other !== undefined) return other;
  peer.address = address;
  return "ack";
}

function judgeBoth(value: Uint8Array, talk: AddressTalk): Verdict {
  const { config, got } = talk;
  const addresses = readAddresses(value);
  if (addresses === undefined || !config.addresses || !isFirstForm(IpcpOption.Addresses, talk)) return "reject";
  const source = judgeAddress(addresses.source, talk);
  if (source === "reject") return "reject";
  let { destination } = addresses;
  if (destination !== got.our && (destination === 0 || !acceptsLocal(config))) {
    if (got.our === 0) return "reject";
    destination = got.our;
  } else if (got.our === 0) got.our = destination;
  if (source === "ack" && destination === addresses.destination) return "ack";
  return addressesOption({ source: source === "ack" ? addresses.source : source, destination });
}
