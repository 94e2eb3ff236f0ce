// A loop with a line, a link and a packet port like the real ones, in which packets go round and round: what is written to the
// line comes back on the line, and what comes out of the link goes in again.

import { put16, put32, u32 } from "../../bytes/be.ts";
import type { Method } from "../../compress/method-row.ts";
import type { LinkConfig } from "../../link/link-host.ts";
import { Link } from "../../link/link.ts";
import { ipv4HeaderChecksum, IpProto, TcpFlag } from "../../wire/ip.ts";
import type { Machine, Memory } from "../machine.ts";
import { InterfaceBuffers, LineBuffers } from "./buffers.ts";
import { LinePort } from "./line-port.ts";
import { Loop, type LoopOwner } from "./loop.ts";
import { PacketPump, type PumpPort } from "./packet-pump.ts";
import { Pacer } from "./pacer.ts";

/** IP and TCP. */
const HEADERS = 40;
/** Of a packet: that of a ping. */
const LENGTH = 84;
const MTU = 1500;
/** The speed of a line that has one, but never keeps a packet waiting. */
const QUICK = 1e9;
const KEYS = { transmit: new Uint8Array(16), receive: new Uint8Array(16) } as const;
const VJ = { maxSlot: 15, compressSlot: true } as const;

/** One packet goes round: in turns it is an ICMP packet, and the next packet of a TCP connection. */
class Circle implements PumpPort {
  readonly hasKept = false;
  readonly waitsInKernel = true;
  readonly fd: number;
  readonly #descriptors: Machine["descriptors"];

  constructor({ descriptors }: Machine, fd: number) {
    this.#descriptors = descriptors;
    this.fd = fd;
  }

  start(memory: Memory): void {
    const { bytes } = memory;
    for (let at = 0; at < LENGTH; at++) bytes[at] = at;
    bytes[0] = 0x45;
    put16(bytes, 2, LENGTH);
    put16(bytes, 6, 0);
    bytes[8] = 64;
    bytes[32] = 0x50;
    bytes[33] = TcpFlag.ACK;
    this.write(memory, 0, LENGTH);
  }

  read(into: Memory, at: number): number {
    return this.#descriptors.read(this.fd, into, at, LENGTH);
  }

  write(from: Memory, start: number, end: number): void {
    const { bytes } = from;
    const wasTcp = bytes[start + 9] === IpProto.TCP;
    bytes[start + 9] = wasTcp ? IpProto.ICMP : IpProto.TCP;
    if (wasTcp) put32(bytes, start + 24, u32(bytes, start + 24) + LENGTH - HEADERS);
    put16(bytes, start + 10, 0);
    put16(bytes, start + 10, ipv4HeaderChecksum(bytes, start, 20));
    this.#descriptors.write(this.fd, from, start, end - start);
  }

  nextTimeout(): number {
    return Infinity;
  }

  handleTimeout(): void {}
}

export class Circuit implements LoopOwner {
  readonly link: Link;
  /** Rounds of the loop so far. A packet needs two to go round. */
  rounds = 0;
  readonly #machine: Machine;
  readonly #owner: LoopOwner;
  readonly #fds: readonly number[];
  readonly #pump: PacketPump;
  readonly #port: LinePort;
  readonly #loop: Loop;
  #endsAt = 0;
  #last = 0;

  /** `owner` is that of the real loop: on every round it is asked and told here too. `fds` are two loopbacks. */
  constructor(machine: Machine, config: LinkConfig, owner: LoopOwner, isPaced: boolean, fds: readonly number[]) {
    const { descriptors } = machine;
    const [line = -1, packets = -1] = fds;
    this.#machine = machine;
    this.#owner = owner;
    this.#fds = fds;
    const buffers = new LineBuffers(descriptors);
    const memory = new InterfaceBuffers(descriptors);
    this.link = new Link(config, {
      output: buffers.output,
      frame: buffers.frame.bytes,
      plain: memory.plain.bytes,
      random32: () => 0,
      peerMayUse: () => true,
      admitsStrangers: () => true,
      madeUpPeerAddress: () => 0,
    });
    this.link.given.open({ our: 1, peer: 2, vjReceive: VJ, vjTransmit: VJ }, MTU, machine.clock.now());
    this.link.deframer.accm = 0;
    // A filter could stop the packets.
    this.link.networks.filters = undefined;
    const circle = new Circle(machine, packets);
    this.#pump = new PacketPump(this.link, circle, memory, () => 0);
    this.#pump.carry(true);
    const pacer = new Pacer(isPaced ? QUICK : 0);
    const ends = { fd: line, writeFd: line, countsOutput: false };
    this.#port = new LinePort({ machine, buffers, pacer, hungUp: () => {} }, ends, this.link);
    this.#loop = new Loop(machine, this.#pump, this);
    circle.start(memory.plain);
  }

  /** The packets are compressed and encrypted by this method from now on. */
  use(method: Method): void {
    const { datapath } = this.link.networks;
    datapath.sender = method.compressor(KEYS);
    datapath.receiver = method.decompressor(KEYS);
  }

  /** Goes on for so many milliseconds, and for so many rounds at most. */
  async run(ms: number, rounds: number): Promise<void> {
    this.#endsAt = this.#machine.clock.now() + ms;
    this.#last = this.rounds + rounds;
    this.#loop.add(this.#port);
    await this.#loop.run();
  }

  close(): void {
    for (const fd of this.#fds) this.#machine.descriptors.close(fd);
  }

  // ── the owner of the loop ────────────────────────────────────────────────────────────────────────────────────────

  settle(now: number): void {
    this.#owner.settle(now);
    this.#pump.rested();
    if (now >= this.#endsAt || this.rounds >= this.#last) this.#loop.remove(this.#port);
    else this.rounds++;
  }

  /** A packet is always ready. If it was lost, nothing waits for it. */
  nextDeadline(): number {
    return Math.min(this.#owner.nextDeadline(), 0);
  }

  /** The real loop gives the runtime its turns. */
  turnMs(): number {
    this.#owner.turnMs();
    return Infinity;
  }

  interfaceLost(): void {}
}
