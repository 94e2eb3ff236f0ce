// A proxy whose link leads to a user-mode stack: programs on one side, servers and a name server on the other, all played.

import { u16 } from "../../src/bytes/be.ts";
import { Proxy } from "../../src/proxy/proxy.ts";
import { Destinations } from "../../src/stack/destinations.ts";
import { NOT_NOW } from "../../src/stack/socket-side.ts";
import { Stack } from "../../src/stack/stack.ts";
import { parseDnsAnswer } from "../../src/wire/dns.ts";
import { type FakeSocket, FakeSockets } from "./fake-sockets.ts";
import { Rng } from "./rng.ts";

export const OUR = Uint8Array.of(10, 0, 0, 2);
const PEER = Uint8Array.of(10, 0, 0, 1);
const RESOLVER = Uint8Array.of(192, 0, 2, 53);

export class ProxyWorld {
  now = 1000;
  /** Packets are carried. */
  isUp = false;
  readonly programs = new FakeSockets();
  readonly servers = new FakeSockets();
  readonly proxy: Proxy;
  readonly far: Stack;
  /** Names, and the addresses or the error code that the name server has for them. Others are not answered. */
  readonly zone = new Map<string, readonly string[] | number>();
  /** What becomes of the name server's answers. */
  spoil: (answer: Uint8Array) => Uint8Array = (answer) => answer;
  /** Names that the name server was asked for. */
  readonly asked: string[] = [];
  /** The sockets to programs' ports that have sent datagrams, by the names of the ports. */
  readonly ports = new Map<string, FakeSocket>();
  /** Where programs connect and send datagrams from. */
  programAddress = "127.0.0.1";
  readonly #datagrams: { readonly port: string; readonly bytes: Uint8Array }[] = [];
  #sender = "";
  readonly #waiting: FakeSocket[] = [];
  readonly #answered = new Map<FakeSocket, number>();
  readonly #packet = new Uint8Array(20_000);

  constructor(seed = 1) {
    const rng = new Rng(seed);
    const random = (): number => rng.u32();
    const relay = {
      place: { address: Uint8Array.of(127, 0, 0, 1), port: 1080 },
      receive: (into: Uint8Array, at: number) => this.#takeDatagram(into, at),
      sender: () => this.#sender,
      senderAddress: () => this.programAddress,
      open: () => this.#openToSender(),
    };
    this.proxy = new Proxy({
      side: this.programs,
      accept: () => this.#waiting.shift()?.id ?? NOT_NOW,
      callerAddress: () => this.programAddress,
      random,
      relay,
    });
    this.programs.told = (socket, readable, writable) => this.proxy.ready(socket, readable, writable, this.now);
    this.far = new Stack({
      side: this.servers,
      destinations: new Destinations([], []),
      resolvers: [RESOLVER],
      ownAddresses: () => [],
      mostFlows: 2000,
      random,
    });
    this.servers.told = (socket, readable, writable) => this.far.ready(socket, readable, writable, this.now);
    this.far.gateway.setAddress(4, PEER);
  }

  linkUp(our = OUR): void {
    this.isUp = true;
    this.proxy.setServers([PEER]);
    this.proxy.setAddress(4, our, this.now);
    this.run();
  }

  linkDown(): void {
    this.isUp = false;
    this.proxy.setAddress(4, undefined, this.now);
  }

  /** A program connects, and says this. */
  program(...pieces: Uint8Array[]): FakeSocket {
    const socket = this.programs.accepted();
    this.#waiting.push(socket);
    this.proxy.accept(this.now);
    for (const piece of pieces) socket.give(piece);
    this.run();
    return socket;
  }

  /** A program's port of this name sends datagrams to the relay. */
  datagram(port: string, ...all: Uint8Array[]): void {
    const socket = this.ports.get(port);
    if (socket?.end === "open") for (const bytes of all) socket.answer(bytes);
    else {
      this.#datagrams.push(...all.map((bytes) => ({ port, bytes })));
      this.proxy.relay();
    }
    this.run();
  }

  #takeDatagram(into: Uint8Array, at: number): number {
    const first = this.#datagrams.shift();
    if (first === undefined) return NOT_NOW;
    this.#sender = first.port;
    into.set(first.bytes, at);
    return first.bytes.length;
  }

  #openToSender(): number {
    const socket = this.programs.accepted();
    this.ports.set(this.#sender, socket);
    return socket.id;
  }

  /** Carries packets until none is left. */
  run(): void {
    for (let round = 0; round < 10_000 && this.isUp; round++) {
      const toFar = this.#carry(this.proxy.stack, (length) => this.far.receive(this.#packet, 0, length, this.now));
      const toUs = this.#carry(this.far, (length) => this.proxy.receivePacket(this.#packet, 0, length, this.now));
      this.#answerNames();
      if (toFar + toUs === 0 && !this.far.hasPackets && !this.proxy.stack.hasPackets) return;
    }
  }

  /** Carries one packet to the far end, and all that comes back. Returns the protocol of the packet. */
  step(): number | undefined {
    const length = this.proxy.stack.take(this.#packet, 0, this.now);
    const protocol = length > 0 ? this.#packet[9] : undefined;
    if (length > 0) this.far.receive(this.#packet, 0, length, this.now);
    this.#answerNames();
    while (this.#carry(this.far, (octets) => this.proxy.receivePacket(this.#packet, 0, octets, this.now)) > 0);
    return protocol;
  }

  #carry(from: Stack, receive: (length: number) => void): number {
    const length = from.take(this.#packet, 0, this.now);
    if (length > 0) receive(length);
    return length;
  }

  /** Lets time pass. */
  wait(ms: number): void {
    for (const end = this.now + ms; ;) {
      const next = Math.min(this.proxy.nextTimeout(), this.far.nextTimeout(), end);
      this.now = Math.max(this.now, next);
      if (this.proxy.nextTimeout() <= this.now) this.proxy.handleTimeout(this.now);
      if (this.far.nextTimeout() <= this.now) this.far.handleTimeout(this.now);
      this.run();
      if (this.now >= end) return;
    }
  }

  #answerNames(): void {
    for (const socket of this.servers.open.values()) {
      if (socket.port !== 53) continue;
      const done = this.#answered.get(socket) ?? 0;
      this.#answered.set(socket, socket.datagrams.length);
      for (const { bytes } of socket.datagrams.slice(done)) {
        const answer = this.#answerTo(bytes);
        if (answer !== undefined) socket.answer(this.spoil(answer));
      }
    }
  }

  #answerTo(query: Uint8Array): Uint8Array | undefined {
    const asAnswer = query.slice();
    asAnswer[2]! |= 0x80;
    const { name = "", type } = parseDnsAnswer(asAnswer, 0, asAnswer.length) ?? {};
    this.asked.push(`${name} ${type}`);
    const known = this.zone.get(name);
    if (known === undefined) return undefined;
    if (typeof known === "number") {
      asAnswer[3] = known;
      return asAnswer;
    }
    const records = known.flatMap((address) => [
      0xc0,
      12,
      0,
      1,
      0,
      1,
      0,
      0,
      0,
      60,
      0,
      4,
      ...address.split(".").map(Number),
    ]);
    asAnswer[7] = known.length;
    if (u16(asAnswer, 4) !== 1) throw new Error("not one question");
    return Uint8Array.from([...asAnswer, ...records]);
  }
}
