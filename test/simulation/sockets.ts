// The sockets of a simulated process: a test plays the programs that call it, and the servers that it calls.

import type { Sockets } from "../../src/run/host/sockets.ts";
import { Poll } from "../../src/run/machine.ts";
import { FAILED, Failure, NOT_NOW } from "../../src/stack/socket-side.ts";
import { type FakeSocket, FakeSockets } from "../kit/fake-sockets.ts";
import { errnoOf } from "./errors.ts";
import { Channel, type Process } from "./process.ts";

const FIRST_LISTENING = 1_000_000;
const EINPROGRESS = 115;

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

  constructor(process: Process) {
    this.#process = process;
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

  collect(told: (socket: number, readable: boolean, writable: boolean) => void): number {
    const ready = [...this.#readiness.ready];
    this.#readiness.ready.clear();
    for (const [socket, { readable, writable }] of ready)
      if (socket >= FIRST_LISTENING || this.played.open.has(socket)) told(socket, readable, writable);
    return ready.length;
  }

  readonly callers: Sockets["callers"] = {
    listen: (_address, port) => {
      const id = FIRST_LISTENING + this.#listening.size;
      this.#listening.set(id, { port, waiting: [] });
      return id;
    },
    accept: (listening) => this.#listening.get(listening)?.waiting.shift()?.id ?? -errnoOf("EAGAIN"),
    bind: () => -errnoOf("EACCES"),
    receive: () => -errnoOf("EAGAIN"),
    openToCaller: () => -errnoOf("EACCES"),
    port: 0,
    key: "",
    close: (socket) => void this.#listening.delete(socket),
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

  ownAddress(): undefined {
    return undefined;
  }

  end(): void {
    this.#process.close(this.fd);
  }
}

/** Minus the error number, where the played sockets say why in words. */
function number(result: number): number {
  return result === NOT_NOW ? -errnoOf("EAGAIN") : result === FAILED ? -errnoOf("ECONNREFUSED") : result;
}
