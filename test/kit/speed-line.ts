// Two links on a line whose speed both ends can change. Octets take the time of their sender's speed. An end that has
// another speed hears other octets, or nothing. Above some speed the line damages what it carries.

import type { LinkConfig } from "../../src/link/link-host.ts";
import type { LineSpeed, SpeedChange } from "../../src/link/line-speed.ts";
import { linkConfig, Side } from "./pair.ts";
import type { Rng } from "./rng.ts";

const FLAG = 0x7e;
const OCTET_BITS = 10;
/** A port has sent what it was given this much later than computed. */
const DRAIN_MS = 7;
const SET_MS = 1;
const PACKET_EVERY_MS = 5;
const SERVER = 0x0a000001;
const CLIENT = 0x0a000002;

export interface SpeedLineOptions {
  readonly latencyMs?: number;
  readonly speed?: number;
  /** What the ports can have, as far as they know. */
  readonly able?: readonly (readonly number[])[];
  /** What comes of a change. */
  readonly real?: (side: 0 | 1, speed: number) => SpeedChange;
  /** Configurations of the links. */
  readonly config?: Partial<LinkConfig>;
  /** How long after the last octet each port counts as drained. */
  readonly drainMs?: readonly [number, number];
  /** Only these ends climb. */
  readonly climbs?: readonly [boolean, boolean];
}

interface Piece {
  readonly at: number;
  readonly speed: number;
  readonly bytes: Uint8Array;
}

export class SpeedEnd {
  speed: number;
  readonly side: Side;
  /** Its pieces on the line. */
  flying: Piece[] = [];
  busyUntil = 0;
  /** The speed that it is to have. */
  change: { at: number | undefined; speed: number; done: (change: SpeedChange, now: number) => void } | undefined;
  readonly drainMs: number;
  /** The speeds that it was to have so far. */
  readonly changes: number[] = [];
  /** Packets that wait for the link. */
  readonly queue: Uint8Array[] = [];
  sent = 0;
  /** The longest time for which a packet has waited. */
  waitedMs = 0;
  waitingSince: number | undefined;

  constructor(world: SpeedLine, number: 0 | 1, rng: Rng, options: SpeedLineOptions) {
    this.speed = options.speed ?? 115200;
    const { able = [ALL, ALL], climbs = [true, true], drainMs = [DRAIN_MS, DRAIN_MS] } = options;
    this.drainMs = drainMs[number];
    const line: LineSpeed = {
      speeds: () => ({ now: this.speed, able: able[number]! }),
      cancel: () => (this.change = undefined),
      set: (speed, when, done) => {
        if (when === "at once") this.flying = this.flying.filter(({ at }) => at <= world.now);
        // Frames that were made before this are not on the line yet.
        this.change = { at: when === "drained" ? undefined : world.now + SET_MS, speed, done };
      },
    };
    const config = linkConfig(options.config);
    const [our, peer] = number === 0 ? [SERVER, CLIENT] : [CLIENT, SERVER];
    config.networks = { ...config.networks, ipcp: config.networks.ipcp && { ...config.networks.ipcp, our, peer } };
    this.side = new Side(config, rng, climbs[number] ? { line } : {});
  }
}

export const ALL = [115200, 230400, 460800, 921600, 1_500_000, 3_000_000, 4_000_000];

export class SpeedLine {
  now = 0;
  readonly ends: readonly [SpeedEnd, SpeedEnd];
  /** The probability that an octet is damaged above this speed. */
  cleanTo = Infinity;
  errors = 0.01;
  /** Octets of any speed are heard, as by a pty. */
  ignoresSpeed = false;
  /** Nothing arrives. */
  isCut = false;
  /** Says whether this frame, the number so and so that comes from this end, is lost. */
  loses: (side: 0 | 1, number: number, bytes: Uint8Array) => boolean = () => false;
  readonly frames = [0, 0];
  /** Calls at these times. */
  readonly #plans: { at: number; call: () => void }[] = [];
  readonly #rng: Rng;
  readonly #latencyMs: number;
  readonly #real: (side: 0 | 1, speed: number) => SpeedChange;
  #packetAt = Infinity;

  constructor(rng: Rng, options: SpeedLineOptions = {}) {
    this.#rng = rng;
    this.#latencyMs = options.latencyMs ?? 1;
    this.#real = options.real ?? (() => "set");
    this.ends = [new SpeedEnd(this, 0, rng, options), new SpeedEnd(this, 1, rng, options)];
  }

  get speeds(): number[] {
    return this.ends.map(({ speed }) => speed);
  }

  get isUp(): boolean {
    return this.ends.every(({ side }) => side.link.phase === "network" && side.link.networks.up);
  }

  /** How often LCP has gone down, and the link has ended. */
  get losses(): number {
    return this.ends.reduce(
      (sum, { side }) => sum + side.events.filter(({ type }) => type === "lcp-down" || type === "terminated").length,
      0,
    );
  }

  open(): void {
    for (const { side } of this.ends) side.link.open(this.now);
  }

  after(ms: number, call: () => void): void {
    this.#plans.push({ at: this.now + ms, call });
  }

  /** Both ends send packets from now on, one each few milliseconds. They wait while the link has no room. */
  traffic(isOn: boolean): void {
    this.#packetAt = isOn ? this.now : Infinity;
  }

  #sendPackets(): void {
    if (this.#packetAt <= this.now) {
      this.#packetAt = this.now + PACKET_EVERY_MS;
      for (const end of this.ends) end.queue.push(packet(end.sent++));
    }
    for (const end of this.ends) {
      const { queue, side } = end;
      if (queue.length > 0) end.waitingSince ??= this.now;
      // A pacer gives the line no more than it needs.
      while (queue.length > 0 && end.busyUntil <= this.now + 6 && side.send(queue[0]!, this.now)) {
        queue.shift();
        end.waitedMs = Math.max(end.waitedMs, this.now - (end.waitingSince ?? this.now));
        end.waitingSince = queue.length > 0 ? this.now : undefined;
        this.#put(end);
      }
    }
  }

  #put(end: SpeedEnd): void {
    const bytes = end.side.drain(this.now);
    const number = this.ends.indexOf(end) as 0 | 1;
    for (const frame of framesOf(bytes)) {
      end.busyUntil = Math.max(end.busyUntil, this.now) + (frame.length * OCTET_BITS * 1000) / end.speed;
      if (this.loses(number, this.frames[number]!++, frame)) continue;
      end.flying.push({ at: end.busyUntil + this.#latencyMs, speed: end.speed, bytes: frame });
    }
  }

  #arrive(end: SpeedEnd, { bytes, speed }: Piece): void {
    if (this.isCut) return;
    let heard = bytes;
    // At a lower speed few octets are heard, at a higher one mostly breaks.
    if (end.speed !== speed && !this.ignoresSpeed) heard = bytes.slice(0, bytes.length >> 3).map(() => this.#rng.u32());
    else if (speed > this.cleanTo && this.errors > 0) {
      heard = bytes.slice();
      for (let at = this.#rng.gap(this.errors) - 1; at < heard.length; at += this.#rng.gap(this.errors))
        heard[at]! ^= 1 << this.#rng.below(8);
    }
    end.side.take(heard, this.now);
  }

  #nextAt(): number {
    const times = [this.#packetAt, ...this.#plans.map(({ at }) => at)];
    for (const { flying, side, change, queue, busyUntil } of this.ends) {
      times.push(side.link.nextTimeout(), change?.at ?? Infinity);
      for (const { at } of flying) times.push(at);
      if (queue.length > 0 && busyUntil > this.now) times.push(busyUntil - 6 > this.now ? busyUntil - 6 : busyUntil);
    }
    return Math.min(...times);
  }

  #settle(): void {
    for (const end of this.ends) {
      end.side.collect();
      this.#put(end);
      if (end.change !== undefined) end.change.at ??= Math.max(this.now, end.busyUntil) + end.drainMs + SET_MS;
    }
    this.#sendPackets();
  }

  /** Lets time pass until `done`, or for so many milliseconds. True: it is done. */
  run(done: () => boolean, milliseconds: number): boolean {
    const end = this.now + milliseconds;
    for (this.#settle(); !done(); this.#settle()) {
      const next = this.#nextAt();
      if (next > end) {
        this.now = end;
        return done();
      }
      this.now = Math.max(this.now, next);
      this.#happen();
    }
    return true;
  }

  #happen(): void {
    const { now } = this;
    for (const plan of this.#plans.filter(({ at }) => at <= now)) {
      this.#plans.splice(this.#plans.indexOf(plan), 1);
      plan.call();
    }
    for (const [number, end] of this.ends.entries()) {
      const other = this.ends[1 - number]!;
      const arrived = end.flying.filter(({ at }) => at <= now);
      end.flying = end.flying.filter(({ at }) => at > now);
      for (const piece of arrived) this.#arrive(other, piece);
      if (end.side.link.nextTimeout() <= now) end.side.link.handleTimeout(now);
      const { change } = end;
      if (change?.at === undefined || change.at > now) continue;
      end.change = undefined;
      end.changes.push(change.speed);
      const outcome = this.#real(number as 0 | 1, change.speed);
      if (outcome === "set") end.speed = change.speed;
      end.busyUntil = now;
      change.done(outcome, now);
    }
  }
}

function packet(number: number): Uint8Array {
  const bytes = new Uint8Array(200).fill(number);
  bytes[0] = 0x45;
  bytes[2] = 0;
  bytes[3] = 200;
  bytes.set([number >>> 8, number], 4);
  return bytes;
}

function framesOf(bytes: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const flag = bytes.indexOf(FLAG, at + 1);
    const end = flag < 0 ? bytes.length : flag + 1;
    frames.push(bytes.slice(at, end));
    at = end;
  }
  return frames;
}
