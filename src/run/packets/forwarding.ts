// Ports of this machine that lead to ports of the peer (the option `forward`) with user-mode networking. To the peer, a caller comes
// from our address of the link. A TCP caller whose connection the peer refuses is reset.

import { parseAddress, addressPortText } from "../../bytes/prefix.ts";
import type { Config } from "../../options/config.ts";
import type { Stack } from "../../stack/stack.ts";
import type { Callers } from "../host/sockets.ts";
import type { Log } from "../log.ts";
import type { Descriptors } from "../machine.ts";
import type { SocketAdapter } from "./socket-adapter.ts";

/** Other work has its turn after so many callers. */
const CALLERS_AT_ONCE = 64;
/** After so long, callers are accepted again when there were no descriptors left. */
const RETRY_MS = 1000;
const LARGEST_DATAGRAM = 65535;

/** Error numbers of Linux. */
const EAGAIN = 11;
const ENOMEM = 12;
const EACCES = 13;
const ENFILE = 23;
const EMFILE = 24;
const EAFNOSUPPORT = 97;
const EADDRINUSE = 98;
const EADDRNOTAVAIL = 99;
const ENOBUFS = 105;
/** Nobody can be served for a while. Other errors are about one caller, such as ECONNABORTED. */
export const NO_ROOM: ReadonlySet<number> = new Set([ENOMEM, ENFILE, EMFILE, ENOBUFS]);

const REMEDIES: ReadonlyMap<number, string> = new Map([
  [EACCES, "ports below 1024 need root or CAP_NET_BIND_SERVICE"],
  [EADDRINUSE, "another program, or another link, has this port"],
  [EADDRNOTAVAIL, "this machine does not have this address"],
]);

type Forward = Config["forwards"][number];

/** Addresses of the same family. */
export interface LinkEnds {
  readonly our: Uint8Array;
  readonly peer: Uint8Array;
}

export interface ForwardingHost {
  readonly callers: Callers;
  readonly adapter: SocketAdapter;
  readonly stack: Stack;
  readonly descriptors: Pick<Descriptors, "errorText">;
  readonly log: Log;
  /** The most callers of each protocol. */
  readonly mostCallers: number;
}

export class Forwarding {
  readonly #host: ForwardingHost;
  readonly #forwards: readonly Forward[];
  readonly #ends = new Map<4 | 6, LinkEnds>();
  /** The sockets that callers come to. */
  readonly #sockets = new Map<number, Forward>();
  /** Those that may have more callers than could be taken. */
  readonly #unfinished = new Set<number>();
  #datagram = new Uint8Array(0);
  /** When the unfinished ones are looked at. */
  dueAt = Infinity;

  constructor(host: ForwardingHost, forwards: readonly Forward[]) {
    this.#host = host;
    this.#forwards = forwards;
  }

  /** The ports are open while the link has addresses. Undefined: the protocol is down. */
  setEnds(family: 4 | 6, ends: LinkEnds | undefined): void {
    if (ends === undefined) this.#ends.delete(family);
    else this.#ends.set(family, ends);
    if (this.#ends.size === 0) this.close();
    else if (this.#sockets.size === 0) for (const forward of this.#forwards) this.#open(forward);
  }

  close(): void {
    for (const socket of this.#sockets.keys()) this.#host.callers.close(socket);
    this.#sockets.clear();
    this.#unfinished.clear();
    this.dueAt = Infinity;
  }

  // ── opening ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #open(forward: Forward): void {
    const { log } = this.#host;
    const given = forward.address === undefined ? undefined : parseAddress(forward.address);
    const addresses = given === undefined ? [new Uint8Array(4), new Uint8Array(16)] : [given];
    const errors = new Set<number>();
    let isOpen = false;
    for (const address of addresses) {
      const error = this.#openAt(address, forward);
      if (error === 0) isOpen = true;
      else if (given !== undefined || address.length === 4 || !isMissing(error)) errors.add(error);
    }
    if (isOpen) log.write("info", `${portText(forward)} leads to port ${forward.toPort} of the peer`);
    for (const error of errors) log.write("warn", refusalText(forward, error, this.#host.descriptors.errorText(error)));
  }

  /** Returns 0, or an error number. */
  #openAt(address: Uint8Array, forward: Forward): number {
    const { callers } = this.#host;
    const isTcp = forward.protocol === "tcp";
    const socket = isTcp ? callers.listen(address, forward.port) : callers.bind(address, forward.port);
    if (socket < 0) return -socket;
    this.#sockets.set(socket, forward);
    return 0;
  }

  // ── callers ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A socket is readable. False: it is none of these. */
  ready(socket: number, now: number): boolean {
    const forward = this.#sockets.get(socket);
    if (forward === undefined) return false;
    for (let count = 0; count < CALLERS_AT_ONCE; count++) {
      const error = forward.protocol === "tcp" ? this.#accept(socket, forward, now) : this.#take(socket, forward, now);
      if (error === EAGAIN) return true;
      if (NO_ROOM.has(error)) {
        this.#host.adapter.exhausted++;
        this.#lookAgain(socket, now + RETRY_MS);
        return true;
      }
    }
    this.#lookAgain(socket, now);
    return true;
  }

  #lookAgain(socket: number, at: number): void {
    this.#unfinished.add(socket);
    this.dueAt = Math.min(this.dueAt, at);
  }

  handleTimeout(now: number): void {
    if (this.dueAt > now) return;
    const sockets = [...this.#unfinished];
    this.#unfinished.clear();
    this.dueAt = Infinity;
    for (const socket of sockets) this.ready(socket, now);
  }

  /** Accepts a connection. Returns 0, or an error number. */
  #accept(listening: number, { toPort }: Forward, now: number): number {
    const { callers, adapter, stack, mostCallers } = this.#host;
    const socket = adapter.accept(listening);
    if (socket < 0) return -socket;
    const isOver = adapter.callers.tcp > mostCallers;
    if (isOver) stack.counts.tcp.limited++;
    if (isOver || !stack.openTo(socket, this.#ends4or6(callers.port, toPort), now)) adapter.abort(socket);
    return 0;
  }

  /** Takes a datagram. The first one of a caller opens a socket for it. Returns 0, or an error number. */
  #take(bound: number, { toPort }: Forward, now: number): number {
    const { callers, adapter, stack, mostCallers } = this.#host;
    if (this.#datagram.length === 0) this.#datagram = new Uint8Array(LARGEST_DATAGRAM);
    const got = callers.receive(bound, this.#datagram, 0, LARGEST_DATAGRAM);
    if (got < 0) return -got;
    const { key, port } = callers;
    let socket = adapter.socketOf(key);
    if (socket === undefined) {
      if (adapter.callers.udp >= mostCallers) {
        stack.counts.udp.limited++;
        return 0;
      }
      socket = adapter.openToCaller(bound, key);
      // The datagram is lost, as when a router has no room.
      if (socket < 0) return 0;
      if (!stack.openDatagramsTo(socket, this.#ends4or6(port, toPort), now)) {
        adapter.close(socket);
        return 0;
      }
    }
    stack.deliver(socket, this.#datagram, 0, got, now);
    return 0;
  }

  #ends4or6(farPort: number, peerPort: number) {
    const { our, peer } = (this.#ends.get(4) ?? this.#ends.get(6))!;
    return { far: our, farPort, peer, peerPort };
  }
}

/** The machine has no IPv6. */
function isMissing(error: number): boolean {
  return error === EAFNOSUPPORT || error === EADDRNOTAVAIL;
}

/** Why a port does not lead to the peer. `reason` is the text of the error. */
export function refusalText(forward: Forward, error: number, reason: string): string {
  const remedy = REMEDIES.get(error);
  return `${portText(forward)} is not forwarded: ${reason}${remedy === undefined ? "" : ` (${remedy})`}`;
}

export function portText({ protocol, address, port }: Forward): string {
  return `Port ${addressPortText(address, port)}/${protocol}`;
}
