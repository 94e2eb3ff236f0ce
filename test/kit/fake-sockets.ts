// The host's sockets, played: a SocketSide in memory. A test decides how each connection ends, what the server sends and how
// much it takes.

import { FAILED, Failure, NOT_NOW, type Failure as FailureType, type SocketSide } from "../../src/stack/socket-side.ts";

/** The most octets that UDP over IPv4 takes. */
const MOST_DATAGRAM = 65_507;

type Told = (socket: number, readable: boolean, writable: boolean) => void;

export class FakeSocket {
  readonly id: number;
  readonly address: string;
  readonly port: number;
  readonly #told: Told;
  isConnected = false;
  isShut = false;
  /** "open", "closed" or "aborted". */
  end: "open" | "closed" | "aborted" = "open";
  failure: FailureType = Failure.NONE;
  /** Who reports a failure of a datagram. */
  reporter: Uint8Array | undefined;
  /** How many octets the socket takes before the server must read. */
  room = Infinity;
  /** What the socket has taken. */
  readonly taken: Uint8Array[] = [];
  takenOctets = 0;
  #giving: Uint8Array[] = [];
  #hasEnded = false;
  /** The stack was told "not now" and waits. */
  #readerWaits = false;
  #writerWaits = false;
  readonly datagrams: { readonly bytes: Uint8Array; readonly ttl: number }[] = [];
  readonly #answers: Uint8Array[] = [];

  constructor(id: number, address: Uint8Array, port: number, told: Told) {
    this.id = id;
    this.address = address.join(".");
    this.port = port;
    this.#told = told;
  }

  connected(): void {
    this.isConnected = true;
    this.#told(this.id, false, true);
  }

  fail(failure: FailureType): void {
    this.failure = failure;
    this.#told(this.id, true, true);
  }

  /** The server sends octets. */
  give(octets: Uint8Array): void {
    if (octets.length > 0) this.#giving.push(octets);
    this.#wakeReader();
  }

  /** The server sends its end. */
  finish(): void {
    this.#hasEnded = true;
    this.#wakeReader();
  }

  /** The server reads: there is room again. */
  giveRoom(room: number): void {
    this.room = room;
    if (!this.#writerWaits) return;
    this.#writerWaits = false;
    this.#told(this.id, false, true);
  }

  answer(datagram: Uint8Array): void {
    this.#answers.push(datagram);
    this.#told(this.id, true, false);
  }

  /** The octets that the server has received. */
  received(): Uint8Array {
    const all = new Uint8Array(this.takenOctets);
    let at = 0;
    for (const piece of this.taken) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }

  #wakeReader(): void {
    if (!this.#readerWaits) return;
    this.#readerWaits = false;
    this.#told(this.id, true, false);
  }

  read(into: Uint8Array, at: number, most: number): number {
    if (this.failure !== Failure.NONE) return FAILED;
    const first = this.#giving[0];
    if (first === undefined) {
      this.#readerWaits = !this.#hasEnded;
      return this.#hasEnded ? 0 : NOT_NOW;
    }
    const count = Math.min(most, first.length);
    into.set(first.subarray(0, count), at);
    if (count < first.length) this.#giving[0] = first.subarray(count);
    else this.#giving.shift();
    return count;
  }

  write(from: Uint8Array, start: number, end: number): number {
    if (this.failure !== Failure.NONE) return FAILED;
    if (this.isShut) throw new Error("a socket was written to after its shutdown");
    const count = Math.min(end - start, this.room);
    this.#writerWaits ||= count < end - start;
    if (count === 0) return NOT_NOW;
    this.room -= count;
    this.taken.push(from.slice(start, start + count));
    this.takenOctets += count;
    return count;
  }

  receive(into: Uint8Array, at: number, most: number): number {
    if (this.failure !== Failure.NONE) return FAILED;
    const first = this.#answers.shift();
    if (first === undefined) return NOT_NOW;
    const count = Math.min(most, first.length);
    into.set(first.subarray(0, count), at);
    return count;
  }
}

export class FakeSockets implements SocketSide {
  /** All sockets that are open, by number, and every one that was opened, in order. */
  readonly open = new Map<number, FakeSocket>();
  readonly all: FakeSocket[] = [];
  /** What becomes of a connection: made at once, made when the test says so, or not made. */
  connecting: "at-once" | "later" | FailureType = "at-once";
  echoes: "allowed" | "not-allowed" = "allowed";
  /** Nothing listens where datagrams go. */
  refusesDatagrams = false;
  /** What each new connection is given. */
  onConnect: (socket: FakeSocket) => void = () => {};
  told: Told = () => {};
  /** Forgets sockets that are closed. */
  keepsAll = true;
  #lastId = 0;
  #refusal: FailureType = Failure.NONE;

  get last(): FakeSocket {
    return this.all.at(-1)!;
  }

  /** A socket that is connected already, as accept(2) gives it. */
  accepted(): FakeSocket {
    const socket = this.#add(new Uint8Array(4), 0);
    socket.isConnected = true;
    return socket;
  }

  #add(address: Uint8Array, port: number): FakeSocket {
    const socket = new FakeSocket(++this.#lastId, address, port, (id, readable, writable) =>
      this.told(id, readable, writable),
    );
    this.open.set(socket.id, socket);
    if (this.keepsAll) this.all.push(socket);
    return socket;
  }

  connect(address: Uint8Array, port: number): number {
    if (typeof this.connecting === "number") {
      this.#refusal = this.connecting;
      return FAILED;
    }
    const socket = this.#add(address, port);
    socket.isConnected = this.connecting === "at-once";
    this.onConnect(socket);
    return socket.id;
  }

  isConnected(id: number): boolean {
    return this.#of(id).isConnected;
  }

  read(id: number, into: Uint8Array, at: number, most: number): number {
    return this.#of(id).read(into, at, most);
  }

  write(id: number, from: Uint8Array, start: number, end: number): number {
    return this.#of(id).write(from, start, end);
  }

  room(id: number): number {
    return this.#of(id).room;
  }

  shutdown(id: number): void {
    this.#of(id).isShut = true;
  }

  close(id: number): void {
    this.#end(id, "closed");
  }

  abort(id: number): void {
    this.#end(id, "aborted");
  }

  #end(id: number, how: "closed" | "aborted"): void {
    this.#of(id).end = how;
    this.open.delete(id);
  }

  reporter(id: number): Uint8Array | undefined {
    return this.#of(id).reporter;
  }

  failure(id: number): FailureType {
    if (id === FAILED) return this.#refusal;
    const socket = this.#of(id);
    const { failure } = socket;
    socket.failure = Failure.NONE;
    return failure;
  }

  openDatagrams(address: Uint8Array, port: number): number {
    this.#refusal = Failure.REFUSED;
    return this.refusesDatagrams ? FAILED : this.#add(address, port).id;
  }

  openEchoes(address: Uint8Array): number {
    this.#refusal = Failure.UNSUPPORTED;
    return this.echoes === "allowed" ? this.#add(address, 0).id : FAILED;
  }

  send(id: number, from: Uint8Array, start: number, end: number, ttl: number): boolean {
    const socket = this.#of(id);
    if (end - start > MOST_DATAGRAM) socket.failure = Failure.TOO_BIG;
    if (socket.failure !== Failure.NONE) return false;
    socket.datagrams.push({ bytes: from.slice(start, end), ttl });
    return true;
  }

  receive(id: number, into: Uint8Array, at: number, most: number): number {
    return this.#of(id).receive(into, at, most);
  }

  #of(id: number): FakeSocket {
    const socket = this.open.get(id);
    if (socket === undefined) throw new Error(`socket ${id} is not open`);
    return socket;
  }
}
