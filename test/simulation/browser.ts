// The programs of a simulated computer that use the Internet through its interface. Its kernel's TCP is played by a stack of
// ours. What they get must be what was sent, whole unless the connection is reset.

import { u16 } from "../../src/bytes/be.ts";
import { Destinations, ipv4Octets } from "../../src/stack/destinations.ts";
import { Stack } from "../../src/stack/stack.ts";
import { IpProto, ipv4Text } from "../../src/wire/ip.ts";
import { FakeSockets, type FakeSocket } from "../kit/fake-sockets.ts";
import type { Rng } from "../kit/rng.ts";
import { internetChecksum, ipv4Packet } from "../kit/segment-text.ts";
import type { Computer } from "./computer.ts";
import { type Internet, putPattern, requestOf, wrongPattern } from "./internet.ts";
import type { SimulatedTun } from "./network.ts";
import type { Goods } from "./traffic.ts";

/** The kernel gives the interface a packet this often while it has one and there is no room. */
const PUMP_MS = 4;
const SERVER = Uint8Array.of(192, 0, 2, 80);
/** Now and then no more are begun. */
const MOST_OPEN = 20;
const FIRST_PORT = 32768;

class Transfer {
  readonly socket: FakeSocket;
  readonly upload: number;
  readonly download: number;
  readonly place: number;
  received = 0;
  isWhole = false;
  /** The program reads what comes. */
  readonly reads: boolean;

  constructor(socket: FakeSocket, sizes: readonly [upload: number, download: number], place: number) {
    this.socket = socket;
    [this.upload, this.download] = sizes;
    this.place = place;
    this.reads = socket.room > 0;
    socket.give(requestOf(this.upload, this.download, place));
    const octets = new Uint8Array(this.upload);
    putPattern(place + 7, 0, octets);
    socket.give(octets);
    socket.finish();
  }

  /** Looks at what has come. Returns what is wrong. */
  check(): string | undefined {
    for (const piece of this.socket.taken.splice(0)) {
      const wrong = wrongPattern(this.place, this.received, piece);
      this.received += piece.length;
      if (wrong !== undefined) return wrong;
    }
    if (this.received > this.download) return `${this.received} octets came of a download of ${this.download}`;
    this.isWhole = this.socket.end === "closed";
    if (this.socket.isShut && this.received < this.download)
      return `a download of ${this.download} octets has ended after ${this.received}`;
    return undefined;
  }
}

export class Browser {
  /** Downloads that have arrived whole, and those whose connection was reset. */
  whole = 0;
  broken = 0;
  fault: string | undefined;
  /** The share of programs that read slowly. */
  slowness = 0;
  /** Octets of all downloads. */
  received = 0;
  /** Milliseconds that each answered ping took. */
  readonly pings: number[] = [];
  readonly #pinged = new Map<number, number>();
  readonly #computer: Computer;
  readonly #internet: Internet;
  readonly #rng: Rng;
  readonly #sockets = new FakeSockets();
  readonly #stack: Stack;
  readonly #transfers = new Set<Transfer>();
  readonly #room = new Uint8Array(20_000);
  #port = FIRST_PORT;
  #isPumping = false;
  #cancel = (): void => {};

  constructor(computer: Computer, internet: Internet, rng: Rng) {
    this.#computer = computer;
    this.#internet = internet;
    this.#rng = rng;
    this.#stack = new Stack({
      side: this.#sockets,
      destinations: new Destinations([], []),
      resolvers: [],
      ownAddresses: () => [],
      mostFlows: 1000,
      random: () => rng.u32(),
    });
    this.#sockets.keepsAll = false;
    this.#sockets.told = (socket, readable, writable) =>
      this.#stack.ready(socket, readable, writable, computer.time.now);
    computer.network.received = (packet) => {
      if (packet[9] === IpProto.ICMP && packet[20] === 0) this.#answered(u16(packet, 26));
      this.#stack.receive(packet, 0, packet.length, computer.time.now);
      this.#pump();
    };
  }

  get open(): number {
    return this.#transfers.size;
  }

  get #tun(): SimulatedTun | undefined {
    return this.#computer.network.tuns.find(({ isUp, addresses }) => isUp && addresses.length > 0);
  }

  /** Pings the server. */
  ping(): void {
    const tun = this.#tun;
    const number = this.#pinged.size + 1;
    this.#pinged.set(number, this.#computer.time.now);
    const message = [8, 0, 0, 0, 1, 1, number >> 8, number & 255, ...Array.from({ length: 56 }, () => 0)];
    const sum = internetChecksum(message);
    const { our = 0, peer = 0 } = tun?.addresses[0] ?? {};
    const echo = message.with(2, sum >> 8).with(3, sum & 255);
    tun?.transmit(ipv4Packet(ipv4Text(our), ipv4Text(peer), IpProto.ICMP, echo));
  }

  #answered(number: number): void {
    const sentAt = this.#pinged.get(number);
    if (sentAt !== undefined) this.pings.push(this.#computer.time.now - sentAt);
  }

  /** Begins a transfer, of which the program takes `room` octets before it reads on; 0: it never reads. False: there is no interface. */
  begin(upload: number, download: number, room = this.#rng.chance(this.slowness) ? 3000 : Infinity): boolean {
    const address = this.#tun?.addresses[0];
    if (address === undefined) return false;
    const socket = this.#sockets.accepted();
    socket.room = room;
    const { now } = this.#computer.time;
    this.#transfers.add(new Transfer(socket, [upload, download], this.#rng.below(100_000)));
    const ends = { far: ipv4Octets(address.our), farPort: this.#port, peer: SERVER, peerPort: 80 };
    this.#port = this.#port === 60_000 ? FIRST_PORT : this.#port + 1;
    if (!this.#stack.openTo(socket.id, ends, now)) throw new Error("the kernel has too many connections");
    this.#pump();
    return true;
  }

  /** Transfers now and then, of at most `most` octets: `gapMs` on average from one to the next. */
  start(gapMs: number, most: number): void {
    const { time } = this.#computer;
    const again = (): void => {
      // With VJ, the loss of several packets shows in TCP's checksum only as long as the changes do not cancel each other
      // (vj-loss.ts). They may where a connection sends packets of one size both ways.
      const size = Math.floor(most * this.#rng.float() ** 4);
      if (this.open < MOST_OPEN && this.#rng.chance(0.5)) this.begin(size, 0);
      else if (this.open < MOST_OPEN) this.begin(0, size);
      const appointment = time.after(gapMs * 2 * this.#rng.float(), again);
      this.#cancel = () => time.cancel(appointment);
    };
    again();
  }

  stop(): void {
    this.#cancel();
  }

  /** Downloads and uploads of at most so many octets, as a play sends them. */
  goods(most: number): readonly [Goods, Goods] {
    const { whole, fault } = { whole: () => this.whole, fault: () => this.fault };
    const internet = this.#internet;
    return [
      {
        get received() {
          return whole();
        },
        get fault() {
          return fault();
        },
        start: (gapMs) => this.start(gapMs, most),
        probe: () => void (this.open < 2 * MOST_OPEN && this.begin(100, 1000)),
        stop: () => this.stop(),
      },
      {
        get received() {
          return internet.whole;
        },
        get fault() {
          return internet.fault;
        },
        start: () => {},
        probe: () => {},
        stop: () => {},
      },
    ];
  }

  /** Gives the interface what the kernel has, as long as it has room, and looks at what has come. */
  #pump(): void {
    const { time } = this.#computer;
    const { now } = time;
    const stack = this.#stack;
    const tun = this.#tun;
    if (stack.nextTimeout() <= now) stack.handleTimeout(now);
    if (tun !== undefined) {
      stack.setMtu(tun.mtu);
      for (let length; tun.queued < tun.queueLength && (length = stack.take(this.#room, 0, now)) > 0;)
        tun.transmit(this.#room.slice(0, length));
    }
    this.#look();
    if (this.#isPumping || (this.open === 0 && !stack.hasPackets)) return;
    this.#isPumping = true;
    time.after(PUMP_MS, () => {
      this.#isPumping = false;
      this.#pump();
    });
  }

  #look(): void {
    for (const transfer of this.#transfers) {
      const { socket } = transfer;
      const before = transfer.received;
      this.fault ??= transfer.check() ?? this.#internet.fault;
      this.received += transfer.received - before;
      if (transfer.reads && socket.room < 1500) socket.giveRoom(socket.room + 3000);
      if (!transfer.isWhole && socket.end === "open") continue;
      this.#transfers.delete(transfer);
      if (transfer.isWhole) this.whole++;
      else this.broken++;
    }
  }
}
