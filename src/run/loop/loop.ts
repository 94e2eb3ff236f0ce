// The loop that joins links to their lines and the packet port: one poll over all of them, one read each way, and a turn for
// the runtime (Bun) when it has something to do. ARCHITECTURE.md has the figures that chose it over Bun's own readiness.

import { Ring } from "../../bytes/ring.ts";
import { MAX_FRAME } from "../../frame/deframer.ts";
import { PIECE_ROOM } from "../../link/bundle.ts";
import { PLAIN_SIZE } from "../../link/datapath.ts";
import { MAX_PACKET, type PacketPort } from "../packets/port.ts";
import type { Link } from "../../link/link.ts";
import type { Pacer } from "./pacer.ts";
import type { RateLimit } from "./rate-limit.ts";
import type { Serial } from "../host/serial.ts";
import { type Clock, type Descriptors, Errno, type Machine, type Memory, Poll, type PollSet } from "../machine.ts";

const RING_SIZE = 65536;
/** The largest packet a TUN can hand over, and room for its header before and its FCS behind. */
const PACKET_ROOM = PIECE_ROOM;
const TUN_BUFFER = PACKET_ROOM + MAX_FRAME + 8;
/** The runtime's own descriptors are undocumented. If none is found, it gets its turn this often. */
const RUNTIME_TURN_MS = 100;
/** A line that has only just said so may be read again at once; more often, and the TUN would starve. */
const READS_A_TURN = 4;
/** However busy the line, signals and children are looked after this often. */
const YIELD_MS = 20;
/** A poll that took longer has waited: nothing was busy, and the runtime's descriptors would have ended the wait. */
const WAITED_MS = 0.05;
/** So many packets after a wait are worth a write of their own. */
const QUICK_ROUNDS = 4;

/** What the owner of a loop is asked and told. */
export interface LoopOwner {
  /** There are events to take, or a deadline of the owner's passed. */
  settle(now: number): void;
  /** The owner's own nearest deadline. */
  nextDeadline(): number;
  /** The runtime has a timer or a promise that no descriptor tells of: it gets its turn this often. Infinity: it has none. */
  turnMs(): number;
  /** Somebody removed the interface; its packets are at an end. */
  tunLost(now: number): void;
}

/** Memory for one line: made once and used by every attempt, because its addresses are handed to the kernel. */
export class Buffers {
  readonly fromTty: Memory;
  readonly toTty: Memory;
  readonly frame: Memory;
  readonly input: Ring;
  readonly output: Ring;

  constructor(descriptors: Descriptors) {
    this.fromTty = descriptors.memory(RING_SIZE);
    this.toTty = descriptors.memory(RING_SIZE);
    this.frame = descriptors.memory(MAX_FRAME);
    this.input = new Ring(this.fromTty.bytes);
    this.output = new Ring(this.toTty.bytes);
  }
}

/** Memory for one interface. */
export class InterfaceBuffers {
  /** The packet taken from the packet port, and packets as they came out of a decompressor. */
  readonly packet: Memory;
  readonly plain: Memory;

  constructor(descriptors: Descriptors) {
    this.packet = descriptors.memory(TUN_BUFFER);
    this.plain = descriptors.memory(PLAIN_SIZE);
  }
}

/** A line, and the link that runs on it. */
export interface Port {
  /** To read from: the tty. */
  readonly fd: number;
  /** To write to: the same, unless the line is standard input and output. */
  readonly writeFd: number;
  /** The driver says how much it has not sent yet. */
  readonly countsOutput: boolean;
  /** What it may not exceed, however fast it is. */
  readonly limit?: { readonly sending: RateLimit; readonly receiving: RateLimit };
  readonly buffers: Buffers;
  readonly link: Link;
  readonly pacer: Pacer;
  /** What went over the line, for the `record` file. */
  readonly record?: { sent(bytes: Uint8Array, now: number): void; received(bytes: Uint8Array, now: number): void };
  /** The line is gone; the port is out of the loop already. */
  hungUp(now: number): void;
}

/** What takes packets from the interface: a link, or a bundle of them. */
export type Carrier = Pick<Link, "networks" | "send" | "hasRoom" | "flush" | "nextTimeout" | "handleTimeout">;

/** Octets in the driver of the port's line, where that says so. */
export function driverQueue(serial: Serial, { countsOutput, fd }: Pick<Port, "countsOutput" | "fd">): number {
  return countsOutput ? serial.outputQueued(fd) : 0;
}

export class Loop {
  /** Packets are taken from the packet port and brought to it. */
  carrying = false;
  readonly #carrier: Carrier;
  readonly #memory: InterfaceBuffers;
  readonly #owner: LoopOwner;
  readonly #packets: PacketPort;
  readonly #clock: Clock;
  readonly #descriptors: Descriptors;
  readonly #serial: Serial;
  /** Descriptors of the runtime. */
  readonly #runtime: readonly number[];
  #ports: Port[] = [];
  /** Those that are written to elsewhere than they are read from. */
  #split: Port[] = [];
  /** Whose line takes nothing for now. */
  readonly #blocked = new Set<Port>();
  #poll: PollSet;
  /** Rounds left in which each packet goes out at once rather than together with those behind it. */
  #quick = 0;
  #stopped = false;
  #yieldedAt = 0;

  constructor(machine: Machine, carrier: Carrier, packets: PacketPort, memory: InterfaceBuffers, owner: LoopOwner) {
    this.#clock = machine.clock;
    this.#descriptors = machine.descriptors;
    this.#serial = machine.serial;
    this.#carrier = carrier;
    this.#packets = packets;
    this.#memory = memory;
    this.#owner = owner;
    this.#runtime = machine.descriptors.runtimeEvents();
    this.#poll = this.#pollSet();
  }

  /** The packet port comes first, then the runtime's descriptors, then the ports, then where split ports are written to. */
  #pollSet(): PollSet {
    this.#split = this.#ports.filter(({ fd, writeFd }) => fd !== writeFd);
    return this.#descriptors.pollSet([
      -1,
      ...this.#runtime,
      ...this.#ports.map(({ fd }) => fd),
      ...this.#split.map((port) => port.writeFd),
    ]);
  }

  /** A line to look after from now on. */
  add(port: Port): void {
    this.#ports.push(port);
    this.#poll = this.#pollSet();
  }

  /** The line is somebody else's again; what its link said last goes out before. */
  remove(port: Port): void {
    if (!this.#ports.includes(port)) return;
    this.#drainOutput(port, this.#clock.now(), true);
    this.#ports = this.#ports.filter((one) => one !== port);
    this.#blocked.delete(port);
    this.#poll = this.#pollSet();
  }

  /** Ends run() at the next opportunity. */
  stop(): void {
    this.#stopped = true;
  }

  /** Carries packets until stop() is called, or there is no line left. */
  async run(): Promise<void> {
    const owner = this.#owner;
    this.#stopped = false;
    this.#yieldedAt = this.#clock.now();
    for (;;) {
      owner.settle(this.#clock.now());
      // Only then: what the owner had the links say must not wait for the next thing to happen.
      let now = this.#clock.now();
      this.#flush(now);
      if (this.#stopped || this.#ports.length === 0) return;
      const poll = this.#poll;
      const ports = this.#ports;
      const split = this.#split;
      const first = 1 + this.#runtime.length;
      const last = first + ports.length;
      const isHungry = this.carrying && this.#hungry(now);
      const hasKept = isHungry && this.#packets.hasKept;
      poll.setFd(0, isHungry ? this.#packets.fd : -1);
      for (let at = 0; at < ports.length; at++) {
        const port = ports[at]!;
        const isBlocked = this.#blocked.size > 0 && this.#blocked.has(port) && port.fd === port.writeFd;
        poll.want(first + at, isBlocked ? Poll.IN | Poll.OUT : Poll.IN);
        if (port.limit !== undefined) poll.setFd(first + at, port.limit.receiving.room(now) > 0 ? port.fd : -1);
      }
      // Nothing asked: what comes is an error.
      for (let at = 0; at < split.length; at++) poll.want(last + at, this.#blocked.has(split[at]!) ? Poll.OUT : 0);
      const polled = this.#descriptors.poll(poll, hasKept ? 0 : this.#patience(now, isHungry));
      const ready = typeof polled === "number" ? polled : await polled;
      const interrupted = ready < 0;
      const before = now;
      now = this.#clock.now();
      if (now - before > WAITED_MS) {
        this.#quick = QUICK_ROUNDS;
        this.#yieldedAt = now;
      }
      if (ready > 0) {
        for (let at = 0; at < ports.length; at++) {
          const events = poll.got(first + at);
          if (events & Poll.OUT) this.#blocked.delete(ports[at]!);
          if (events & (Poll.IN | Poll.HUP | Poll.ERR) && !this.#readTty(ports[at]!, now)) this.#lose(ports[at]!, now);
        }
        for (let at = 0; at < split.length; at++) {
          const events = poll.got(last + at);
          if (events & (Poll.ERR | Poll.HUP)) this.#lose(split[at]!, now);
          else if (events & Poll.OUT) this.#blocked.delete(split[at]!);
        }
        const tun = poll.got(0);
        if (tun & Poll.ERR) {
          // It would be ready for ever.
          this.carrying = false;
          owner.tunLost(now);
        } else if (tun !== 0 || hasKept) this.#readPackets(now);
      } else if (hasKept) this.#readPackets(now);
      this.#handleTimeouts(now);
      if (interrupted || owner.turnMs() < Infinity || this.#runtimeIsReady(poll) || now - this.#yieldedAt > YIELD_MS) {
        await this.#clock.turn();
        this.#yieldedAt = this.#clock.now();
      }
    }
  }

  #lose(port: Port, now: number): void {
    if (!this.#ports.includes(port)) return;
    this.remove(port);
    port.hungUp(now);
  }

  #flush(now: number): void {
    this.#carrier.flush(now);
    for (const port of this.#ports) {
      port.link.flush(now);
      this.#drainOutput(port, now);
    }
  }

  #handleTimeouts(now: number): void {
    if (this.#carrier.nextTimeout() <= now) this.#carrier.handleTimeout(now);
    for (const port of this.#ports) {
      if (port.link.nextTimeout() <= now) port.link.handleTimeout(now);
      // A bundle may have given up waiting for a fragment.
      if (port.link !== this.#carrier) this.#deliver(port, now);
    }
  }

  /** True when a line is about to run dry and the next packet is wanted. */
  #hungry(now: number): boolean {
    if (!this.#carrier.hasRoom(MAX_PACKET)) return false;
    for (const port of this.#ports) {
      if (this.#blocked.size > 0 && this.#blocked.has(port)) continue;
      if (port.pacer.hungry(port.buffers.output.length, driverQueue(this.#serial, port), now)) return true;
    }
    return false;
  }

  /** Milliseconds until something is due. */
  #patience(now: number, isHungry: boolean): number {
    let at = Math.min(this.#carrier.nextTimeout(), this.#owner.nextDeadline());
    for (const port of this.#ports) {
      at = Math.min(at, port.link.nextTimeout());
      if (port.limit !== undefined) at = Math.min(at, now + this.#heldUp(port, port.limit, now));
      if (!this.carrying || isHungry || this.#blocked.has(port)) continue;
      // A driver's queue drains without telling: the speed says when.
      at = Math.min(at, now + port.pacer.wait(port.buffers.output.length, driverQueue(this.#serial, port), now));
    }
    at = Math.min(at, now + (this.#runtime.length === 0 ? RUNTIME_TURN_MS : this.#owner.turnMs()));
    return at - now;
  }

  /** Milliseconds until a port that has reached its limit may go on; Infinity: none is held up. */
  #heldUp(port: Port, { sending, receiving }: NonNullable<Port["limit"]>, now: number): number {
    const held = [receiving.wait(now)];
    if (port.buffers.output.length > 0 && !this.#blocked.has(port)) held.push(sending.wait(now));
    return Math.min(...held.filter((wait) => wait > 0));
  }

  #runtimeIsReady(poll: PollSet): boolean {
    if (this.#runtime.length === 0) return true;
    for (let at = 0; at < this.#runtime.length; at++) if (poll.got(1 + at) !== 0) return true;
    return false;
  }

  /** False: the line has hung up. */
  #readTty(port: Port, now: number): boolean {
    const { input, fromTty } = port.buffers;
    const receiving = port.limit?.receiving;
    for (let reads = 0; reads < READS_A_TURN; reads++) {
      const room = receiving === undefined ? input.writable : Math.min(input.writable, receiving.room(now));
      if (room === 0) break;
      const got = this.#descriptors.read(port.fd, fromTty, input.writeAt, room);
      if (got <= 0) return got === -Errno.EAGAIN || got === -Errno.EINTR;
      receiving?.pass(got);
      port.record?.received(input.bytes.subarray(input.writeAt, input.writeAt + got), now);
      input.commit(got);
      this.#deliver(port, now);
      if (got < room && got < 2048) break;
    }
    return true;
  }

  /** Hands the packets in the port's input to the interface. */
  #deliver(port: Port, now: number): void {
    const { input, frame } = port.buffers;
    const { link } = port;
    while (link.receive(input, now))
      if (this.carrying) {
        const from = link.packet === frame.bytes ? frame : this.#memory.plain;
        this.#packets.write(from, link.packetStart, link.packetEnd);
      }
  }

  #readPackets(now: number): void {
    const { packet } = this.#memory;
    const carrier = this.#carrier;
    const ports = this.#ports;
    let fast = true;
    let paced = false;
    for (const { pacer } of ports) {
      fast &&= pacer.fast;
      paced ||= pacer.paced;
    }
    carrier.networks.datapath.fast = fast;
    while (this.carrying && this.#hungry(now)) {
      const got = this.#packets.read(packet, PACKET_ROOM, carrier.networks);
      if (got <= 0) return;
      carrier.send(packet.bytes, PACKET_ROOM, PACKET_ROOM + got, now);
      // On a paced line each packet goes out before the next is looked at, so that the pacer knows of it.
      if (paced || this.#quick > 0) for (const port of ports) this.#drainOutput(port, now);
      this.#quick--;
    }
  }

  /** `all`: whatever the limit. */
  #drainOutput(port: Port, now: number, all = false): void {
    const { output, toTty } = port.buffers;
    const sending = all ? undefined : port.limit?.sending;
    while (output.length > 0 && !(this.#blocked.size > 0 && this.#blocked.has(port))) {
      const at = output.readAt;
      const most = sending === undefined ? output.readable : Math.min(output.readable, sending.room(now));
      if (most === 0) return;
      const put = this.#descriptors.write(port.writeFd, toTty, at, most);
      if (put <= 0) {
        // EAGAIN: full. EIO: hung up, which the next read finds out in its own way.
        this.#blocked.add(port);
        port.pacer.stalled(now);
        return;
      }
      port.record?.sent(output.bytes.subarray(at, at + put), now);
      output.consume(put);
      sending?.pass(put);
      port.pacer.wrote(put, now);
    }
  }
}
