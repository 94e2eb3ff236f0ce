// The way of packets between the packet port and the lines: from the packet port to what carries them, a link or a bundle,
// and from the links to the packet port.

import { Bundle } from "../../link/bundle.ts";
import type { Link } from "../../link/link.ts";
import { HeldPackets, type Release } from "../packets/held-packets.ts";
import type { PacketTap } from "../packets/packet-tap.ts";
import { MAX_PACKET, type PacketPort } from "../packets/port.ts";
import { type InterfaceBuffers, PACKET_ROOM } from "./buffers.ts";
import type { LinePort } from "./line-port.ts";

/** So many packets after a wait are worth a write of their own. */
const QUICK_PACKETS = 4;

/** What takes packets from the interface: a link, or a bundle of them. */
export type Carrier = Pick<Link, "networks" | "send" | "hasRoom" | "flush" | "nextTimeout" | "handleTimeout">;

export class PacketPump {
  /** Packets are carried. */
  carrying = false;
  carrier: Carrier;
  /** Comes before the packet port, both ways. */
  tap: PacketTap | undefined;
  readonly isBundle: boolean;
  readonly #packets: PacketPort;
  readonly #memory: InterfaceBuffers;
  readonly #held = new HeldPackets();
  /** How many packets still go out at once, each by itself. */
  #quick = 0;

  constructor(carrier: Carrier, packets: PacketPort, memory: InterfaceBuffers) {
    this.carrier = carrier;
    this.isBundle = carrier instanceof Bundle;
    this.#packets = packets;
    this.#memory = memory;
  }

  /** To wait at for packets. */
  get fd(): number {
    return this.#packets.fd;
  }

  /** There are packets that the descriptor does not tell of. */
  get hasKept(): boolean {
    return this.#packets.hasKept || this.tap?.hasPackets === true;
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
    const portAt = this.#packets.nextTimeout();
    return tap === undefined ? portAt : Math.min(portAt, tap.nextTimeout());
  }

  handleTimeout(now: number): void {
    this.#packets.handleTimeout(now);
    if (this.tap !== undefined && this.tap.nextTimeout() <= now) this.tap.handleTimeout(now);
  }

  /** A line is about to run dry and the next packet is wanted. */
  isHungry(ports: readonly LinePort[], now: number): boolean {
    if (!this.carrying || !this.carrier.hasRoom(MAX_PACKET)) return false;
    for (const port of ports) if (port.isHungry(now)) return true;
    return false;
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

  /** Takes packets as long as a line wants them. */
  take(ports: readonly LinePort[], now: number): void {
    const { packet } = this.#memory;
    const { carrier } = this;
    let fast = true;
    let paced = false;
    for (const { pacer } of ports) {
      fast &&= pacer.fast;
      paced ||= pacer.paced;
    }
    carrier.networks.datapath.fast = fast;
    while (this.isHungry(ports, now)) {
      if (!this.#sendTapped(now)) {
        const got = this.#packets.read(packet, PACKET_ROOM, carrier.networks);
        if (got <= 0) return;
        carrier.send(packet.bytes, PACKET_ROOM, PACKET_ROOM + got, now);
      }
      // On a paced line each packet goes out before the next is looked at, so that the pacer knows of it.
      if (paced || this.#quick > 0) for (const port of ports) port.drain(now);
      this.#quick--;
    }
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
