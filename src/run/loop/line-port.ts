// One line in the loop: the octets that were read from it and those to be written to it, the stage that deals with both, and
// how fast they may go.

import { HELD_OCTETS, type Telnet } from "../../front/telnet.ts";
import type { Link } from "../../link/link.ts";
import type { Device, Serial } from "../host/serial.ts";
import { type Descriptors, Errno, type Machine } from "../machine.ts";
import type { LineBuffers } from "./buffers.ts";
import type { Pacer } from "./pacer.ts";
import type { RateLimit } from "./rate-limit.ts";
import { TelnetWire } from "./telnet-wire.ts";

/** A line that was read may be read again at once, but no more often. Otherwise the packet port would starve. */
export const READS_A_TURN = 4;
/** A read of fewer octets has emptied the line. */
const SHORT_READ = 2048;

/**
 * What has a line: it takes octets from the input ring and puts its own into the output ring. A Link is one. What a stage
 * leaves in the input belongs to the next stage on the same line.
 */
export type LineStage = Pick<
  Link,
  "receive" | "packet" | "packetStart" | "packetEnd" | "flush" | "nextTimeout" | "handleTimeout"
> & {
  /** It looks at each octet at length, and gets no more of them at once, so that a flood does not hold up other lines. */
  readonly mostOctets?: number;
};

/** What reading a line has come to. "more": the line may have more. */
export type Reading = "gone" | "nothing" | "some" | "more";

/** What the line may not exceed, however fast it is. */
interface LineLimit {
  readonly sending: RateLimit;
  /** Undefined: what is not read in time would be lost. */
  readonly receiving: RateLimit | undefined;
}

export interface LinePortHost {
  readonly machine: Machine;
  readonly buffers: LineBuffers;
  readonly pacer: Pacer;
  /** What went over the line, for the `record` file. */
  readonly record?: { sent(bytes: Uint8Array, now: number): void; received(bytes: Uint8Array, now: number): void };
  /** For a TCP connection whose other end may speak telnet. */
  readonly telnet?: Telnet;
  /** The line is gone. The loop has let go of it already. */
  hungUp(now: number): void;
}

export class LinePort {
  /** What has the line. */
  stage: LineStage;
  /** To read from. */
  readonly fd: number;
  /** To write to: the same, unless the line is standard input and output. */
  readonly writeFd: number;
  readonly pacer: Pacer;
  readonly buffers: LineBuffers;
  /** The line takes nothing for now. */
  isBlocked = false;
  readonly #host: LinePortHost;
  readonly #descriptors: Descriptors;
  readonly #serial: Serial;
  readonly #countsOutput: boolean;
  #telnet: TelnetWire | undefined;
  #limit: LineLimit | undefined;

  constructor(
    host: LinePortHost,
    { fd, writeFd, countsOutput }: Pick<Device, "fd" | "writeFd" | "countsOutput">,
    stage: LineStage,
  ) {
    this.#host = host;
    this.#descriptors = host.machine.descriptors;
    this.#serial = host.machine.serial;
    this.#countsOutput = countsOutput;
    this.fd = fd;
    this.writeFd = writeFd;
    this.stage = stage;
    this.pacer = host.pacer;
    this.buffers = host.buffers;
    if (host.telnet !== undefined) this.#telnet = new TelnetWire(host.telnet, host.machine.descriptors);
  }

  /** The other end has turned out to speak telnet. */
  get isTelnet(): boolean {
    return this.#telnet?.telnet.kind === "telnet";
  }

  get isLimited(): boolean {
    return this.#limit !== undefined;
  }

  /** Undefined: as fast as the line is. */
  limitTo(limit: LineLimit | undefined, octetsPerSecond: number): void {
    this.#limit = limit;
    this.pacer.limitTo(limit === undefined ? Infinity : octetsPerSecond);
  }

  hungUp(now: number): void {
    this.#host.hungUp(now);
  }

  /** Octets that were given to the line and that it has not sent, as far as the driver or the clock tells. */
  backlog(now: number): number {
    return this.pacer.ahead(this.buffers.output.length, this.#driverQueue, now);
  }

  /** The line is about to run dry, and the next packet is wanted. */
  isHungry(now: number): boolean {
    return !this.isBlocked && this.pacer.hungry(this.buffers.output.length, this.#driverQueue, now);
  }

  /** Milliseconds until {@link isHungry}. A driver's queue drains without telling: the speed says when. */
  hungryIn(now: number): number {
    return this.isBlocked ? Infinity : this.pacer.wait(this.buffers.output.length, this.#driverQueue, now);
  }

  get #driverQueue(): number {
    return this.#countsOutput ? this.#serial.outputQueued(this.fd) : 0;
  }

  /** There is room for octets, and the limit lets them come in now. */
  mayRead(now: number): boolean {
    const receiving = this.#limit?.receiving;
    return !this.isFull && (receiving === undefined || receiving.room(now) > 0);
  }

  /** Its stage has left so much in the ring that nothing can be read. */
  get isFull(): boolean {
    return this.buffers.input.free <= HELD_OCTETS;
  }

  /** Milliseconds until a port that has reached its limit may go on; Infinity: it is not held up. */
  heldUpFor(now: number): number {
    const limit = this.#limit;
    if (limit === undefined) return Infinity;
    const waits = [limit.receiving?.wait(now) ?? 0];
    if (this.buffers.output.length > 0 && !this.isBlocked) waits.push(limit.sending.wait(now));
    return Math.min(...waits.filter((wait) => wait > 0));
  }

  /** Reads once. */
  read(now: number): Reading {
    const { record } = this.#host;
    const receiving = this.#limit?.receiving;
    const { input, fromTty } = this.buffers;
    const telnet = this.#telnet;
    const free = telnet === undefined ? input.writable : Math.max(0, input.free - HELD_OCTETS);
    const most = Math.min(free, this.stage.mostOctets ?? Infinity);
    const room = receiving === undefined ? most : Math.min(most, receiving.room(now));
    if (room === 0) return "nothing";
    const at = input.writeAt;
    const got = telnet === undefined ? this.#descriptors.read(this.fd, fromTty, at, room) : telnet.read(this.fd, room);
    if (got <= 0) return got === -Errno.EAGAIN || got === -Errno.EINTR ? "nothing" : "gone";
    receiving?.pass(got);
    record?.received(telnet?.data ?? input.bytes.subarray(at, at + got), now);
    if (telnet === undefined) input.commit(got);
    else input.put(telnet.data);
    if (telnet?.telnet.isHungUp === true) return "gone";
    return got < room && got < SHORT_READ ? "some" : "more";
  }

  /** Writes what there is, as far as the line takes it. `all`: whatever the limit. */
  drain(now: number, all = false): void {
    const { output } = this.buffers;
    const sending = all ? undefined : this.#limit?.sending;
    if (this.#telnet?.isOver === true) this.#telnet = undefined;
    while ((output.length > 0 || this.#telnet?.hasOutput === true) && !this.isBlocked) {
      const most = sending === undefined ? output.readable : Math.min(output.readable, sending.room(now));
      if (most === 0 && this.#telnet?.hasOutput !== true) return;
      const put = this.#write(most, now);
      if (put <= 0) {
        // EAGAIN: the line is full. EIO: it has hung up, which the next read finds out.
        this.isBlocked = true;
        this.pacer.stalled(now);
        return;
      }
      sending?.pass(put);
      this.pacer.wrote(put, now);
    }
  }

  /** Writes at most so many octets of the output. */
  #write(most: number, now: number): number {
    const { output, toTty } = this.buffers;
    const { record } = this.#host;
    if (this.#telnet !== undefined) {
      const put = this.#telnet.write(this.writeFd, output, most);
      if (this.#telnet.taken.length > 0) record?.sent(this.#telnet.taken, now);
      return put;
    }
    const at = output.readAt;
    const put = this.#descriptors.write(this.writeFd, toTty, at, most);
    if (put <= 0) return put;
    record?.sent(output.bytes.subarray(at, at + put), now);
    output.consume(put);
    return put;
  }
}
