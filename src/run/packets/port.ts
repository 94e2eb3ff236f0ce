// A packet port: a link, or a bundle of links, takes its packets from it and brings packets to it. It is the TUN, or the TUN
// that `demand` holds open, or the sockets of `usernet`, or the proxy of `socks`. Anything else that takes IP packets can be one.

import type { InterfaceId } from "../../wire/ipv6cp.ts";
import type { NetDevice } from "../host/interfaces.ts";
import type { FlowCounts } from "../../stack/flow-count.ts";
import type { Memory } from "../machine.ts";

/** The largest packet that a port gives. */
export const MAX_PACKET = 16384;

/** What carries the packets away. */
export interface Load {
  /** Bits a second of all lines together; 0: not known. */
  readonly rate: number;
  /** How much more the lines carry because packets are compressed. */
  readonly gain: number;
  readonly octetsOut: number;
}

/** The network protocols that are up. */
export interface ProtocolsUp {
  readonly ipv4Up: boolean;
  readonly ipv6Up: boolean;
}

/** Waits for a script. False when a signal ended the wait. */
export type Outlast = (script: Promise<void> | undefined) => Promise<boolean>;

export interface PacketPort {
  /** The interface's name. */
  readonly name: string;
  /** The kernel's interface that the packets come from. Undefined: there is none. */
  readonly device: NetDevice | undefined;
  /** The interface's number, which goes into the addresses we make up. */
  readonly unit: number;

  /** Name queries to our own address are answered, whatever serves names on this machine. */
  readonly relaysNames: boolean;
  /** A port of our address leads to this port of the loopback, or to where it would. Without it, there is an interface or no way. */
  setService?(protocol: "tcp" | "udp", port: number, loopbackPort: number | undefined): void;
  /** What goes through sockets, if anything does. */
  readonly flows?: FlowCounts;

  // ── packets ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Readable when there is a packet; in error when the interface is gone. */
  readonly fd: number;
  /** Packets that are not read wait in the kernel. False: the port makes them when they are read. */
  readonly waitsInKernel: boolean;
  /** {@link read} has a packet, whatever the descriptor says. */
  readonly hasKept: boolean;
  /** Reads a packet of at most {@link MAX_PACKET} octets to `at` and returns its length. 0 or less: there is none now. */
  read(into: Memory, at: number, up: ProtocolsUp): number;
  write(from: Memory, start: number, end: number): void;
  /** Takes back a packet that was read and not sent, for the next link. False: it has no room. Without it, such packets are lost. */
  keep?(packet: Uint8Array, start: number, end: number): boolean;

  /** Called when the descriptor is readable while no packets are carried. Without it, the descriptor is not waited for then. */
  idle?(now: number): void;

  /** When the port has something to do by itself. Infinity: never. */
  nextTimeout(): number;
  handleTimeout(now: number): void;

  // ── a link begins and ends ───────────────────────────────────────────────────────────────────────────────────────

  /** A link on a line of this speed is about to use the port. Returns false when a signal ended the wait for net-init. */
  begin(speed: number, outlast: Outlast): Promise<boolean>;
  /** Removes the addresses and routes of the link. A second call does nothing. */
  takeBack(): void;
  /** The link is over: tells the scripts. */
  finish(): void;
  /** Lets go of the interface, unless it stays for the next link. */
  release(): void;
  /** Somebody removed the interface. */
  lost(): void;

  // ── the network protocols ────────────────────────────────────────────────────────────────────────────────────────

  /** The interface has addresses before the link: the log has named them, and ip-pre-up has run. */
  readonly hasIpv4: boolean;
  readonly hasIpv6: boolean;
  /** Asks for the interface's name. Returns true when a script has changed it. */
  readName(): boolean;
  /** The peer's name servers; 0: none. They are told before {@link ipv4Up}. */
  setServers?(servers: readonly number[]): void;
  /** Sets the addresses that IPCP agreed on, unless it has some. Throws HostError. */
  setAddresses(our: number, peer: number): void;
  /** IPv4 is up with these addresses. Throws HostError. */
  ipv4Up(our: number, peer: number, mtu: number): void;
  ipv4Down(): void;
  /** The same for IPv6. When it fails, logs why and returns the reason to close IPv6CP with. */
  ipv6Up(our: InterfaceId, peer: InterfaceId, mtu: number): string | undefined;
  ipv6Down(): void;
  /** Our address in the network of the link, 64 bits of it, until IPv6 is down. False: it cannot be set, and the log says why. */
  setNetworkAddress(address: Uint8Array): boolean;
  /** The first protocol of a link is up. */
  opened(mtu: number, load: Load, now: number): void;
  setMtu(mtu: number): void;
  /** Called now and then. Adjusts what waits for the lines to what they carry. */
  fitQueue(load: Load, now: number): void;
  /** The port gives no packets before {@link peerReady}: the link asks the peer when it is ready for packets. */
  readonly awaitsPeer: boolean;
  /** The peer is ready for packets of these protocols. */
  peerReady(protocols: { readonly ipv4: boolean; readonly ipv6: boolean }): void;
}

/** pppd invents 10.64.64.64 plus the unit number for a peer without an address. */
const MADE_UP_PEER = 0x0a404040;

export function madeUpPeer({ unit }: PacketPort): number {
  return MADE_UP_PEER + unit;
}
