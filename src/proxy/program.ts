// A program that is connected to the proxy, and how far its request has come.

import type { Timed } from "../stack/deadlines.ts";
import { Handshake } from "./handshake.ts";
import type { Outcome, ProxyRequest } from "./request.ts";

/**
 * READING: it says what it wants. WAITING: there is no link. RESOLVING: its name is being asked for. CONNECTING and OPEN: the
 * stack has its socket. CLOSING: it has got its last answer, and we wait for its end. RELAYING: it may send datagrams.
 */
export const Stage = {
  READING: 0,
  WAITING: 1,
  RESOLVING: 2,
  CONNECTING: 3,
  OPEN: 4,
  CLOSING: 5,
  RELAYING: 6,
  GONE: 7,
} as const;
export type Stage = (typeof Stage)[keyof typeof Stage];

export class Program implements Timed {
  dueAt = Infinity;
  heapPlace = -1;
  heapTime = 0;
  readonly socket: number;
  /** Where it connects from. */
  readonly address: string;
  stage: Stage = Stage.READING;
  handshake: Handshake | undefined = new Handshake();
  request: ProxyRequest | undefined;
  /** Octets that go to the host before what is read from the socket. */
  rest: Uint8Array = new Uint8Array(0);
  /** How many more octets of the socket are for the host. */
  left = Infinity;
  /** Octets that nobody gets. */
  droppedOctets = 0;
  /** Addresses of the host that have not been tried. */
  addresses: readonly Uint8Array[] = [];
  /** Our own end of the connection. */
  our: { readonly address: Uint8Array; readonly port: number } | undefined;
  /** Why the connection is given up, if we know better than the stack. */
  outcome: Outcome | undefined;

  constructor(socket: number, address: string) {
    this.socket = socket;
    this.address = address;
  }

  /** The whole request has been heard. */
  requested(request: ProxyRequest): void {
    this.request = request;
    const { bytes, length } = this.handshake!;
    const { first, bodyOctets = Infinity } = request;
    const early = Math.min(length, bodyOctets);
    this.left = bodyOctets - early;
    this.rest = new Uint8Array(first.length + early);
    this.rest.set(first);
    this.rest.set(bytes.subarray(0, early), first.length);
    this.handshake = undefined;
  }

  /** Moves octets of {@link rest} to into[at…]. Returns how many. */
  takeRest(into: Uint8Array, at: number, most: number): number {
    const count = Math.min(most, this.rest.length);
    into.set(this.rest.subarray(0, count), at);
    this.rest = this.rest.subarray(count);
    return count;
  }
}
