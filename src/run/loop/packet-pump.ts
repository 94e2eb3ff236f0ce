// The way of packets between the packet port and the lines: from the packet port to what carries them, a link or a bundle,
// and from the links to the packet port.

import { Bundle } from "../../link/bundle.ts";
import type { Link } from "../../link/link.ts";
import { FlowQueues } from "../../queue/flow-queues.ts";
import type { QueueStatus } from "../live/published-status.ts";
import { HeldPackets, type Release } from "../packets/held-packets.ts";
import type { PacketTap } from "../packets/packet-tap.ts";
import { MAX_PACKET, type PacketPort } from "../packets/port.ts";
import { type InterfaceBuffers, PACKET_ROOM } from "./buffers.ts";
import type { LinePort } from "./line-port.ts";

/** So many packets after a wait are worth a write of their own. */
const QUICK_PACKETS = 4;

/** The room for packets that wait for lines of known speed. At 4 Mbit/s it holds half a second of traffic. */
const QUEUE_OCTETS = 262_144;
const QUEUE_PACKETS = 512;
/** So many packets are read ahead in one round. If they find the queues full, no more are read for FULL_MS. */
const READ_AHEAD = 64;
const FULL_MS = 5;

/** Sends a packet in pieces, between which other packets may go. */
interface Cutter {
  /** Takes a packet to be sent in pieces. False: it cannot be cut, and was sent whole. */
  cut(packet: Uint8Array, start: number, end: number, now: number): boolean;
  readonly hasPieces: boolean;
  sendPiece(now: number): void;
}

/** What takes packets from the interface: a link, or a bundle of them. */
export type Carrier = Pick<Link, "networks" | "send" | "hasRoom" | "flush" | "nextTimeout" | "handleTimeout"> &
  Partial<Cutter>;

/** What it asks of a packet port. */
export type PumpPort = Pick<
  PacketPort,
  "fd" | "hasKept" | "waitsInKernel" | "idle" | "nextTimeout" | "handleTimeout" | "read" | "write" | "keep"
>;

export class PacketPump {
  carrier: Carrier;
  /** Comes before the packet port, both ways. */
  tap: PacketTap | undefined;
  readonly isBundle: boolean;
  readonly #packets: PumpPort;
  readonly #memory: InterfaceBuffers;
  readonly #held = new HeldPackets();
  /** For the hash of the flows. */
  readonly #random32: () => number;
  /** How many packets still go out at once, each by itself. */
  #quick = 0;
  #carrying = false;
  /** Packets that were read ahead. Undefined: none ever were. */
  #queues: FlowQueues | undefined;
  /** No packets are read ahead until then. Infinity: they are. */
  #resumesAt = Infinity;

  constructor(carrier: Carrier, packets: PumpPort, memory: InterfaceBuffers, random32: () => number) {
    this.carrier = carrier;
    this.isBundle = carrier instanceof Bundle;
    this.#packets = packets;
    this.#memory = memory;
    this.#random32 = random32;
  }

  /** Packets are carried. */
  get carrying(): boolean {
    return this.#carrying;
  }

  /**
   * Packets are carried from now on, or not. Those that wait for a line then go back to a port that stays (`demand`), as many
   * as it has room for. The others are lost, as in the kernel's queue of an interface that goes.
   */
  carry(on: boolean): void {
    this.#carrying = on;
    const queues = this.#queues;
    if (on || queues === undefined) return;
    const { bytes } = this.#memory.packet;
    if (this.#packets.keep !== undefined)
      for (let length; (length = queues.takeOldest(bytes, PACKET_ROOM)) > 0;)
        if (!this.#packets.keep(bytes, PACKET_ROOM, PACKET_ROOM + length)) queues.cleared++;
    queues.clear();
  }

  /** What became of packets that waited and were not sent, for the log. Undefined: all were sent as they came. */
  get losses(): string | undefined {
    const { dropped = 0, overflowed = 0, marked = 0, cleared = 0 } = this.#queues ?? {};
    if (dropped + overflowed + marked + cleared === 0) return undefined;
    return `Packets to the line: ${dropped + overflowed} dropped, ${marked} marked, ${cleared} left at the end`;
  }

  /** Packets that wait for the lines. Undefined: none ever did. */
  get queue(): QueueStatus | undefined {
    if (this.#queues === undefined) return undefined;
    const { length: packets, octets, dropped, marked, overflowed } = this.#queues;
    return { packets, octets, dropped, marked, overflowed };
  }

  /** To wait at for packets. */
  get fd(): number {
    return this.#packets.fd;
  }

  /** There are packets that the descriptor does not tell of. */
  get hasKept(): boolean {
    return (
      this.#packets.hasKept ||
      this.tap?.hasPackets === true ||
      (this.#queues !== undefined && this.#queues.length > 0) ||
      this.carrier.hasPieces === true
    );
  }

  /** No packets are carried, and the port wants to be told of its descriptor all the same. */
  get isIdle(): boolean {
    return !this.carrying && this.#packets.idle !== undefined;
  }

  idle(now: number): void {
    this.#packets.idle?.(now);
  }

  /** To wait at for the tap. */
  get tapFd(): number {
    return this.tap?.fd ?? -1;
  }

  /** The tap's descriptor is ready. */
  collect(now: number): void {
    this.tap?.collect(now);
  }

  /** When the packet port or the tap has something to do by itself. */
  nextTimeout(): number {
    const { tap } = this;
    const portAt = Math.min(this.#packets.nextTimeout(), this.#resumesAt);
    return tap === undefined ? portAt : Math.min(portAt, tap.nextTimeout());
  }

  handleTimeout(now: number): void {
    if (this.#resumesAt <= now) this.#resumesAt = Infinity;
    if (this.#packets.nextTimeout() <= now) this.#packets.handleTimeout(now);
    if (this.tap !== undefined && this.tap.nextTimeout() <= now) this.tap.handleTimeout(now);
  }

  /** A line is about to run dry and the next packet is wanted. */
  isHungry(ports: readonly LinePort[], now: number): boolean {
    if (!this.carrying || !this.carrier.hasRoom(MAX_PACKET)) return false;
    for (const port of ports) if (port.isHungry(now)) return true;
    return false;
  }

  /** A line is hungry, and there is nothing to send. */
  starves(ports: readonly LinePort[]): void {
    for (const { pacer } of ports) pacer.starves();
  }

  /** Nothing was busy for a while: the next packets are not kept waiting for others to be written with them. */
  rested(): void {
    this.#quick = QUICK_PACKETS;
  }

  /** Hands what has come on a line to its stage, and the packets in it to the packet port. */
  deliver({ buffers: { input, frame }, stage }: LinePort, now: number): void {
    const { tap } = this;
    while (stage.receive(input, now))
      if (this.carrying) {
        if (tap?.receive(stage.packet, stage.packetStart, stage.packetEnd, now) === true) continue;
        if (this.#held.add(stage.packet, stage.packetStart, stage.packetEnd)) continue;
        const from = stage.packet === frame.bytes ? frame : this.#memory.plain;
        this.#packets.write(from, stage.packetStart, stage.packetEnd);
      }
  }

  /** The peer's packets of this version of IP wait until the returned function is called. */
  hold(version: 4 | 6): Release {
    this.#held.hold(version);
    return (closed) => {
      const { plain } = this.#memory;
      for (const packet of this.#held.release(version, closed)) {
        if (!this.carrying) continue;
        plain.bytes.set(packet);
        this.#packets.write(plain, 0, packet.length);
      }
    };
  }

  /**
   * Packets are read as they come, whether a line wants them or not. On lines of known speed packets wait here, where each flow
   * has its queue, and not in the kernel's one queue. A line of unknown speed is fast, and nothing waits for it.
   */
  readsAhead(ports: readonly LinePort[]): boolean {
    return this.carrying && this.#resumesAt === Infinity && this.#mayReadAhead(ports);
  }

  #mayReadAhead(ports: readonly LinePort[]): boolean {
    // Packets from before the link go first, in their order, and none of them is dropped.
    if (!this.#packets.waitsInKernel || this.#packets.hasKept) return false;
    for (const { pacer } of ports) if (!pacer.paced) return false;
    return true;
  }

  /** Takes packets as long as a line wants them. */
  take(ports: readonly LinePort[], now: number): void {
    const { carrier } = this;
    let fast = true;
    let paced = false;
    for (const { pacer } of ports) {
      fast &&= pacer.fast;
      paced ||= pacer.paced;
    }
    carrier.networks.datapath.fast = fast;
    const isAhead = paced && this.#mayReadAhead(ports);
    if (isAhead && this.#resumesAt === Infinity) this.#readAhead(ports, now);
    while (this.isHungry(ports, now)) {
      if (!this.#sendTapped(now) && !this.#sendQueued(now) && (isAhead || !this.#sendRead(now))) return;
      // On a paced line each packet goes out before the next is looked at, so that the pacer knows of it.
      if (paced || this.#quick > 0) for (const port of ports) port.drain(now);
      this.#quick--;
    }
  }

  /** Moves what waits in the kernel to the queues. */
  #readAhead(ports: readonly LinePort[], now: number): void {
    const queues = (this.#queues ??= new FlowQueues(QUEUE_OCTETS, QUEUE_PACKETS, this.#random32()));
    const { packet } = this.#memory;
    const { networks } = this.carrier;
    queues.setRate(ports.reduce((rate, { pacer }) => rate + pacer.rate, 0));
    const { overflowed } = queues;
    for (let most = READ_AHEAD; most > 0; most--) {
      const got = this.#packets.read(packet, PACKET_ROOM, networks);
      if (got <= 0) return;
      queues.put(packet.bytes, PACKET_ROOM, PACKET_ROOM + got, now);
    }
    // A program sends more than the line could ever carry. The kernel drops its packets with less work.
    if (queues.overflowed - overflowed > READ_AHEAD / 2) this.#resumesAt = now + FULL_MS;
  }

  /** Sends a packet from the queues, or the next piece of one. False: there is none. */
  #sendQueued(now: number): boolean {
    const { carrier } = this;
    const queues = this.#queues;
    if (queues === undefined) return false;
    const { bytes } = this.#memory.packet;
    const sparse = queues.takeSparse(bytes, PACKET_ROOM, now, carrier.hasPieces);
    if (sparse > 0) {
      carrier.send(bytes, PACKET_ROOM, PACKET_ROOM + sparse, now);
      return true;
    }
    if (carrier.hasPieces === true) {
      carrier.sendPiece?.(now);
      return true;
    }
    const length = queues.takeBulk(bytes, PACKET_ROOM, now);
    if (length === 0) return false;
    const end = PACKET_ROOM + length;
    if (carrier.cut !== undefined && queues.seesInteractive(now)) carrier.cut(bytes, PACKET_ROOM, end, now);
    else carrier.send(bytes, PACKET_ROOM, end, now);
    return true;
  }

  /** Sends the packet that the packet port has next. False: it has none. */
  #sendRead(now: number): boolean {
    const { carrier } = this;
    const { packet } = this.#memory;
    const got = this.#packets.read(packet, PACKET_ROOM, carrier.networks);
    if (got <= 0) return false;
    carrier.send(packet.bytes, PACKET_ROOM, PACKET_ROOM + got, now);
    return true;
  }

  /** Sends the packets that the tap has, although the lines may have enough: they are the last ones. */
  sendLast(now: number): void {
    while (this.carrying && this.carrier.hasRoom(MAX_PACKET) && this.#sendTapped(now));
  }

  /** Sends a packet of the tap. False: it has none. */
  #sendTapped(now: number): boolean {
    const { carrier, tap } = this;
    if (tap === undefined || !tap.hasPackets) return false;
    const { networks } = carrier;
    const { bytes } = this.#memory.packet;
    const length = tap.take(bytes, PACKET_ROOM, networks, now);
    if (length === 0) return false;
    // What we say by ourselves keeps no link from being idle.
    const { lastAt } = networks.traffic;
    carrier.send(bytes, PACKET_ROOM, PACKET_ROOM + length, now);
    networks.traffic.lastAt = lastAt;
    return true;
  }
}
