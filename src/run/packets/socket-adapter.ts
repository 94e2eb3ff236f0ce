// The host's sockets as the stack wants them: error numbers become the stack's words.

import { FAILED, Failure, NOT_NOW, type SocketSide } from "../../stack/socket-side.ts";
import type { Sockets } from "../host/sockets.ts";

const EACCES = 13;
const EAGAIN = 11;
const ENFILE = 23;
const EMFILE = 24;
const EINPROGRESS = 115;
/** Types of ICMP and ICMPv6. */
const TIME_EXCEEDED = 11;
const TIME_EXCEEDED6 = 3;

/** What an error number of Linux means to the peer. All others are a reset. */
const FAILURES: ReadonlyMap<number, Failure> = new Map([
  // EPERM and EACCES: a firewall of the host.
  [1, Failure.PROHIBITED],
  [13, Failure.PROHIBITED],
  // EMSGSIZE
  [90, Failure.TOO_BIG],
  // EAFNOSUPPORT, EADDRNOTAVAIL, ENETDOWN, ENETUNREACH
  [97, Failure.NET_UNREACHABLE],
  [99, Failure.NET_UNREACHABLE],
  [100, Failure.NET_UNREACHABLE],
  [101, Failure.NET_UNREACHABLE],
  // ETIMEDOUT, EHOSTDOWN, EHOSTUNREACH
  [110, Failure.HOST_UNREACHABLE],
  [112, Failure.HOST_UNREACHABLE],
  [113, Failure.HOST_UNREACHABLE],
  // ECONNREFUSED
  [111, Failure.REFUSED],
]);

export class SocketAdapter implements SocketSide {
  readonly #sockets: Sockets;
  /** Why a socket failed last; under FAILED, why none was opened. */
  readonly #failures = new Map<number, Failure>();
  /** Who reported it. */
  readonly #reporters = new Map<number, Uint8Array>();
  readonly #families = new Map<number, 4 | 6>();
  /** The connections of callers. */
  readonly #accepted = new Set<number>();
  /** The datagram sockets of callers, and their keys. */
  readonly #callers = new Map<string, number>();
  readonly #keys = new Map<number, string>();
  /** How often no descriptor was left for a socket. */
  exhausted = 0;
  /** This user may open no sockets for pings. */
  mayNotPing = false;

  constructor(sockets: Sockets) {
    this.#sockets = sockets;
  }

  connect(address: Uint8Array, port: number): number {
    return this.#opened(this.#sockets.connect(address, port));
  }

  isConnected(socket: number): boolean {
    const result = this.#sockets.connectResult(socket);
    if (result !== 0 && result !== EINPROGRESS) this.#note(socket, result);
    return result === 0;
  }

  read(socket: number, into: Uint8Array, at: number, most: number): number {
    return this.#result(socket, this.#sockets.read(socket, into, at, most));
  }

  write(socket: number, from: Uint8Array, start: number, end: number): number {
    return this.#result(socket, this.#sockets.write(socket, from, start, end));
  }

  room(socket: number): number {
    return this.#sockets.room(socket);
  }

  shutdown(socket: number): void {
    this.#sockets.shutdown(socket);
  }

  close(socket: number): void {
    this.#forget(socket);
    this.#sockets.close(socket);
  }

  abort(socket: number): void {
    this.#forget(socket);
    this.#sockets.abort(socket);
  }

  failure(socket: number): Failure {
    const failure = this.#failures.get(socket) ?? Failure.NONE;
    this.#failures.delete(socket);
    return failure;
  }

  openDatagrams(address: Uint8Array, port: number): number {
    return this.#openedFor(address, this.#sockets.openDatagrams(address, port));
  }

  openEchoes(address: Uint8Array): number {
    const result = this.#sockets.openEchoes(address);
    if (result === -EACCES && !this.mayNotPing) this.mayNotPing = !this.#mayPing();
    const socket = this.#openedFor(address, result);
    // The group range does not allow it (man 7 icmp), or the kernel has no such sockets.
    if (socket < 0 && this.#failures.get(FAILED) !== Failure.NET_UNREACHABLE)
      this.#failures.set(FAILED, Failure.UNSUPPORTED);
    return socket;
  }

  /** A broadcast address has the same error number as ping_group_range. This machine's own address has only the latter. */
  #mayPing(): boolean {
    const socket = this.#sockets.openEchoes(Uint8Array.of(127, 0, 0, 1));
    if (socket >= 0) this.#sockets.close(socket);
    return socket !== -EACCES;
  }

  /** How many callers have a connection, and how many a datagram socket. */
  get callers(): { readonly tcp: number; readonly udp: number } {
    return { tcp: this.#accepted.size, udp: this.#keys.size };
  }

  /** The connection of the next caller. Below 0: minus the error number. */
  accept(listening: number): number {
    const socket = this.#sockets.callers.accept(listening);
    if (socket >= 0) this.#accepted.add(socket);
    return socket;
  }

  /** The socket of a caller whose datagrams have this key. */
  socketOf(key: string): number | undefined {
    return this.#callers.get(key);
  }

  /** A socket for the caller of the last datagram of a bound socket. */
  openToCaller(bound: number, key: string): number {
    const socket = this.#sockets.callers.openToCaller(bound);
    if (socket < 0) return this.#opened(socket);
    this.#families.set(socket, this.#sockets.callers.family);
    this.#callers.set(key, socket);
    this.#keys.set(socket, key);
    return socket;
  }

  send(socket: number, from: Uint8Array, start: number, end: number, ttl: number): boolean {
    const family = this.#families.get(socket) ?? 4;
    const sent = this.#sockets.send(socket, from, start, end, ttl, family);
    // A full buffer drops the datagram, as a router does.
    return sent >= 0 || sent === -EAGAIN || this.#datagramResult(socket, sent) >= 0;
  }

  receive(socket: number, into: Uint8Array, at: number, most: number): number {
    return this.#datagramResult(socket, this.#sockets.read(socket, into, at, most));
  }

  reporter(socket: number): Uint8Array | undefined {
    const from = this.#reporters.get(socket);
    this.#reporters.delete(socket);
    return from;
  }

  #datagramResult(socket: number, octets: number): number {
    const result = this.#result(socket, octets);
    const report = result === FAILED ? this.#sockets.takeIcmp(socket) : undefined;
    if (report === undefined) return result;
    this.#reporters.set(socket, report.from);
    if (report.type === (report.from.length === 4 ? TIME_EXCEEDED : TIME_EXCEEDED6))
      this.#failures.set(socket, Failure.EXPIRED);
    return result;
  }

  #openedFor(address: Uint8Array, socket: number): number {
    if (socket >= 0) this.#families.set(socket, address.length === 4 ? 4 : 6);
    return this.#opened(socket);
  }

  #opened(socket: number): number {
    if (socket >= 0) return socket;
    this.#note(FAILED, -socket);
    return FAILED;
  }

  #result(socket: number, octets: number): number {
    if (octets >= 0) return octets;
    if (octets === -EAGAIN) return NOT_NOW;
    this.#note(socket, -octets);
    return FAILED;
  }

  #note(socket: number, errno: number): void {
    if (errno === ENFILE || errno === EMFILE) this.exhausted++;
    this.#failures.set(socket, FAILURES.get(errno) ?? Failure.RESET);
  }

  #forget(socket: number): void {
    this.#failures.delete(socket);
    this.#reporters.delete(socket);
    this.#families.delete(socket);
    this.#accepted.delete(socket);
    const key = this.#keys.get(socket);
    if (key === undefined) return;
    this.#keys.delete(socket);
    this.#callers.delete(key);
  }
}
