// The sockets of a simulated process: a test plays the programs that call it, and the servers that it calls.

import type { Sockets } from "../../src/run/host/sockets.ts";
import { Poll } from "../../src/run/machine.ts";
import { FAILED, Failure, NOT_NOW } from "../../src/stack/socket-side.ts";
import { type FakeSocket, FakeSockets } from "../kit/fake-sockets.ts";
import { errnoOf } from "./errors.ts";
import { Channel, type Process } from "./process.ts";

const FIRST_LISTENING = 1_000_000;
const EINPROGRESS = 115;

interface SentDatagram {
  readonly fromPort: number;
  readonly bytes: Uint8Array;
}

/** Readable while a socket has something to tell. */
class Readiness extends Channel {
  readonly ready = new Map<number, { readonly readable: boolean; readonly writable: boolean }>();

  events(): number {
    return this.ready.size > 0 ? Poll.IN : 0;
  }

  close(): void {}
}

export class SimulatedSockets implements Sockets {
  readonly fd: number;
  readonly played = new FakeSockets();
  readonly #process: Process;
  readonly #readiness = new Readiness();
  readonly #datagrams = new Set<number>();
  readonly #listening = new Map<number, { readonly port: number; readonly waiting: FakeSocket[] }>();
  readonly #bound = new Map<number, { readonly port: number; readonly waiting: SentDatagram[] }>();
  /** The sockets of UDP callers, by the port that they call from. */
  readonly #udpCallers = new Map<number, FakeSocket>();
  /** The process may open another descriptor. */
  hasDescriptors = true;
  /** This machine's address. */
  own: Uint8Array | undefined;
  readonly #taken: ReadonlySet<number>;
  readonly #takenUdp: ReadonlySet<number>;
  #lastId = FIRST_LISTENING;

  constructor(process: Process, taken: ReadonlySet<number>, takenUdp: ReadonlySet<number> = new Set()) {
    this.#process = process;
    this.#taken = taken;
    this.#takenUdp = takenUdp;
    this.fd = process.open(this.#readiness);
    this.played.told = (socket, readable, writable) => this.#tell(socket, readable, writable);
  }

  #tell(socket: number, readable: boolean, writable: boolean): void {
    const { ready } = this.#readiness;
    const before = ready.get(socket);
    ready.set(socket, {
      readable: readable || before?.readable === true,
      writable: writable || before?.writable === true,
    });
    this.#readiness.changed();
  }

  /** A program calls a port. Undefined: nothing listens there. */
  call(port: number): FakeSocket | undefined {
    for (const [id, listener] of this.#listening) {
      if (listener.port !== port) continue;
      const socket = this.played.accepted();
      listener.waiting.push(socket);
      this.#tell(id, true, false);
      return socket;
    }
    return undefined;
  }

  /** A program sends a datagram to a port. Returns the socket that a session has opened for the program. */
  sendTo(port: number, fromPort: number, bytes: Uint8Array): FakeSocket | undefined {
    const caller = this.#udpCallers.get(fromPort);
    if (caller !== undefined && caller.end === "open") {
      caller.answer(bytes);
      return caller;
    }
    const found = [...this.#bound].find(([, bound]) => bound.port === port);
    if (found === undefined) return undefined;
    found[1].waiting.push({ fromPort, bytes });
    this.#tell(found[0], true, false);
    return undefined;
  }

  udpCaller(fromPort: number): FakeSocket | undefined {
    return this.#udpCallers.get(fromPort);
  }

  collect(told: (socket: number, readable: boolean, writable: boolean) => void): number {
    const ready = [...this.#readiness.ready];
    this.#readiness.ready.clear();
    for (const [socket, { readable, writable }] of ready)
      if (socket >= FIRST_LISTENING || this.played.open.has(socket)) told(socket, readable, writable);
    return ready.length;
  }

  readonly callers = {
    port: 0,
    address: Uint8Array.of(127, 0, 0, 1),
    key: "",
    family: 4 as const,
    listen: (_address: Uint8Array, port: number): number => {
      if (this.#taken.has(port)) return -errnoOf("EADDRINUSE");
      this.#listening.set(++this.#lastId, { port, waiting: [] });
      return this.#lastId;
    },
    accept: (listening: number): number => {
      if (!this.hasDescriptors) return -errnoOf("EMFILE");
      return this.#listening.get(listening)?.waiting.shift()?.id ?? -errnoOf("EAGAIN");
    },
    bind: (_address: Uint8Array, port: number): number => {
      if (this.#taken.has(port) || this.#takenUdp.has(port)) return -errnoOf("EADDRINUSE");
      this.#bound.set(++this.#lastId, { port, waiting: [] });
      return this.#lastId;
    },
    receive: (bound: number, into: Uint8Array, at: number): number => {
      const datagram = this.#bound.get(bound)?.waiting.shift();
      if (datagram === undefined) return -errnoOf("EAGAIN");
      into.set(datagram.bytes, at);
      this.callers.port = datagram.fromPort;
      this.callers.key = `${bound} ${datagram.fromPort}`;
      return datagram.bytes.length;
    },
    openToCaller: (): number => {
      if (!this.hasDescriptors) return -errnoOf("EMFILE");
      const socket = this.played.accepted();
      this.#datagrams.add(socket.id);
      this.#udpCallers.set(this.callers.port, socket);
      return socket.id;
    },
    close: (socket: number): void => {
      this.#listening.delete(socket);
      this.#bound.delete(socket);
    },
  };

  connect(address: Uint8Array, port: number): number {
    return number(this.played.connect(address, port));
  }

  connectResult(socket: number): number {
    if (this.played.isConnected(socket)) return 0;
    return this.played.open.get(socket)?.failure === Failure.NONE ? EINPROGRESS : errnoOf("ECONNREFUSED");
  }

  read(socket: number, into: Uint8Array, at: number, most: number): number {
    const { played } = this;
    const isDatagram = this.#datagrams.has(socket);
    return number(isDatagram ? played.receive(socket, into, at, most) : played.read(socket, into, at, most));
  }

  write(socket: number, from: Uint8Array, start: number, end: number): number {
    return number(this.played.write(socket, from, start, end));
  }

  room(socket: number): number {
    return this.played.room(socket);
  }

  shutdown(socket: number): void {
    this.played.shutdown(socket);
  }

  close(socket: number): void {
    this.played.close(socket);
  }

  abort(socket: number): void {
    this.played.abort(socket);
  }

  openDatagrams(address: Uint8Array, port: number): number {
    const socket = this.played.openDatagrams(address, port);
    this.#datagrams.add(socket);
    return socket;
  }

  openEchoes(): number {
    return -errnoOf("EACCES");
  }

  send(socket: number, from: Uint8Array, start: number, end: number, ttl: number): number {
    return this.played.send(socket, from, start, end, ttl) ? end - start : -errnoOf("ECONNREFUSED");
  }

  takeIcmp(): undefined {
    return undefined;
  }

  ownAddress(): Uint8Array | undefined {
    return this.own;
  }

  end(): void {
    this.#process.close(this.fd);
  }
}

/** Minus the error number, where the played sockets say why in words. */
function number(result: number): number {
  return result === NOT_NOW ? -errnoOf("EAGAIN") : result === FAILED ? -errnoOf("ECONNREFUSED") : result;
}
