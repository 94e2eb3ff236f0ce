// The loop that joins a link to its line and its TUN: one poll over both, one read each way, one yield to Bun when
// something of Bun's wants attention. ARCHITECTURE.md has the figures that chose it over Bun's own readiness.

import { Ring } from "../bytes/ring.ts";
import { HEADROOM } from "../frame/header.ts";
import { MAX_FRAME } from "../frame/deframer.ts";
import { PLAIN_SIZE } from "../link/datapath.ts";
import type { Link } from "../link/link.ts";
import type { Pacer } from "../link/pacer.ts";
import { eventPollDescriptors } from "../os/eventpoll.ts";
import { EAGAIN, EINTR, errno, libc, Memory, POLLERR, POLLHUP, POLLIN, POLLOUT } from "../os/libc.ts";
import { outputQueued } from "../os/line.ts";

const RING_SIZE = 65536;
/** The largest packet a TUN can hand over, and room for its header before and its FCS behind. */
const TUN_BUFFER = HEADROOM + MAX_FRAME + 8;
const MAX_PACKET = 16384;
const POLLFD_SIZE = 8;
/** Bun's own descriptors are undocumented: should they not be found, it gets its turn this often. */
const BUN_TURN_MS = 100;
/** A line that has only just said so may be read again at once; more often, and the TUN would starve. */
const READS_A_TURN = 4;
/** However busy the line, signals and children are looked after this often. */
const YIELD_MS = 20;
/** A poll that took longer has waited: nothing was busy, and Bun's descriptors would have ended the wait. */
const WAITED_MS = 0.05;
/** So many packets after a wait are worth a write of their own. */
const QUICK_ROUNDS = 4;
/** As long as poll(2) can be told to wait. */
const LONGEST_MS = 0x7fffffff;

/** What the owner of a loop is asked and told. */
export interface LoopOwner {
  /** The link has events to take, or a deadline of the owner's passed. */
  settle(now: number): void;
  /** The owner's own nearest deadline. */
  nextDeadline(): number;
  /** Somebody removed the interface; its packets are at an end. */
  tunLost(now: number): void;
  /** What went over the line, for the `record` file. */
  record?: { sent(bytes: Uint8Array, now: number): void; received(bytes: Uint8Array, now: number): void } | undefined;
}

/** Memory for one line: made once and used by every attempt, because its addresses are handed to the kernel. */
export class Buffers {
  readonly fromTty = new Memory(RING_SIZE);
  readonly toTty = new Memory(RING_SIZE);
  readonly frame = new Memory(MAX_FRAME);
  /** Packets as they came out of a decompressor. */
  readonly plain = new Memory(PLAIN_SIZE);
  readonly packet = new Memory(TUN_BUFFER);
  readonly input = new Ring(this.fromTty.bytes);
  readonly output = new Ring(this.toTty.bytes);
}

export class Loop {
  /** The TUN's descriptor while packets may be taken from it; -1: none. */
  tun = -1;
  readonly #tty: number;
  readonly #isPty: boolean;
  readonly #buffers: Buffers;
  readonly #link: Link;
  readonly #pacer: Pacer;
  readonly #owner: LoopOwner;
  readonly #poll: Memory;
  readonly #bun: number[];
  #blocked = false;
  /** Rounds left in which each packet goes out at once rather than together with those behind it. */
  #quick = 0;
  #stopped = false;
  #yieldedAt = 0;

  constructor(tty: number, isPty: boolean, buffers: Buffers, link: Link, pacer: Pacer, owner: LoopOwner) {
    this.#tty = tty;
    this.#isPty = isPty;
    this.#buffers = buffers;
    this.#link = link;
    this.#pacer = pacer;
    this.#owner = owner;
    this.#bun = eventPollDescriptors();
    this.#poll = new Memory(POLLFD_SIZE * (2 + this.#bun.length));
    const { view } = this.#poll;
    this.#bun.forEach((fd, index) => {
      view.setInt32(POLLFD_SIZE * (2 + index), fd, true);
      view.setInt16(POLLFD_SIZE * (2 + index) + 4, POLLIN, true);
    });
    view.setInt32(0, tty, true);
  }

  /** Ends run() at the next opportunity. */
  stop(): void {
    this.#stopped = true;
  }

  /** Carries packets until stop() is called or the line hangs up. */
  async run(): Promise<"stopped" | "hangup"> {
    const link = this.#link;
    const owner = this.#owner;
    const { view, address } = this.#poll;
    const count = 2 + this.#bun.length;
    this.#yieldedAt = performance.now();
    for (;;) {
      owner.settle(performance.now());
      // Only then: what the owner had the link say must not wait for the next thing to happen.
      let now = performance.now();
      link.flush(now);
      this.#drainOutput(now);
      if (this.#stopped) return "stopped";
      const tunOpen = this.tun >= 0 && this.#hungry(now);
      view.setInt16(4, POLLIN | (this.#blocked ? POLLOUT : 0), true);
      view.setInt32(POLLFD_SIZE, tunOpen ? this.tun : -1, true);
      view.setInt16(POLLFD_SIZE + 4, POLLIN, true);
      const ready = libc.poll(address, count, this.#patience(now, tunOpen));
      const interrupted = ready < 0;
      const before = now;
      now = performance.now();
      if (now - before > WAITED_MS) {
        this.#quick = QUICK_ROUNDS;
        this.#yieldedAt = now;
      }
      // An interrupted poll leaves revents as they were: only a count above 0 makes them true.
      const tty = ready > 0 ? view.getInt16(6, true) : 0;
      if (tty & POLLOUT) this.#blocked = false;
      if (tty & (POLLIN | POLLHUP | POLLERR) && !this.#readTty(now)) return "hangup";
      const tun = ready > 0 ? view.getInt16(POLLFD_SIZE + 6, true) : 0;
      if (tun & POLLERR) {
        // It would be ready for ever.
        this.tun = -1;
        owner.tunLost(now);
      } else if (tun !== 0) this.#readTun(now);
      if (link.nextTimeout() <= now) link.handleTimeout(now);
      if (interrupted || this.#bunIsReady(ready) || now - this.#yieldedAt > YIELD_MS) {
        await new Promise(setImmediate);
        this.#yieldedAt = performance.now();
      }
    }
  }

  /** True when the line is about to run dry and the next packet is wanted. */
  #hungry(now: number): boolean {
    if (this.#blocked || !this.#link.hasRoom(MAX_PACKET)) return false;
    return this.#pacer.hungry(this.#buffers.output.length, this.#driverQueue(), now);
  }

  #driverQueue(): number {
    return this.#isPty ? 0 : outputQueued(this.#tty);
  }

  /** Milliseconds until something is due. */
  #patience(now: number, tunOpen: boolean): number {
    let at = Math.min(this.#link.nextTimeout(), this.#owner.nextDeadline());
    if (this.tun >= 0 && !tunOpen && !this.#blocked) {
      // A driver's queue drains without telling: the speed says when.
      at = Math.min(at, now + this.#pacer.wait(this.#buffers.output.length, this.#driverQueue(), now));
    }
    if (this.#bun.length === 0) at = Math.min(at, now + BUN_TURN_MS);
    return at === Infinity ? -1 : Math.min(LONGEST_MS, Math.max(0, Math.ceil(at - now)));
  }

  #bunIsReady(ready: number): boolean {
    if (this.#bun.length === 0) return true;
    if (ready <= 0) return false;
    const { view } = this.#poll;
    for (let at = 0; at < this.#bun.length; at++)
      if (view.getInt16(POLLFD_SIZE * (2 + at) + 6, true) !== 0) return true;
    return false;
  }

  /** False: the line has hung up. */
  #readTty(now: number): boolean {
    const { input, fromTty, frame, plain } = this.#buffers;
    const link = this.#link;
    for (let reads = 0; reads < READS_A_TURN; reads++) {
      const room = input.writable;
      const got = libc.read(this.#tty, fromTty.at(input.writeAt), room);
      if (got <= 0) {
        const error = got < 0 ? errno() : 0;
        return error === EAGAIN || error === EINTR;
      }
      this.#owner.record?.received(input.bytes.subarray(input.writeAt, input.writeAt + got), now);
      input.commit(got);
      while (link.receive(input, now))
        if (this.tun >= 0) {
          const from = link.packet === frame.bytes ? frame : plain;
          libc.write(this.tun, from.at(link.packetStart), link.packetEnd - link.packetStart);
        }
      if (got < room && got < 2048) break;
    }
    return true;
  }

  #readTun(now: number): void {
    const { packet } = this.#buffers;
    const link = this.#link;
    link.networks.datapath.fast = this.#pacer.fast;
    while (this.tun >= 0 && this.#hungry(now)) {
      const got = libc.read(this.tun, packet.at(HEADROOM), MAX_PACKET);
      if (got <= 0) return;
      link.send(packet.bytes, HEADROOM, HEADROOM + got, now);
      // On a paced line each packet goes out before the next is looked at, so that the pacer knows of it.
      if (this.#pacer.paced || this.#quick > 0) this.#drainOutput(now);
      this.#quick--;
    }
  }

  #drainOutput(now: number): void {
    const { output, toTty } = this.#buffers;
    while (output.length > 0 && !this.#blocked) {
      const at = output.readAt;
      const put = libc.write(this.#tty, toTty.at(at), output.readable);
      if (put <= 0) {
        // EAGAIN: full. EIO: hung up, which the next read finds out in its own way.
        this.#blocked = true;
        this.#pacer.stalled(now);
        return;
      }
      this.#owner.record?.sent(output.bytes.subarray(at, at + put), now);
      output.consume(put);
      this.#pacer.wrote(put, now);
    }
  }
}
