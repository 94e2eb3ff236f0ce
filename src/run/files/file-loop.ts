// The loop of the file server: sockets and connections (files/connection.ts). It waits for all of them, and gives each one that
// has something to do a part of a turn.
//
// Bun.serve was tried first, on Bun 1.4.5, through the loopback:
// - memory grew by 39 MB for a download of 4 GB and by 43 MB for an upload; this loop stays below 16 MB
// - a request line that never ends is kept for ever, and each octet of a slow head prolongs its time
// - the octets of an address that are not UTF-8 are lost, and an absolute or odd one must be parsed as a URL
// - nothing limits the number of connections
// Bun.listen grew by 55 MB for an upload, because it makes a new buffer for each read.

import type { Exchange, UnderWay } from "../../files/exchange.ts";
import type { Endpoint } from "../host/network.ts";
import { Poll, type Machine } from "../machine.ts";
import { type Door, placeFor } from "./caller-places.ts";
import { TransferList } from "./transfer-list.ts";
import type { Sockets } from "../host/sockets.ts";

/** How much is read or sent in a turn of a connection. */
const PART = 1 << 17;
/** Answered in a turn. */
const MOST_DATAGRAMS = 16;
const EAGAIN = 11;
/** When accepting failed. */
const RETRY_MS = 200;

export type LoopMachine = Pick<Machine, "clock" | "descriptors"> & {
  readonly network: Pick<Machine["network"], "openSockets" | "datagrams">;
};

export interface FileLoopHost {
  /** Does a step of what no client waits for. True: there is more to do. */
  work(): boolean;
  /** What a step of a connection threw, which is a fault of ours. */
  note?(fault: unknown): void;
  /** Which files are on their way. */
  tell?(transfers: string): void;
}

/** A socket for datagrams, and what answers them. Undefined: nothing does. */
export interface Post {
  readonly fd: number;
  answer(octets: Uint8Array, from: Endpoint): Uint8Array | undefined;
}

interface Client {
  readonly door: Door;
  readonly connection: Exchange;
  readonly socket: number;
  isReadable: boolean;
  isWritable: boolean;
  /** It sends no more. Some clients that say so still read, but all of ours, and browsers, are gone then. */
  hasLeft: boolean;
  /** The buffer with octets that the socket did not take, from `unsent` to `end` in it. Undefined: it took all. */
  buffer: Uint8Array | undefined;
  unsent: number;
  end: number;
  /** How much the socket would take when it was looked at last: octets that have left make it more. */
  room: number;
  hasShutDown: boolean;
}

export class FileLoop {
  readonly #machine: LoopMachine;
  readonly #host: FileLoopHost;
  readonly #transfers = new TransferList<Client>();
  readonly #sockets: Sockets;
  readonly #clients = new Map<number, Client>();
  readonly #input = new Uint8Array(PART);
  /** Buffers that no client has octets in. */
  readonly #spare: Uint8Array[] = [];
  #isEnding = false;
  /** No caller is accepted before. */
  #acceptAt = -Infinity;
  #hasChores = false;
  /** The client whose reply was worked at last. */
  #worked: Client | undefined;

  /** Throws HostError. */
  constructor(machine: LoopMachine, host: FileLoopHost) {
    this.#machine = machine;
    this.#host = host;
    this.#sockets = machine.network.openSockets();
  }

  /** Serves the callers of sockets. Resolves when the other end of the descriptor `until` is closed, or after {@link end}. */
  async run(doors: readonly Door[], until: number, posts: readonly Post[] = []): Promise<void> {
    const { clock, descriptors } = this.#machine;
    const fds = [this.#sockets.fd, until, ...doors.map(({ listening }) => listening), ...posts.map(({ fd }) => fd)];
    const set = descriptors.pollSet(fds);
    for (const at of fds.keys()) set.want(at, Poll.IN);
    while (!this.#isEnding) {
      const polled = descriptors.poll(set, this.#waitMs(clock.now()));
      // A promise for each part of a large file would be most of the garbage.
      const ready = typeof polled === "number" ? polled : await polled;
      // A signal came: its handler runs in a turn of the runtime.
      if (ready < 0) await clock.turn();
      if (ready > 0 && set.got(1) !== 0 && !this.#isOpen(until)) break;
      for (const [at, door] of doors.entries()) {
        if (ready > 0 && set.got(2 + at) !== 0) this.#accept(door);
        set.want(2 + at, clock.now() < this.#acceptAt ? 0 : Poll.IN);
      }
      for (const [at, post] of posts.entries())
        if (ready > 0 && set.got(2 + doors.length + at) !== 0) this.#answerDatagrams(post);
      this.#collect();
      this.#turn(clock.now());
      if (this.#transfers.dueAt <= clock.now()) this.#lookAtTransfers(clock.now());
    }
    for (const client of this.#clients.values()) this.#close(client);
    this.#sockets.end();
  }

  end(): void {
    this.#isEnding = true;
  }

  /** What the other end sends is passed over. */
  #isOpen(fd: number): boolean {
    const { descriptors } = this.#machine;
    return descriptors.read(fd, descriptors.memory(64), 0, 64) > 0;
  }

  #waitMs(now: number): number {
    if (this.#hasChores) return 0;
    let at = Math.min(now < this.#acceptAt ? this.#acceptAt : Infinity, this.#transfers.nextLookAt);
    for (const client of this.#clients.values()) {
      if (isActive(client)) return 0;
      at = Math.min(at, client.connection.nextTimeout());
      if (client.connection.isCarrying) at = Math.min(at, this.#transfers.dueAt);
    }
    return Math.max(0, at - now);
  }

  #accept(door: Door): void {
    const now = this.#machine.clock.now();
    for (;;) {
      const socket = this.#sockets.callers.accept(door.listening);
      if (socket < 0) {
        // Without a descriptor the caller stays, and would be told of again and again.
        if (socket !== -EAGAIN) this.#acceptAt = now + RETRY_MS;
        return;
      }
      const place = placeFor([...this.#clients.values()], door);
      if (place === "none") {
        this.#sockets.abort(socket);
        continue;
      }
      if (place !== "free") this.#close(place);
      const connection = door.connect(now);
      const rest = { isReadable: true, isWritable: true, hasLeft: false, room: 0, hasShutDown: false };
      this.#clients.set(socket, { door, connection, socket, buffer: undefined, unsent: 0, end: 0, ...rest });
    }
  }

  /** A flood of them does not keep connections waiting. */
  #answerDatagrams(post: Post): void {
    const { datagrams } = this.#machine.network;
    for (let count = 0; count < MOST_DATAGRAMS; count++) {
      const came = datagrams.receive(post.fd);
      if (came === undefined) return;
      const answer = post.answer(came.octets, came.from);
      if (answer !== undefined) datagrams.send(post.fd, answer, came.from);
    }
  }

  #collect(): void {
    this.#sockets.collect((socket, isReadable, isWritable, hasLeft) => {
      const client = this.#clients.get(socket);
      if (client === undefined) return;
      client.isReadable ||= isReadable;
      client.isWritable ||= isWritable;
      client.hasLeft ||= hasLeft === true;
    });
  }

  #turn(now: number): void {
    const worker = this.#nextWorker();
    for (const client of this.#clients.values()) {
      const { isWorking } = client.connection;
      // Nobody waits for what would be sent.
      if (isWorking && client.hasLeft) client.connection.cut();
      else if (isBusy(client) && client !== worker) continue;
      try {
        this.#step(client, now);
      } catch (fault) {
        this.#host.note?.(fault);
        this.#drop(client);
      }
    }
    try {
      this.#hasChores = this.#host.work();
    } catch (fault) {
      this.#host.note?.(fault);
    }
  }

  /** One of those that need work, or have more requests, has its turn now, and the next one in the next turn: others wait for one only. */
  #nextWorker(): Client | undefined {
    let first: Client | undefined;
    let isPast = false;
    for (const client of this.#clients.values()) {
      if (isBusy(client)) {
        if (isPast) return (this.#worked = client);
        first ??= client;
      }
      isPast ||= client === this.#worked;
    }
    return (this.#worked = first);
  }

  #lookAtTransfers(now: number): void {
    const told = this.#transfers.look(this.#underWay(), now);
    if (told !== undefined) this.#host.tell?.(told);
  }

  *#underWay(): Iterable<readonly [Client, UnderWay]> {
    for (const client of this.#clients.values()) {
      const { underWay } = client.connection;
      if (underWay === undefined) continue;
      const { to, octets, of } = underWay;
      // What the socket still has is not with the peer.
      const unsent = to === "us" ? 0 : client.end - client.unsent + (this.#sockets.unsent?.(client.socket) ?? 0);
      if (unsent === 0 && to === "peer" && octets === of) client.connection.arrived();
      else yield [client, { ...underWay, octets: Math.max(0, octets - unsent) }];
    }
  }

  #step(client: Client, now: number): void {
    if (isActive(client)) {
      this.#send(client, now);
      this.#receive(client, now);
    }
    if (now >= client.connection.nextTimeout()) this.#timeout(client, now);
    if (client.connection.isOver) this.#close(client);
  }

  /** A step of it threw, so nothing of it is right any more: only this client pays for that. */
  #drop(client: Client): void {
    try {
      client.connection.cut();
    } catch (fault) {
      this.#host.note?.(fault);
    }
    this.#giveBack(client);
    this.#clients.delete(client.socket);
    this.#sockets.close(client.socket);
  }

  #timeout(client: Client, now: number): void {
    const room = this.#sockets.room(client.socket);
    if (room > client.room) client.connection.noteSent(room - client.room);
    client.room = room;
    client.connection.handleTimeout(now);
  }

  #receive(client: Client, now: number): void {
    const { connection, socket } = client;
    if (!client.isReadable || !connection.wantsInput) return;
    const got = this.#sockets.read(socket, this.#input, 0, PART);
    if (got > 0) connection.receive(this.#input, 0, got, now);
    else if (got === -EAGAIN) client.isReadable = false;
    else if (got === 0) {
      client.isReadable = false;
      connection.endOfInput();
    } else connection.cut();
  }

  #send(client: Client, now: number): void {
    const { connection, socket } = client;
    if (!client.isWritable) return;
    if (client.buffer === undefined && connection.wantsOutput) {
      client.buffer = this.#spare.pop() ?? new Uint8Array(PART);
      client.unsent = 0;
      client.end = connection.transmit(client.buffer, 0, PART, now);
    }
    if (client.buffer !== undefined) this.#write(client, client.buffer);
    if (!connection.hasFinished || client.buffer !== undefined || client.hasShutDown) return;
    client.hasShutDown = true;
    this.#sockets.shutdown(socket);
  }

  #write(client: Client, buffer: Uint8Array): void {
    const { socket, unsent, end } = client;
    const taken = unsent < end ? this.#sockets.write(socket, buffer, unsent, end) : 0;
    if (taken < 0 && taken !== -EAGAIN) client.connection.cut();
    else client.unsent += Math.max(0, taken);
    client.isWritable = client.unsent === end;
    if (client.isWritable || client.connection.isOver) this.#giveBack(client);
    else client.room = this.#sockets.room(socket);
  }

  #giveBack(client: Client): void {
    if (client.buffer !== undefined) this.#spare.push(client.buffer);
    client.buffer = undefined;
  }

  #close(client: Client): void {
    client.connection.cut();
    this.#giveBack(client);
    this.#clients.delete(client.socket);
    this.#sockets.close(client.socket);
  }
}

/** Its next step may take a while. */
function isBusy({ connection, isWritable, buffer }: Client): boolean {
  return connection.isWorking || (connection.hasMore && isWritable && buffer === undefined);
}

/** It has something to do that need not be waited for. */
function isActive({ connection, isReadable, isWritable, buffer, hasShutDown }: Client): boolean {
  const hasOutput = buffer !== undefined || connection.wantsOutput || (connection.hasFinished && !hasShutDown);
  if (isWritable && hasOutput) return true;
  return isReadable && connection.wantsInput;
}
