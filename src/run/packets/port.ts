// A packet port: where a link, or a bundle of links, takes its packets from and brings them to. It is the TUN, or the TUN
// that `demand` holds open; anything else that takes IP packets can be one.

import type { InterfaceId } from "../../wire/ipv6cp.ts";
import type { Memory } from "../machine.ts";

/** The largest packet a port gives. */
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
  /** The interface's number, which goes into the addresses we make up. */
  readonly unit: number;

  // ── packets ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Readable when there is a packet; in error when the interface is gone. */
  readonly fd: number;
  /** {@link read} has a packet, whatever the descriptor says. */
  readonly hasKept: boolean;
  /** Octets of a packet read to `at`, {@link MAX_PACKET} at most; 0 or less: there is none now. */
  read(into: Memory, at: number, up: ProtocolsUp): number;
  write(from: Memory, start: number, end: number): void;

  // ── a link begins and ends ───────────────────────────────────────────────────────────────────────────────────────

  /** A link is about to use it, on a line of this speed. False: a signal says that there will be none. */
  begin(speed: number, outlast: Outlast): Promise<boolean>;
  /** Takes back what the link made of the interface: addresses, routes. Harmless when it is done again. */
  takeBack(): void;
  /** The link is over, and the scripts are told of that. */
  finish(): void;
  /** Lets go of the interface, unless it stays for the next link. */
  release(): void;
  /** Somebody removed the interface. */
  lost(): void;

  // ── the network protocols ────────────────────────────────────────────────────────────────────────────────────────

  /** It has addresses before any link does: no script has to run before it goes up, and the log has named them. */
  readonly hasIpv4: boolean;
  readonly hasIpv6: boolean;
  /** A script may have renamed the interface. True: it has. */
  readName(): boolean;
  /** Sets the addresses that IPCP agreed on, unless it has some. Throws HostError. */
  setAddresses(our: number, peer: number): void;
  /** IPv4 is up with these addresses. `queue` is how many packets may wait in the interface. Throws HostError. */
  ipv4Up(our: number, peer: number, mtu: number, queue: number): void;
  ipv4Down(): void;
  /** The same for IPv6. What is returned is the reason to close IPv6CP with; the log knows more. */
  ipv6Up(our: InterfaceId, peer: InterfaceId, mtu: number, queue: number): string | undefined;
  ipv6Down(): void;
  /** The first protocol of a link is up. */
  opened(mtu: number, load: Load, now: number): void;
  setMtu(mtu: number): void;
  /** Called now and then: the queue is to last equally long whatever the line makes of its packets. */
  fitQueue(mtu: number, load: Load, now: number): void;
  /** It gives no packets before {@link peerReady}: the peer is asked, and says when it is ready for them. */
  readonly awaitsPeer: boolean;
  /** The peer is ready for packets of these protocols. */
  peerReady(protocols: { readonly ipv4: boolean; readonly ipv6: boolean }): void;
}
