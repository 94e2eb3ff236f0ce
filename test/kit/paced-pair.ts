// Two links on a line of a known speed, in simulated time. Each side takes packets as the program's pump does: when the
// line is about to run dry, interactive packets first, then a piece, then a bulk packet.

import { FCS_ROOM } from "../../src/frame/fcs.ts";
import { Bundle } from "../../src/link/bundle.ts";
import { PLAIN_SIZE } from "../../src/link/datapath.ts";
import type { Link } from "../../src/link/link.ts";
import type { LinkConfig } from "../../src/link/link-host.ts";
import { PIECE_ROOM } from "../../src/link/pieces.ts";
import { Side } from "./pair.ts";
import type { Rng } from "./rng.ts";

/** The line is to stay busy for this time by itself. */
const AHEAD_MS = 6;

export class PacedSide {
  readonly side: Side;
  /** Takes packets from the interface: the link, or the bundle of this one link. */
  readonly carrier: Link | Bundle;
  /** Packets that go before all others. */
  readonly interactive: Uint8Array[] = [];
  /** Makes the next bulk packet. Undefined: there is none now. */
  bulk: (() => Uint8Array | undefined) | undefined;
  /** What was received. */
  received: (packet: Uint8Array, now: number) => void = () => {};
  /** Bulk packets are cut where they can be. */
  cuts = true;
  /** Changes what the line carries. Undefined: it is lost. */
  damage: (octets: Uint8Array) => Uint8Array | undefined = (octets) => octets;
  /** Octets written, and when the line has sent them all. */
  octets = 0;
  freeAt = 0;
  readonly #rate: number;

  /** `isBundle`: as with the option multilink. */
  constructor(config: LinkConfig, rng: Rng, rate: number, isBundle: boolean) {
    this.#rate = rate;
    const plain = new Uint8Array(PLAIN_SIZE);
    const random32 = (): number => rng.u32();
    const peerMayUse = (): boolean => true;
    const given = { plain, random32, peerMayUse, madeUpPeerAddress: () => 0 };
    const bundle = isBundle
      ? new Bundle({ networks: config.networks, hidePassword: true, ifname: "ppp0" }, given, 0)
      : undefined;
    const load = (now: number): { rate: number; backlog: number } => ({
      rate,
      backlog: Math.max(0, this.freeAt - now) * rate,
    });
    this.side = new Side(config, rng, { load, plain, bundle });
    this.carrier = bundle ?? this.side.link;
  }

  isHungry(now: number): boolean {
    return this.freeAt - now <= AHEAD_MS;
  }

  /** Sends one packet or piece. False: there is none. */
  pump(now: number): boolean {
    const { carrier } = this;
    const first = this.interactive.shift();
    if (first !== undefined) this.#send(first, now, false);
    else if (carrier.hasPieces) carrier.sendPiece(now);
    else {
      const packet = this.bulk?.();
      if (packet === undefined) return false;
      this.#send(packet, now, this.cuts);
    }
    return true;
  }

  #send(packet: Uint8Array, now: number, isBulk: boolean): void {
    const { carrier } = this;
    const buf = new Uint8Array(PIECE_ROOM + packet.length + FCS_ROOM);
    buf.set(packet, PIECE_ROOM);
    if (isBulk) carrier.cut(buf, PIECE_ROOM, buf.length - FCS_ROOM, now);
    else carrier.send(buf, PIECE_ROOM, buf.length - FCS_ROOM, now);
  }

  /** What was put out since the last call, and when it has arrived. */
  drain(now: number): { octets: Uint8Array | undefined; at: number } {
    this.carrier.flush(now);
    const octets = this.side.drain(now);
    if (octets.length === 0) return { octets: undefined, at: now };
    this.octets += octets.length;
    this.freeAt = Math.max(now, this.freeAt) + octets.length / this.#rate;
    return { octets: this.damage(octets), at: this.freeAt };
  }
}

export class PacedPair {
  now = 0;
  readonly a: PacedSide;
  readonly b: PacedSide;
  /** What the caller does at a time of its own. */
  readonly #plans: { at: number; run: (now: number) => void }[] = [];
  #flying: { at: number; to: PacedSide; octets: Uint8Array }[] = [];

  /** `speed` in bits a second. `isBundled`: side b has the option multilink. */
  constructor(configs: readonly [LinkConfig, LinkConfig], rng: Rng, speed: number, isBundled = false) {
    const rate = speed / 10_000;
    this.a = new PacedSide(configs[0], rng, rate, false);
    this.b = new PacedSide(configs[1], rng, rate, isBundled);
    this.a.side.link.open(0);
    this.b.side.link.open(0);
  }

  at(at: number, run: (now: number) => void): void {
    this.#plans.push({ at, run });
  }

  run(until: number): void {
    for (;;) {
      this.#send();
      let next = until;
      for (const { at } of [...this.#plans, ...this.#flying]) next = Math.min(next, at);
      for (const { side, carrier, freeAt, bulk, interactive } of [this.a, this.b]) {
        next = Math.min(next, side.link.nextTimeout(), carrier.nextTimeout());
        const hasMore = bulk !== undefined || interactive.length > 0 || carrier.hasPieces;
        if (hasMore && freeAt - AHEAD_MS > this.now) next = Math.min(next, freeAt - AHEAD_MS);
      }
      this.now = Math.max(this.now, next);
      if (next >= until) return;
      this.#happen();
    }
  }

  #happen(): void {
    const { now } = this;
    const arrived = this.#flying.filter(({ at }) => at <= now);
    this.#flying = this.#flying.filter(({ at }) => at > now);
    for (const { to, octets } of arrived) {
      to.side.take(octets, now);
      for (const packet of to.side.packets.splice(0)) to.received(packet, now);
    }
    for (const { side, carrier } of [this.a, this.b])
      for (const one of [side.link, carrier]) if (one.nextTimeout() <= now) one.handleTimeout(now);
    for (const plan of this.#plans.filter(({ at }) => at <= now)) {
      this.#plans.splice(this.#plans.indexOf(plan), 1);
      plan.run(now);
    }
  }

  #send(): void {
    for (const [from, to] of [
      [this.a, this.b],
      [this.b, this.a],
    ] as const)
      do {
        from.side.collect();
        const { octets, at } = from.drain(this.now);
        if (octets !== undefined) this.#flying.push({ at, to, octets });
      } while (from.isHungry(this.now) && from.carrier.networks.up && from.pump(this.now));
  }
}
