// A SOCKS and HTTP proxy whose other side is the network of a link: each request of a program becomes a connection of our own
// TCP/IP stack from our address on the link. It has no clock, no randomness and no I/O.

import { DNS_PORT } from "../wire/dns.ts";
import { parsePrefix } from "../bytes/prefix.ts";
import { Deadlines } from "../stack/deadlines.ts";
import { Destinations, isImpossibleSource } from "../stack/destinations.ts";
import { Failure, NOT_NOW, type SocketSide } from "../stack/socket-side.ts";
import { Stack } from "../stack/stack.ts";
import { DatagramRelay, type RelaySockets } from "./datagram-relay.ts";
import { type Found, NameLookup } from "./name-lookup.ts";
import { kindOf, LinkAddresses } from "./link-addresses.ts";
import { OwnPorts } from "./own-ports.ts";
import { Program, Stage } from "./program.ts";
import { dropToEnd, ProgramSide } from "./program-side.ts";
import { type Host, Outcome, outcomeOf, type ProxyRequest } from "./request.ts";

export const MOST_PROGRAMS = 1000;
/** Connections that only wait for old segments count as well. */
const MOST_FLOWS = 4096;
/** A program must have said what it wants after so long. */
const READING_MS = 30_000;
/** A request waits for the link for so long. */
const LINK_MS = 10_000;
/** An address must have answered after so long. */
const CONNECTING_MS = 30_000;
/** A program that has its last answer gets so long to end. */
const CLOSING_MS = 2000;
/** Without descriptors for another program, we look again after so long. */
const NO_ROOM_MS = 1000;

/** Nothing of the peer is carried on. */
const NOWHERE = new Destinations([], [parsePrefix("0.0.0.0/0")!, parsePrefix("::/0")!]);

export interface ProxySettings {
  /** The programs' sockets. */
  readonly side: SocketSide;
  /** The socket of another program. NOT_NOW: there is none. FAILED: it cannot be had now. */
  readonly accept: () => number;
  /** The address of the program that was accepted last. */
  readonly callerAddress: () => string;
  /** A random number of 32 bits. */
  readonly random: () => number;
  /** Where programs send datagrams; undefined: nowhere. */
  readonly relay?: RelaySockets;
}

export class Proxy {
  readonly stack: Stack;
  readonly #settings: ProxySettings;
  readonly #names: NameLookup;
  readonly #relay: DatagramRelay | undefined;
  readonly #programs = new Map<number, Program>();
  readonly #deadlines = new Deadlines<Program>();
  readonly #link: LinkAddresses;
  /** When programs that could not be accepted are looked for again. */
  #acceptAt = Infinity;
  #now = 0;

  constructor(settings: ProxySettings) {
    this.#settings = settings;
    const { side, random, relay } = settings;
    this.#names = new NameLookup({
      random,
      send: (server, fromPort, query) => {
        const far = this.#link.wayTo(server);
        if (far !== undefined) this.stack.send({ far, farPort: fromPort, peer: server, peerPort: DNS_PORT }, query);
      },
    });
    if (relay !== undefined) this.#relay = this.#relayOf(relay);
    this.stack = new Stack({
      side: new ProgramSide({
        side,
        programOf: (socket) => this.#programs.get(socket),
        opened: (program, failure) => this.#opened(program, failure),
        left: (program) => this.#forget(program),
      }),
      destinations: NOWHERE,
      resolvers: [],
      ownAddresses: () => [],
      mostFlows: MOST_FLOWS,
      random,
      leadsOn: true,
      own: new OwnPorts(this.#names, this.#relay),
    });
    this.#link = new LinkAddresses({
      gateway: this.stack.gateway,
      names: this.#names,
      send: (packet) => this.stack.sendPacket(packet),
      added: (address) => this.#addressAdded(address),
    });
  }

  #relayOf(sockets: RelaySockets): DatagramRelay {
    const { side, random } = this.#settings;
    const wayTo = (peer: Uint8Array): Uint8Array | undefined =>
      this.#isProhibited(peer) ? undefined : this.#link.wayTo(peer);
    return new DatagramRelay({
      side,
      sockets,
      names: this.#names,
      send: (from, payload) => this.stack.send(from, payload),
      wake: (source) => this.stack.wake(source),
      withdraw: (source) => this.stack.withdraw(source),
      random,
      wayTo,
    });
  }

  /** How many programs are connected. */
  get size(): number {
    return this.#programs.size;
  }

  // ── the link ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Our address on the link; undefined: the protocol is down. Connections outlast a link that comes back with the same one. */
  setAddress(family: 4 | 6, address: Uint8Array | undefined, now: number): void {
    this.#now = now;
    this.#link.set(family, address, now);
  }

  #addressAdded(added: Uint8Array): void {
    for (const program of [...this.#programs.values()]) {
      const { our, stage } = program;
      const isOther =
        our !== undefined && kindOf(our.address) === kindOf(added) && String(our.address) !== String(added);
      if (isOther && (stage === Stage.CONNECTING || stage === Stage.OPEN)) this.stack.drop(program.socket);
      else if (stage === Stage.WAITING) this.#begin(program);
    }
  }

  /** The name servers of the link, before its IPv4 address. */
  setServers(servers: readonly Uint8Array[]): void {
    this.#link.setServers(servers);
  }

  /** A packet from the link. */
  receivePacket(bytes: Uint8Array, start: number, end: number, now: number): void {
    this.#now = now;
    if (!this.#link.receive(bytes, start, end, now)) this.stack.receive(bytes, start, end, now);
  }

  // ── programs ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Programs may be waiting to be accepted. */
  accept(now: number): void {
    this.#now = now;
    this.#acceptAt = Infinity;
    while (this.#programs.size < MOST_PROGRAMS) {
      const socket = this.#settings.accept();
      if (socket < 0) {
        if (socket !== NOT_NOW) this.#acceptAt = now + NO_ROOM_MS;
        return;
      }
      const program = new Program(socket, this.#settings.callerAddress());
      this.#programs.set(socket, program);
      this.#deadlines.set(program, now + READING_MS);
      this.#read(program);
    }
    this.#acceptAt = now + NO_ROOM_MS;
  }

  /** A socket may be read, or written, or has failed (both). */
  ready(socket: number, readable: boolean, writable: boolean, now: number): void {
    this.#now = now;
    const program = this.#programs.get(socket);
    if (program === undefined) this.#relay?.ready(socket);
    else if (program.stage === Stage.CONNECTING || program.stage === Stage.OPEN)
      this.stack.ready(socket, readable, writable, now);
    else if (readable && program.stage === Stage.READING) this.#read(program);
    else if (readable && (program.stage === Stage.CLOSING || program.stage === Stage.RELAYING)) this.#awaitEnd(program);
  }

  /** Programs have sent datagrams. */
  relay(): void {
    this.#relay?.receive();
  }

  #read(program: Program): void {
    const { side } = this.#settings;
    for (let handshake; (handshake = program.handshake) !== undefined;) {
      const room = handshake.openRoom();
      const got = side.read(program.socket, handshake.bytes, handshake.length, room);
      if (got === NOT_NOW) return;
      if (got <= 0) {
        this.#close(program);
        return;
      }
      handshake.take(got);
      while (program.handshake !== undefined && this.#hear(program, program.handshake.read()));
    }
  }

  /** False: the program must say more first, or has said enough. */
  #hear(program: Program, heard: ReturnType<NonNullable<Program["handshake"]>["read"]>): boolean {
    switch (heard.kind) {
      case "more":
        return false;
      case "say":
        return this.#say(program, heard.octets);
      case "end":
        this.#finish(program, heard.octets);
        return false;
      case "request":
        program.requested(heard.request);
        this.#begin(program);
        return false;
      default:
        return heard satisfies never;
    }
  }

  // ── a request ────────────────────────────────────────────────────────────────────────────────────────────────────

  #begin(program: Program): void {
    const { command, host } = program.request!;
    if (command !== "connect") this.#beginRelaying(program);
    else if (!this.#hasWayTo(host)) {
      // An address that comes up and does not help leaves the deadline as it is.
      if (program.stage !== Stage.WAITING) this.#move(program, Stage.WAITING, this.#now + LINK_MS);
    } else if (typeof host !== "string") this.#found(program, { addresses: [host], outcome: Outcome.GRANTED });
    else {
      this.#move(program, Stage.RESOLVING, Infinity);
      this.#names.ask(host, (found, now) => this.#resolved(program, found, now), this.#now);
    }
  }

  /** The program may send datagrams until it ends its connection. */
  #beginRelaying(program: Program): void {
    const relay = this.#relay;
    if (relay === undefined) {
      this.#refuse(program, Outcome.UNSUPPORTED);
      return;
    }
    this.#move(program, Stage.RELAYING, Infinity);
    relay.join(program.address);
    this.#say(program, program.request!.answer(Outcome.GRANTED, relay.place));
    this.#awaitEnd(program);
  }

  /** IPv4 and IPv6 do not come up at the same time. */
  #hasWayTo(host: Host): boolean {
    return typeof host === "string" ? this.#link.reachesNames : this.#link.wayTo(host) !== undefined;
  }

  #resolved(program: Program, found: Found, now: number): void {
    this.#now = now;
    if (program.stage === Stage.RESOLVING) this.#found(program, found);
  }

  #found(program: Program, { addresses, outcome }: Found): void {
    if (addresses.length === 0) {
      this.#refuse(program, outcome);
      return;
    }
    program.addresses = addresses;
    this.#connect(program, Outcome.NET_UNREACHABLE);
  }

  /** Connects to the next address. `otherwise`: what became of the last one. */
  #connect(program: Program, otherwise: Outcome): void {
    const [peer, ...others] = program.addresses;
    program.addresses = others;
    program.outcome = undefined;
    if (peer === undefined) {
      this.#refuse(program, otherwise);
      return;
    }
    const far = this.#link.wayTo(peer);
    if (this.#isProhibited(peer)) this.#connect(program, Outcome.PROHIBITED);
    else if (far === undefined) this.#connect(program, otherwise);
    else if (!this.#open(program, far, peer)) this.#refuse(program, Outcome.FAILED);
  }

  #isProhibited(peer: Uint8Array): boolean {
    return isImpossibleSource(peer) || this.stack.gateway.isOurs(peer);
  }

  /** False: there are too many connections. */
  #open(program: Program, far: Uint8Array, peer: Uint8Array): boolean {
    const { port: peerPort } = program.request!;
    const farPort = this.stack.freePort(far, peer, peerPort);
    if (farPort === undefined) return false;
    program.our = { address: far, port: farPort };
    this.#move(program, Stage.CONNECTING, this.#now + CONNECTING_MS);
    return this.stack.openTo(program.socket, { far, farPort, peer, peerPort }, this.#now);
  }

  /** The connection to the host is made, or not. */
  #opened(program: Program, failure: Failure): void {
    if (failure === Failure.NONE) {
      this.#move(program, Stage.OPEN, Infinity);
      this.#say(program, program.request!.answer(Outcome.GRANTED, program.our));
      return;
    }
    program.outcome ??= outcomeOf(failure);
    // The stack is about to let go of the socket. Then the next address is tried.
    this.#move(program, Stage.RESOLVING, this.#now);
  }

  // ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #refuse(program: Program, outcome: Outcome): void {
    this.#finish(program, (program.request as ProxyRequest).answer(outcome));
  }

  /** Gives the last answer. The program reads it before the socket is closed, because a close may discard what was not read. */
  #finish(program: Program, octets: Uint8Array): void {
    program.handshake = undefined;
    if (octets.length === 0 || !this.#say(program, octets)) {
      this.#close(program);
      return;
    }
    this.#settings.side.shutdown(program.socket);
    this.#move(program, Stage.CLOSING, this.#now + CLOSING_MS);
    this.#awaitEnd(program);
  }

  #awaitEnd(program: Program): void {
    if (dropToEnd(this.#settings.side, program) !== NOT_NOW) this.#close(program);
  }

  /** An answer is so short that a socket that does not take it is broken. */
  #say({ socket }: Program, octets: Uint8Array): boolean {
    return octets.length === 0 || this.#settings.side.write(socket, octets, 0, octets.length) === octets.length;
  }

  #close(program: Program): void {
    if (program.stage === Stage.GONE) return;
    this.#forget(program);
    this.#settings.side.close(program.socket);
  }

  #forget(program: Program): void {
    if (program.stage === Stage.RELAYING) this.#relay?.leave(program.address);
    program.stage = Stage.GONE;
    program.handshake = undefined;
    this.#deadlines.remove(program);
    this.#programs.delete(program.socket);
    // There is room for another one.
    if (this.#acceptAt < Infinity) this.#acceptAt = this.#now;
  }

  #move(program: Program, stage: Stage, dueAt: number): void {
    program.stage = stage;
    this.#deadlines.set(program, dueAt);
  }

  // ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  nextTimeout(): number {
    return Math.min(
      this.stack.nextTimeout(),
      this.#names.nextTimeout(),
      this.#link.nextTimeout(),
      this.#deadlines.next(),
      this.#acceptAt,
      this.#relay?.nextTimeout() ?? Infinity,
    );
  }

  handleTimeout(now: number): void {
    this.#now = now;
    this.stack.handleTimeout(now);
    this.#names.handleTimeout(now);
    this.#link.handleTimeout(now);
    this.#relay?.handleTimeout(now);
    for (let program; (program = this.#deadlines.take(now)) !== undefined;) this.#expired(program);
    if (this.#acceptAt <= now) this.accept(now);
  }

  #expired(program: Program): void {
    switch (program.stage) {
      case Stage.READING:
      case Stage.CLOSING:
        this.#close(program);
        return;
      case Stage.WAITING:
        this.#refuse(program, this.#link.isEmpty ? Outcome.NO_LINK : Outcome.NET_UNREACHABLE);
        return;
      case Stage.RESOLVING:
        this.#connect(program, program.outcome ?? Outcome.FAILED);
        return;
      case Stage.CONNECTING:
        program.outcome = Outcome.TIMED_OUT;
        this.stack.drop(program.socket);
        return;
    }
  }

  /** Ends all connections, also those to programs. */
  close(): void {
    this.stack.close();
    for (const program of [...this.#programs.values()]) this.#close(program);
  }
}
