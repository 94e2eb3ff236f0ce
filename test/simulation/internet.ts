// The Internet behind a simulated computer, as its sockets reach it: servers at every address. A connection begins with a
// request of three numbers: how many octets the client sends after it, how many it wants, and where in the pattern they begin.

import type { Callers, Sockets } from "../../src/run/host/sockets.ts";
import { Poll } from "../../src/run/machine.ts";
import { put32, u32 } from "../../src/bytes/be.ts";
import { Rng } from "../kit/rng.ts";
import { errnoOf } from "./errors.ts";
import { Channel, type Process } from "./process.ts";
import type { Time } from "./time.ts";

const EINPROGRESS = 115;
const ECONNRESET = 104;
export const REQUEST = 12;
/** How long a server of the Internet takes to answer. */
const CONNECT_MS = 15;
const SOCKET_ROOM = 65536;
const DEAF_ROOM = 5000;
/** A slow server reads this often. */
const READ_MS = 40;

/** What all transfers consist of. Any two places in it differ soon. */
const PATTERN = new Rng(20261130).bytes(131_071);

/** Writes the octets of a transfer that begin at `at` of it. */
export function putPattern(place: number, at: number, into: Uint8Array): void {
  for (let done = 0; done < into.length;) {
    const from = (place + at + done) % PATTERN.length;
    const count = Math.min(PATTERN.length - from, into.length - done);
    into.set(PATTERN.subarray(from, from + count), done);
    done += count;
  }
}

const wanted = new Uint8Array(SOCKET_ROOM);

/** What is wrong with octets of a transfer. */
export function wrongPattern(place: number, at: number, got: Uint8Array): string | undefined {
  putPattern(place, at, wanted.subarray(0, got.length));
  for (let octet = 0; octet < got.length; octet++)
    if (got[octet] !== wanted[octet]) return `octet ${at + octet} of a transfer is not what was sent`;
  return undefined;
}

export function requestOf(upload: number, download: number, place: number): Uint8Array {
  const request = new Uint8Array(REQUEST);
  put32(request, 0, upload);
  put32(request, 4, download);
  put32(request, 8, place);
  return request;
}

/** A connection as its server sees it. */
class Connection {
  readonly connectedAt: number;
  /** The server reads slowly. */
  readonly isSlow: boolean;
  room = SOCKET_ROOM;
  readonly #request = new Uint8Array(REQUEST);
  #requested = 0;
  uploaded = 0;
  sent = 0;
  isShut = false;
  isReset = false;
  /** The reader or the writer was told to wait. */
  readerWaits = false;
  writerWaits = false;

  constructor(connectedAt: number, isSlow: boolean) {
    this.connectedAt = connectedAt;
    this.isSlow = isSlow;
  }

  /** The three numbers, when the request is whole. */
  get request(): { upload: number; download: number; place: number } | undefined {
    if (this.#requested < REQUEST) return undefined;
    return { upload: u32(this.#request, 0), download: u32(this.#request, 4), place: u32(this.#request, 8) };
  }

  /** Returns what is wrong. */
  take(octets: Uint8Array): string | undefined {
    const first = Math.min(REQUEST - this.#requested, octets.length);
    this.#request.set(octets.subarray(0, first), this.#requested);
    this.#requested += first;
    const rest = octets.subarray(first);
    const { request } = this;
    if (rest.length === 0 || request === undefined) return undefined;
    const at = this.uploaded;
    this.uploaded += rest.length;
    if (this.uploaded > request.upload) return `${this.uploaded} octets came of an upload of ${request.upload}`;
    return wrongPattern(request.place + 7, at, rest);
  }
}

export class Internet {
  /** The first thing that must not be. */
  fault: string | undefined;
  /** Uploads of which the servers have all octets and the end. */
  whole = 0;
  /** Each new server reads a little, and then nothing. */
  isDeaf = false;
  /** The share of servers that read slowly, and that reset in the middle of what they send. */
  slowness = 0;
  resets = 0;
  readonly time: Time;
  readonly rng: Rng;

  constructor(time: Time, rng: Rng) {
    this.time = time;
    this.rng = rng;
  }

  /** The sockets of a process. */
  socketsOf(process: Process): Sockets {
    return new InternetSockets(this, process);
  }
}

/** The descriptor that tells of sockets. */
class SocketEvents extends Channel {
  readonly ready = new Map<number, { readable: boolean; writable: boolean }>();

  tell(socket: number, readable: boolean, writable: boolean): void {
    const known = this.ready.get(socket);
    this.ready.set(socket, {
      readable: readable || known?.readable === true,
      writable: writable || known?.writable === true,
    });
    this.changed();
  }

  events(): number {
    return this.ready.size > 0 ? Poll.IN : 0;
  }

  close(): void {
    this.ready.clear();
  }
}

/** Nobody calls. */
const NO_CALLERS: Callers = {
  listen: () => -errnoOf("EACCES"),
  bind: () => -errnoOf("EACCES"),
  accept: () => -errnoOf("EAGAIN"),
  receive: () => -errnoOf("EAGAIN"),
  openToCaller: () => -errnoOf("EACCES"),
  port: 0,
  address: new Uint8Array(4),
  key: "",
  family: 4,
  close() {},
};

class InternetSockets implements Sockets {
  readonly fd: number;
  readonly #events = new SocketEvents();
  readonly #internet: Internet;
  readonly #process: Process;
  readonly #connections = new Map<number, Connection>();
  /** Answers of datagram sockets, which are echoes. */
  readonly #echoes = new Map<number, Uint8Array[]>();
  #last = 1000;

  constructor(internet: Internet, process: Process) {
    this.#internet = internet;
    this.#process = process;
    this.fd = process.open(this.#events);
  }

  collect(told: (socket: number, readable: boolean, writable: boolean) => void): number {
    const ready = [...this.#events.ready];
    this.#events.ready.clear();
    for (const [socket, { readable, writable }] of ready)
      if (this.#connections.has(socket) || this.#echoes.has(socket)) told(socket, readable, writable);
    return ready.length;
  }

  connect(): number {
    const { time, rng, slowness, isDeaf } = this.#internet;
    const socket = ++this.#last;
    const connection = new Connection(time.now + CONNECT_MS, rng.chance(slowness));
    if (isDeaf) connection.room = DEAF_ROOM;
    this.#connections.set(socket, connection);
    time.after(CONNECT_MS, () => this.#tell(socket, true, true));
    return socket;
  }

  #tell(socket: number, readable: boolean, writable: boolean): void {
    if (this.#connections.has(socket) || this.#echoes.has(socket)) this.#events.tell(socket, readable, writable);
  }

  connectResult(socket: number): number {
    return this.#of(socket).connectedAt <= this.#internet.time.now ? 0 : EINPROGRESS;
  }

  read(socket: number, into: Uint8Array, at: number, most: number): number {
    const answers = this.#echoes.get(socket);
    if (answers !== undefined) {
      const answer = answers.shift();
      if (answer === undefined) return -errnoOf("EAGAIN");
      into.set(answer.subarray(0, most), at);
      return Math.min(most, answer.length);
    }
    const connection = this.#of(socket);
    if (connection.isReset) return -ECONNRESET;
    const { request, sent } = connection;
    if (request === undefined) {
      connection.readerWaits = true;
      return -errnoOf("EAGAIN");
    }
    const count = Math.min(most, request.download - sent, SOCKET_ROOM);
    putPattern(request.place, sent, into.subarray(at, at + count));
    connection.sent += count;
    if (count > 0 && this.#internet.rng.chance(this.#internet.resets)) this.#reset(socket, connection);
    return count;
  }

  #reset(socket: number, connection: Connection): void {
    this.#internet.time.after(CONNECT_MS, () => {
      connection.isReset = true;
      this.#tell(socket, true, true);
    });
  }

  write(socket: number, from: Uint8Array, start: number, end: number): number {
    const connection = this.#of(socket);
    if (connection.isReset) return -ECONNRESET;
    if (connection.isShut) this.#internet.fault ??= "a socket was written to after its shutdown";
    const count = Math.min(end - start, connection.room);
    if (count < end - start) connection.writerWaits = true;
    if (count === 0) return -errnoOf("EAGAIN");
    this.#internet.fault ??= connection.take(from.subarray(start, start + count));
    if (connection.isSlow || connection.room <= DEAF_ROOM) connection.room -= count;
    if (connection.isSlow) {
      this.#internet.time.after(READ_MS, () => this.#readOn(socket, connection, count));
    }
    if (connection.readerWaits && connection.request !== undefined) {
      connection.readerWaits = false;
      this.#tell(socket, true, false);
    }
    return count;
  }

  #readOn(socket: number, connection: Connection, count: number): void {
    connection.room += count;
    if (!connection.writerWaits) return;
    connection.writerWaits = false;
    this.#tell(socket, false, true);
  }

  room(socket: number): number {
    return this.#of(socket).room;
  }

  shutdown(socket: number): void {
    const connection = this.#of(socket);
    connection.isShut = true;
    const { request, uploaded } = connection;
    if (request === undefined || uploaded !== request.upload)
      this.#internet.fault ??= `an upload of ${request?.upload ?? "?"} octets has ended after ${uploaded}`;
    else this.#internet.whole++;
  }

  close(socket: number): void {
    this.#connections.delete(socket);
    this.#echoes.delete(socket);
    this.#events.ready.delete(socket);
  }

  abort(socket: number): void {
    this.close(socket);
  }

  openDatagrams(): number {
    const socket = ++this.#last;
    this.#echoes.set(socket, []);
    return socket;
  }

  openEchoes(): number {
    return this.openDatagrams();
  }

  send(socket: number, from: Uint8Array, start: number, end: number): number {
    const datagram = from.slice(start, end);
    this.#internet.time.after(CONNECT_MS, () => {
      this.#echoes.get(socket)?.push(datagram);
      this.#tell(socket, true, false);
    });
    return end - start;
  }

  takeIcmp(): undefined {}

  readonly callers = NO_CALLERS;

  ownAddress(family: 4 | 6): Uint8Array | undefined {
    return family === 4 ? Uint8Array.of(192, 168, 0, 1) : undefined;
  }

  end(): void {
    this.#process.close(this.fd);
  }

  #of(socket: number): Connection {
    const connection = this.#connections.get(socket);
    if (connection === undefined) throw new Error(`socket ${socket} is not open`);
    return connection;
  }
}
