// A flow: a connection, datagrams or echoes between one port of the peer and one address, with its socket. FlowTable finds
// flows by their addresses; StackHost is what a flow needs of the stack.

import { u32 } from "../bytes/be.ts";
import type { Timed } from "./deadlines.ts";
import type { Ends, IpPacket } from "./ip-packet.ts";
import type { RingPool } from "./sequence.ts";
import type { Gateway } from "./gateway.ts";
import type { SocketSide } from "./socket-side.ts";
import type { LineToPeer } from "./tcp-sender.ts";

/** Ports of flows that this machine opens (RFC 6335 §6), and how many of them are tried. */
const PORTS = { first: 49152, count: 16384, tries: 256 } as const;

/** Something that may have packets for the peer. All of them have their turns. */
export interface Source {
  /** Below 0: it has no socket. */
  readonly socket: number;
  readonly heapPlace: number;
  /** It waits in the stack's queue of those that may have a packet. */
  isQueued: boolean;
  nextQueued: Source | undefined;
  previousQueued: Source | undefined;
  /**
   * Writes the next packet for the peer. Returns its length. 0: there is none now, or the stack has it as a reply. Then the source
   * is asked again only when it is woken.
   */
  take(into: Uint8Array, at: number, now: number): number;
}

export interface Flow extends Timed, Source {
  readonly ends: Ends;
  /** The ports, of which the far one is in the high half. */
  readonly ports: number;
  /** The next flow with the same hash. */
  chained: Flow | undefined;
  heapPlace: number;
  handleTimeout(now: number): void;
  /** The socket may be read, or written. */
  ready(readable: boolean, writable: boolean, now: number): void;
  /** Ends at once: the stack is closed, or the flow has to make room for others. */
  end(): void;
}

/** Takes datagrams for our own address. */
export interface OwnDatagrams {
  /** The datagram bytes[start, end), sent by ends.peer to a port of ends.far. False: nothing waits at that port. */
  receive(ends: Ends, ports: number, bytes: Uint8Array, start: number, end: number, now: number): boolean;
  /** A router, or the host itself, reports that a datagram of ours to this host did not arrive. */
  failed(peer: Uint8Array, ports: number, now: number): void;
}

export interface StackHost {
  readonly side: SocketSide;
  readonly gateway: Gateway;
  readonly pool: RingPool;
  readonly line: LineToPeer;
  readonly mtu: number;
  readonly own: OwnDatagrams | undefined;
  /** A random number of 32 bits. */
  random(): number;
  /** There are as many flows as there may be. */
  isFull(): boolean;
  /** The flow may have a packet. */
  wake(flow: Flow): void;
  /** The flow has a socket from now on. */
  watch(flow: Flow): void;
  setDeadline(flow: Flow, at: number): void;
  /** A packet for the peer that belongs to no flow any more. It is copied. */
  reply(packet: Uint8Array, start: number, end: number): void;
  /** The payload of a packet for the peer. It goes in fragments if it is larger than the MTU. */
  replyWith(ends: Ends, protocol: number, payload: Uint8Array, size: number): void;
  /** Closes the socket of a flow, with a reset if it is to abort. */
  closeSocket(socket: number, abort: boolean): void;
  /** Removes the flow. The flow has closed its socket. */
  forget(flow: Flow): void;
}

export function portsOf(far: number, peer: number): number {
  return ((far << 16) | peer) >>> 0;
}

/** Mixes the addresses far[farAt…] and peer[peerAt…] into a hash. */
function hashOf(far: Uint8Array, farAt: number, peer: Uint8Array, peerAt: number, size: number, seed: number): number {
  let hash = seed;
  for (let at = 0; at < size; at += 4) {
    hash = Math.imul(hash ^ u32(far, farAt + at), 0x9e3779b1);
    hash = Math.imul((hash ^ (hash >>> 15)) + u32(peer, peerAt + at), 0x85ebca6b);
  }
  return hash ^ (hash >>> 13);
}

function isSame(one: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let octet = 0; octet < one.length; octet++) if (one[octet] !== bytes[at + octet]) return false;
  return true;
}

export class FlowTable<T extends Flow> {
  readonly #flows = new Map<number, T>();
  readonly #seed: number;
  size = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** The flow of a packet from the peer. */
  find({ bytes, destinationAt, sourceAt, addressSize }: IpPacket, ports: number): T | undefined {
    return this.lookUp(bytes, destinationAt, bytes, sourceAt, addressSize, ports);
  }

  /** The flow between the addresses far[farAt…] and peer[peerAt…] of `size` octets. */
  lookUp(far: Uint8Array, farAt: number, peer: Uint8Array, peerAt: number, size: number, ports: number): T | undefined {
    const hash = hashOf(far, farAt, peer, peerAt, size, this.#seed ^ ports);
    for (let flow = this.#flows.get(hash); flow !== undefined; flow = flow.chained as T | undefined)
      if (
        flow.ports === ports &&
        flow.ends.far.length === size &&
        isSame(flow.ends.peer, peer, peerAt) &&
        isSame(flow.ends.far, far, farAt)
      )
        return flow;
    return undefined;
  }

  /**
   * A port of `far` from which there is no flow to this port of the peer (RFC 6056 §3.3.1): the wanted one if it can be. Undefined:
   * none was found.
   */
  freePort({ far, peer }: Ends, peerPort: number, random: number, wanted?: number): number | undefined {
    const isFree = (port: number): boolean =>
      this.lookUp(far, 0, peer, 0, far.length, portsOf(port, peerPort)) === undefined;
    if (wanted !== undefined && isFree(wanted)) return wanted;
    for (let tries = 0; tries < PORTS.tries; tries++) {
      const port = PORTS.first + ((random + tries) % PORTS.count);
      if (isFree(port)) return port;
    }
    return undefined;
  }

  add(flow: T): void {
    const hash = this.#hash(flow);
    flow.chained = this.#flows.get(hash);
    this.#flows.set(hash, flow);
    this.size++;
  }

  remove(flow: T): void {
    const hash = this.#hash(flow);
    let before: T | undefined;
    for (let at = this.#flows.get(hash); at !== undefined; before = at, at = at.chained as T | undefined) {
      if (at !== flow) continue;
      const rest = flow.chained as T | undefined;
      if (before !== undefined) before.chained = rest;
      else if (rest !== undefined) this.#flows.set(hash, rest);
      else this.#flows.delete(hash);
      flow.chained = undefined;
      this.size--;
      return;
    }
  }

  *[Symbol.iterator](): Generator<T> {
    for (const first of this.#flows.values())
      for (let flow: T | undefined = first; flow !== undefined; flow = flow.chained as T | undefined) yield flow;
  }

  #hash({ ends: { far, peer }, ports }: T): number {
    return hashOf(far, 0, peer, 0, far.length, this.#seed ^ ports);
  }
}
