// UDP ASSOCIATE of SOCKS5 (RFC 1928 §7): programs send datagrams with a header that names the host to a port of ours, and get
// answers in the same form. Each port of a program gets a port of our own on the link. Fragments are dropped.

import { Deadlines, type Timed } from "../stack/deadlines.ts";
import type { Ends } from "../stack/ip-packet.ts";
import { FAILED, Failure, NOT_NOW, type SocketSide } from "../stack/socket-side.ts";
import type { Forwarded } from "../stack/stack.ts";
import type { NameLookup } from "./name-lookup.ts";
import type { Endpoint } from "./request.ts";
import { putAddress, readAddress } from "./socks5.ts";

const MOST_SENDERS = 256;
const IDLE_MS = 180_000;
/** Datagrams that wait for the address of a name. */
const MOST_WAITING = 64;
/** Datagrams of one socket in a row. The others wait for the next round. */
const MOST_IN_A_ROW = 64;
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
  /** A socket to that sender. FAILED: there is none. */
  open(): number;
}

export interface RelayHost {
  readonly side: SocketSide;
  readonly sockets: RelaySockets;
  send(from: Forwarded, payload: Uint8Array): void;
  readonly names: NameLookup;
  random(): number;
  /** Our address for packets to this one. Undefined: there is no way to it, or it is prohibited. */
  wayTo(peer: Uint8Array): Uint8Array | undefined;
}

/** A port of a program. */
class Sender implements Timed {
  dueAt = Infinity;
  heapPlace = -1;
  heapTime = 0;
  readonly key: string;
  readonly socket: number;
  /** Our port on the link. */
  readonly port: number;

  constructor(key: string, socket: number, port: number) {
    this.key = key;
    this.socket = socket;
    this.port = port;
  }
}

/** A datagram. It is sent on before another one comes. */
const datagram = new Uint8Array(65536);

export class DatagramRelay {
  readonly #host: RelayHost;
  #programs = 0;
  #waiting = 0;
  readonly #byKey = new Map<string, Sender>();
  readonly #bySocket = new Map<number, Sender>();
  readonly #byPort = new Map<number, Sender>();
  readonly #deadlines = new Deadlines<Sender>();
  /** Sockets that may have more datagrams; undefined: the port of all programs. */
  readonly #again = new Set<number | undefined>();

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

  /** A program may send datagrams from now on. */
  join(): void {
    this.#programs++;
  }

  /** It has ended. Without any, nobody sends datagrams. */
  leave(): void {
    if (--this.#programs === 0) this.close();
  }

  // ── from programs ────────────────────────────────────────────────────────────────────────────────────────────────

  /** The port that programs send to has datagrams. */
  receive(now: number): void {
    const { sockets } = this.#host;
    this.#again.delete(undefined);
    for (let count = 0; count < MOST_IN_A_ROW; count++) {
      const length = sockets.receive(datagram, 0, datagram.length);
      if (length < 0) return;
      const sender = this.#byKey.get(sockets.sender()) ?? this.#add(sockets.sender());
      if (sender !== undefined) this.#relay(sender, length, now);
    }
    this.#again.add(undefined);
  }

  /** A socket has datagrams. */
  ready(socket: number, now: number): void {
    const sender = this.#bySocket.get(socket);
    if (sender === undefined) return;
    const { side } = this.#host;
    this.#again.delete(socket);
    for (let count = 0; count < MOST_IN_A_ROW; count++) {
      const length = side.receive(socket, datagram, 0, datagram.length);
      if (length === NOT_NOW) return;
      if (length === FAILED) {
        this.#failed(sender);
        if (this.#bySocket.get(socket) !== sender) return;
        continue;
      }
      this.#relay(sender, length, now);
    }
    this.#again.add(socket);
  }

  /** Undefined: no program has asked for it, or there is no room. */
  #add(key: string): Sender | undefined {
    const port = this.#programs > 0 && this.#byKey.size < MOST_SENDERS ? this.#freePort() : undefined;
    const socket = port === undefined ? FAILED : this.#host.sockets.open();
    if (port === undefined || socket < 0) return undefined;
    const sender = new Sender(key, socket, port);
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
      const answered = (addresses: readonly Uint8Array[]): void => {
        this.#waiting--;
        const [address] = addresses;
        if (address !== undefined && this.#bySocket.get(sender.socket) === sender)
          this.#send(sender, { address, port }, payload);
      };
      this.#host.names.ask(host, ({ addresses }) => answered(addresses), now);
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
    return this.#again.size > 0 ? 0 : this.#deadlines.next();
  }

  handleTimeout(now: number): void {
    for (const socket of [...this.#again]) {
      if (socket === undefined) this.receive(now);
      else this.ready(socket, now);
    }
    for (let sender; (sender = this.#deadlines.take(now)) !== undefined;) this.#end(sender);
  }

  #end(sender: Sender): void {
    this.#host.side.failure(sender.socket);
    this.#host.side.close(sender.socket);
    this.#byKey.delete(sender.key);
    this.#bySocket.delete(sender.socket);
    this.#byPort.delete(sender.port);
    this.#again.delete(sender.socket);
    this.#deadlines.remove(sender);
  }

  close(): void {
    for (const sender of [...this.#byKey.values()]) this.#end(sender);
  }
}
