// UDP ASSOCIATE of SOCKS5 (RFC 1928 §7): programs send datagrams with a header that names the host to a port of ours, and get
// answers in the same form. Each port of a program gets a port of our own on the link. Fragments are dropped.

import { Deadlines, type Timed } from "../stack/deadlines.ts";
import type { Ends } from "../stack/ip-packet.ts";
import { FAILED, Failure, NOT_NOW, type SocketSide } from "../stack/socket-side.ts";
import type { Source } from "../stack/flow.ts";
import type { Forwarded } from "../stack/stack.ts";
import type { NameLookup } from "./name-lookup.ts";
import type { Endpoint } from "./request.ts";
import { putAddress, readAddress } from "./socks5.ts";

const MOST_SENDERS = 256;
const IDLE_MS = 180_000;
/** Datagrams that wait for the address of a name, or for their turn after that. */
const MOST_WAITING = 64;
const PORTS = { first: 49152, count: 16384, tries: 64 } as const;
const TTL = 64;
/** The most octets that UDP takes over IPv4. */
const MOST_OCTETS = 65_507;

/** The port that programs send datagrams to. */
export interface RelaySockets {
  readonly place: Endpoint;
  /** Reads a datagram of a program that has no socket yet. Returns its length, or NOT_NOW. */
  receive(into: Uint8Array, at: number, most: number): number;
  /** Distinguishes the sender of that datagram from all others. */
  sender(): string;
  /** The address of that sender. */
  senderAddress(): string;
  /** A socket to that sender. FAILED: there is none. */
  open(): number;
}

export interface RelayHost {
  readonly side: SocketSide;
  readonly sockets: RelaySockets;
  readonly names: NameLookup;
  send(from: Forwarded, payload: Uint8Array): void;
  /** A socket may have datagrams. */
  wake(source: Source): void;
  /** A socket is to be read no more. */
  withdraw(source: Source): void;
  random(): number;
  /** Our address for packets to this one. Undefined: there is no way to it, or it is prohibited. */
  wayTo(peer: Uint8Array): Uint8Array | undefined;
}

/** A datagram whose destination has been a name. */
interface Addressed {
  readonly to: Endpoint;
  readonly payload: Uint8Array;
}

/** A port of a program. */
class Sender implements Timed, Source {
  dueAt = Infinity;
  heapPlace = -1;
  heapTime = 0;
  isQueued = false;
  nextQueued: Source | undefined;
  previousQueued: Source | undefined;
  readonly key: string;
  /** The address of the program. */
  readonly address: string;
  readonly socket: number;
  /** Our port on the link. */
  readonly port: number;
  /** They go before what is in the socket. */
  readonly addressed: Addressed[] = [];
  readonly #read: (sender: Sender, now: number) => void;

  constructor(key: string, address: string, socket: number, port: number, read: (sender: Sender, now: number) => void) {
    this.key = key;
    this.address = address;
    this.socket = socket;
    this.port = port;
    this.#read = read;
  }

  /** The datagram becomes a reply of the stack, because it may need fragments. */
  take(_into: Uint8Array, _at: number, now: number): number {
    this.#read(this, now);
    return 0;
  }
}

/** A datagram. It is sent on before another one comes. */
const datagram = new Uint8Array(65536);

/**
 * Datagrams of programs wait in their sockets until the line wants a packet. Then each socket gives one in its turn, as the flows of
 * the stack do, so that no program keeps others waiting.
 */
export class DatagramRelay {
  readonly #host: RelayHost;
  /** How many connections there are that ask for the relay, by the address of the program. */
  readonly #programs = new Map<string, number>();
  #waiting = 0;
  /** The port that all programs send their first datagrams to. */
  readonly #door: Source = {
    socket: -1,
    heapPlace: -1,
    isQueued: false,
    nextQueued: undefined,
    previousQueued: undefined,
    take: (_into, _at, now) => this.#readDoor(now),
  };
  readonly #byKey = new Map<string, Sender>();
  readonly #bySocket = new Map<number, Sender>();
  readonly #byPort = new Map<number, Sender>();
  readonly #deadlines = new Deadlines<Sender>();

  constructor(host: RelayHost) {
    this.#host = host;
  }

  get place(): Endpoint {
    return this.#host.sockets.place;
  }

  /** How many ports of programs have a socket. */
  get size(): number {
    return this.#byKey.size;
  }

  /** Datagrams from this address are relayed from now on. All others are dropped (RFC 1928 §7). */
  join(address: string): void {
    this.#programs.set(address, (this.#programs.get(address) ?? 0) + 1);
  }

  /** A program has ended. Without any other at its address, nobody there sends datagrams. */
  leave(address: string): void {
    const others = (this.#programs.get(address) ?? 0) - 1;
    if (others > 0) {
      this.#programs.set(address, others);
      return;
    }
    this.#programs.delete(address);
    for (const sender of [...this.#byKey.values()]) if (sender.address === address) this.#end(sender);
  }

  // ── from programs ────────────────────────────────────────────────────────────────────────────────────────────────

  /** The port that programs send to has datagrams. */
  receive(): void {
    this.#host.wake(this.#door);
  }

  /** A socket has datagrams. */
  ready(socket: number): void {
    const sender = this.#bySocket.get(socket);
    if (sender !== undefined) this.#host.wake(sender);
  }

  /** There is never a packet: see {@link Sender.take}. */
  #readDoor(now: number): number {
    const { sockets, wake } = this.#host;
    const length = sockets.receive(datagram, 0, datagram.length);
    if (length < 0) return 0;
    wake(this.#door);
    const address = sockets.senderAddress();
    if (!this.#programs.has(address)) return 0;
    const sender = this.#byKey.get(sockets.sender()) ?? this.#add(sockets.sender(), address);
    if (sender !== undefined) this.#relay(sender, length, now);
    return 0;
  }

  #read(sender: Sender, now: number): void {
    const { side, wake } = this.#host;
    const first = sender.addressed.shift();
    const length = first === undefined ? side.receive(sender.socket, datagram, 0, datagram.length) : 0;
    if (length === NOT_NOW) return;
    wake(sender);
    if (first !== undefined) {
      this.#waiting--;
      this.#send(sender, first.to, first.payload);
    } else if (length === FAILED) this.#failed(sender);
    else this.#relay(sender, length, now);
  }

  /** Undefined: there is no room. */
  #add(key: string, address: string): Sender | undefined {
    const port = this.#byKey.size < MOST_SENDERS ? this.#freePort() : undefined;
    const socket = port === undefined ? FAILED : this.#host.sockets.open();
    if (port === undefined || socket < 0) return undefined;
    const sender = new Sender(key, address, socket, port, (one, now) => this.#read(one, now));
    this.#byKey.set(key, sender);
    this.#bySocket.set(socket, sender);
    this.#byPort.set(port, sender);
    return sender;
  }

  #freePort(): number | undefined {
    for (let tries = 0; tries < PORTS.tries; tries++) {
      const port = PORTS.first + (this.#host.random() % PORTS.count);
      if (!this.#byPort.has(port)) return port;
    }
    return undefined;
  }

  /** Sends on the datagram in hand. */
  #relay(sender: Sender, length: number, now: number): void {
    this.#deadlines.set(sender, now + IDLE_MS);
    const found = datagram[2] === 0 ? readAddress(datagram, 3, length) : "unknown";
    if (typeof found === "string" || found.host === undefined || found.port === 0) return;
    const { host, port, end } = found;
    const payload = datagram.slice(end, length);
    if (typeof host !== "string") this.#send(sender, { address: host, port }, payload);
    else if (this.#waiting < MOST_WAITING) {
      this.#waiting++;
      this.#host.names.ask(
        host,
        ({ addresses: [address] }) => {
          if (address === undefined || this.#bySocket.get(sender.socket) !== sender) this.#waiting--;
          else {
            sender.addressed.push({ to: { address, port }, payload });
            this.#host.wake(sender);
          }
        },
        now,
      );
    }
  }

  #send({ port: farPort }: Sender, { address: peer, port: peerPort }: Endpoint, payload: Uint8Array): void {
    const far = this.#host.wayTo(peer);
    if (far !== undefined) this.#host.send({ far, farPort, peer, peerPort }, payload);
  }

  // ── from the link ────────────────────────────────────────────────────────────────────────────────────────────────

  /** The datagram bytes[start, end) for a port of ours. False: no program has that port. */
  deliver(ends: Ends, ports: number, bytes: Uint8Array, start: number, end: number, now: number): boolean {
    const sender = this.#byPort.get(ports >>> 16);
    if (sender === undefined) return false;
    this.#deadlines.set(sender, now + IDLE_MS);
    datagram.fill(0, 0, 3);
    const at = putAddress(datagram, 3, { address: ends.peer, port: ports & 0xffff });
    const size = at + end - start;
    if (size > MOST_OCTETS) return true;
    datagram.set(bytes.subarray(start, end), at);
    if (!this.#host.side.send(sender.socket, datagram, 0, size, TTL)) this.#failed(sender);
    return true;
  }

  /** The socket has failed. Only a port that the program has closed is given up. */
  #failed(sender: Sender): void {
    if (this.#host.side.failure(sender.socket) === Failure.REFUSED) this.#end(sender);
  }

  // ── time and the end ─────────────────────────────────────────────────────────────────────────────────────────────

  nextTimeout(): number {
    return this.#deadlines.next();
  }

  handleTimeout(now: number): void {
    for (let sender; (sender = this.#deadlines.take(now)) !== undefined;) this.#end(sender);
  }

  #end(sender: Sender): void {
    this.#host.side.failure(sender.socket);
    this.#host.side.close(sender.socket);
    this.#byKey.delete(sender.key);
    this.#bySocket.delete(sender.socket);
    this.#byPort.delete(sender.port);
    this.#deadlines.remove(sender);
    this.#host.withdraw(sender);
    this.#waiting -= sender.addressed.length;
  }
}
