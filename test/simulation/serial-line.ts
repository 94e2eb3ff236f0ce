// A null-modem cable and the two ports that it joins: speed, latency, damage, cuts, modem lines, adapters that are pulled
// out, and another program that reads the port.

import { Poll } from "../../src/run/machine.ts";
import type { Rng } from "../kit/rng.ts";
import { pppFormat, received } from "../kit/uart.ts";
import { errnoOf } from "./errors.ts";
import { Channel } from "./process.ts";
import type { Time } from "./time.ts";

/** What a driver takes before it has sent anything. */
const OUTPUT_ROOM = 4096;
const INPUT_ROOM = 16384;
const OCTET_BITS = 10;
/** The latency timer of an adapter that was plugged in. */
export const LATENCY_MS = 16;
/** Octets come in blocks of this many milliseconds, as from a UART with a FIFO or from a USB adapter. */
const BLOCK_MS = 8;
/** Of an octet at a speed that is too high for the cable. */
const TOO_FAST_DAMAGE = 0.005;

export class Cable {
  latencyMs = 0;
  /** Of an octet, the probability to be damaged or lost. */
  damage = 0;
  /** What is sent at a higher speed has damage of its own. */
  cleanTo = Infinity;
  isCut = false;
  readonly ends: readonly [Port, Port];

  /** `isFull`: with the wires for DTR and CD. */
  readonly time: Time;
  readonly rng: Rng;
  readonly isFull: boolean;

  constructor(time: Time, rng: Rng, isFull: boolean) {
    this.time = time;
    this.rng = rng;
    this.isFull = isFull;
    this.ends = [new Port(this, 0), new Port(this, 1)];
  }
}

/** A serial port, and its end of the cable. */
export class Port {
  /** "/dev/ttyUSB0"; undefined: the adapter is pulled out. */
  path: string | undefined;
  /** What has it open. */
  tty: TtyChannel | undefined;
  /** Another program that reads it. */
  thief: { readonly pid: number; readonly name: string } | undefined;
  /** The other program has also changed the settings. */
  hasForeignSettings = false;
  overruns = 0;
  latencyMs = LATENCY_MS;
  #dtr = false;
  #busyUntil = 0;
  #arrivesAt = 0;
  #flushedAt = -1;
  #flushes = 0;
  readonly #cable: Cable;
  readonly #side: 0 | 1;

  constructor(cable: Cable, side: 0 | 1) {
    this.#cable = cable;
    this.#side = side;
  }

  get #other(): Port {
    return this.#cable.ends[this.#side === 0 ? 1 : 0];
  }

  get dtr(): boolean {
    return this.#dtr;
  }

  set dtr(on: boolean) {
    if (this.#dtr === on) return;
    this.#dtr = on;
    const other = this.#other.tty;
    if (!on && this.#cable.isFull && other?.watchesCarrier === true) other.hangUp();
  }

  /** Carrier: the other's DTR, where the cable has that wire. */
  get carrier(): boolean {
    return this.#cable.isFull && this.#other.dtr;
  }

  get hasPeer(): boolean {
    return this.#other.tty !== undefined;
  }

  /** Octets that are not sent yet. */
  queued(speed: number): number {
    return Math.max(0, Math.ceil(((this.#busyUntil - this.#cable.time.now) * speed) / OCTET_BITS / 1000 - 1e-6));
  }

  flushOutput(): void {
    this.#flushedAt = this.#cable.time.now;
    this.#flushes++;
    this.#busyUntil = Math.min(this.#busyUntil, this.#flushedAt);
  }

  /** Returns how many octets were taken. */
  send(bytes: Uint8Array, speed: number): number {
    const { time, latencyMs } = this.#cable;
    const taken = Math.min(bytes.length, OUTPUT_ROOM - this.queued(speed));
    const rate = speed / OCTET_BITS / 1000;
    const most = Math.max(1, Math.floor(rate * BLOCK_MS));
    const { now } = time;
    const flushes = this.#flushes;
    let sentAt = Math.max(now, this.#busyUntil);
    const sent = bytes.slice(0, taken);
    for (let at = 0; at < taken; at += most) {
      const next = Math.min(taken, at + most);
      sentAt += (next - at) / rate;
      const end = sentAt;
      this.#arrivesAt = Math.max(this.#arrivesAt, end + latencyMs);
      time.after(this.#arrivesAt - now, () => {
        if (flushes !== this.#flushes && end > this.#flushedAt) return;
        this.#other.#arrive(sent, at, next, speed);
        this.tty?.changed();
      });
    }
    this.#busyUntil = sentAt;
    return taken;
  }

  /** The octets bytes[start, end) come out of the cable. */
  #arrive(bytes: Uint8Array, start: number, end: number, speed: number): void {
    const { isCut, cleanTo, rng } = this.#cable;
    const damage = speed > cleanTo ? Math.max(TOO_FAST_DAMAGE, this.#cable.damage) : this.#cable.damage;
    const { tty } = this;
    if (isCut || tty === undefined) return;
    if (damage === 0 && tty.speed === speed && !this.hasForeignSettings) {
      if (this.thief === undefined || !rng.chance(0.5)) this.overruns += tty.receive(bytes, start, end);
      return;
    }
    let heard = bytes.subarray(start, end);
    if (damage > 0) heard = this.#damaged(heard, damage);
    if (tty.speed !== speed) heard = heardAtAnotherSpeed(heard, speed, tty);
    if (this.thief !== undefined && rng.chance(0.5)) return;
    if (this.hasForeignSettings) heard = heard.filter((octet) => octet !== 0x11 && octet !== 0x13);
    this.overruns += tty.receive(heard, 0, heard.length);
  }

  #damaged(block: Uint8Array, probability: number): Uint8Array {
    const { rng } = this.#cable;
    let result = block;
    for (let at = rng.gap(probability) - 1; at < result.length; at += rng.gap(probability))
      if (rng.chance(0.7)) result[at]! ^= 1 << rng.below(8);
      else result = Uint8Array.from([...result.subarray(0, at), ...result.subarray(at + 1)]);
    return result;
  }

  /** The adapter is pulled out. */
  unplug(): void {
    this.path = undefined;
    this.latencyMs = LATENCY_MS;
    this.tty?.hangUp();
    this.dtr = false;
  }
}

/** What a UART makes of octets that were sent at this speed. */
function heardAtAnotherSpeed(block: Uint8Array, speed: number, tty: TtyChannel): Uint8Array {
  const to = pppFormat(tty.speed);
  return received(block, pppFormat(speed), tty.hearsDamage ? { ...to, iflag: 0 } : to).octets;
}

/** An open port. */
export class TtyChannel extends Channel {
  watchesCarrier = false;
  /** DTR falls when it is closed. */
  hangsUpAtClose = false;
  isHungUp = false;
  readonly #input = new Uint8Array(INPUT_ROOM);
  #start = 0;
  #length = 0;
  readonly port: Port;
  speed: number;
  /** Damaged characters and breaks are received too. */
  hearsDamage = false;

  constructor(port: Port, speed: number) {
    super();
    this.port = port;
    this.speed = speed;
    port.tty = this;
    port.dtr = true;
  }

  /** Takes bytes[start, end). Returns how many octets were lost. */
  receive(bytes: Uint8Array, start: number, end: number): number {
    const kept = Math.min(end - start, INPUT_ROOM - this.#length);
    const input = this.#input;
    const from = this.#start + this.#length;
    for (let at = 0; at < kept; at++) input[(from + at) % INPUT_ROOM] = bytes[start + at]!;
    this.#length += kept;
    this.changed();
    return end - start - kept;
  }

  hangUp(): void {
    if (this.isHungUp) return;
    this.isHungUp = true;
    this.#length = 0;
    this.changed();
  }

  events(): number {
    if (this.isHungUp) return Poll.IN | Poll.OUT | Poll.ERR | Poll.HUP;
    const isWritable = this.port.queued(this.speed) < OUTPUT_ROOM / 2;
    return (this.#length > 0 ? Poll.IN : 0) | (isWritable ? Poll.OUT : 0);
  }

  override read(into: Uint8Array, length: number): number {
    if (this.isHungUp) return 0;
    if (this.#length === 0) return -errnoOf("EAGAIN");
    const count = Math.min(length, this.#length);
    const input = this.#input;
    const start = this.#start;
    for (let at = 0; at < count; at++) into[at] = input[(start + at) % INPUT_ROOM]!;
    this.#start = (this.#start + count) % INPUT_ROOM;
    this.#length -= count;
    return count;
  }

  override write(bytes: Uint8Array): number {
    if (this.isHungUp) return -errnoOf("EIO");
    const taken = this.port.send(bytes, this.speed);
    return taken > 0 ? taken : -errnoOf("EAGAIN");
  }

  flushInput(): void {
    this.#length = 0;
  }

  close(): void {
    if (this.port.tty !== this) return;
    this.port.tty = undefined;
    if (this.hangsUpAtClose) this.port.dtr = false;
  }
}
