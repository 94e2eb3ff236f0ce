// Two links, a wire with latency and damage between them, and a clock that jumps from event to event. All random faults
// come from a seed, so they can be repeated.

import { Ring } from "../../src/bytes/ring.ts";
import { MAX_FRAME } from "../../src/frame/deframer.ts";
import { FCS_ROOM } from "../../src/frame/fcs.ts";
import { HEADROOM } from "../../src/frame/header.ts";
import type { LinkEvent } from "../../src/link/events.ts";
import { PLAIN_SIZE } from "../../src/link/datapath.ts";
import type { LinkConfig, LinkHost } from "../../src/link/link-host.ts";
import { Link } from "../../src/link/link.ts";
import { PIECE_ROOM } from "../../src/link/pieces.ts";
import type { Rng } from "./rng.ts";

/** pppd's defaults that are the same on both sides, without compression and IPv6. */
export function linkConfig(changes: Partial<LinkConfig> = {}): LinkConfig {
  const limits = { restartMs: 3000, maxConfigure: 10, maxTerminate: 2, maxFailure: 5, firstMs: 60, patienceMs: 60 };
  const names = { remotename: "", remotenameGiven: false, stripDomain: false, msLanman: false };
  return {
    lcp: {
      mru: 1500,
      asyncmap: 0,
      allowAsyncmap: true,
      escapedAsyncmap: 0,
      magic: true,
      pcomp: true,
      accomp: true,
      endpoint: true,
      multilink: undefined,
      qualityPeriod: 0,
      callback: false,
      fcs: 16,
      limits,
      start: {},
      authRequired: false,
      demand: [],
      accept: [],
    },
    echo: { intervalMs: 0, failure: 0, adaptive: false },
    authentication: {
      pap: { restartMs: 3000, maxAuthreq: 10, timeoutMs: 30000 },
      chap: {
        ...names,
        restartMs: 3000,
        maxChallenge: 10,
        intervalMs: 0,
        timeoutMs: 60_000,
      },
      eap: { ...names, restartMs: 3000, maxRequests: 10, intervalMs: 0, timeoutMs: 20_000, maxReceived: 20 },
      name: "server",
      user: "zaphod",
      password: () => "gargleBlaster",
      ourSecret: () => "gargleBlaster",
      peerSecret: (client) => (client === "zaphod" ? "gargleBlaster" : undefined),
    },
    networks: {
      ipcp: {
        our: 0,
        peer: 0,
        acceptLocal: true,
        acceptRemote: true,
        dns: [],
        wins: [],
        wantDns: false,
        wantWins: false,
        sendAddress: true,
        address: true,
        addresses: true,
        noRemote: false,
        vj: undefined,
        limits: { ...limits, maxFailure: 100 },
      },
      ipv6cp: undefined,
      ccp: undefined,
    },
    mtu: 16384,
    escape: [],
    receiveAll: false,
    needPeerEap: false,
    callback: undefined,
    debug: 1,
    hidePassword: true,
    ...changes,
  };
}

/** One side with its events and packets. */
export class Side {
  readonly output = new Ring(new Uint8Array(65536));
  readonly input = new Ring(new Uint8Array(65536));
  readonly frame = new Uint8Array(MAX_FRAME);
  readonly link: Link;
  readonly events: LinkEvent[] = [];
  /** The IP packets that it received. */
  readonly packets: Uint8Array[] = [];

  constructor(config: LinkConfig, rng: Rng, host: Partial<LinkHost> = {}) {
    this.link = new Link(config, {
      output: this.output,
      frame: this.frame,
      plain: new Uint8Array(PLAIN_SIZE),
      random32: () => rng.u32(),
      peerMayUse: () => true,
      admitsStrangers: () => false,
      madeUpPeerAddress: () => 0x0a404040,
      ...host,
    });
  }

  get lines(): string[] {
    return this.events.flatMap((event) => (event.type === "log" ? [event.text] : []));
  }

  has(type: LinkEvent["type"]): boolean {
    return this.events.some((event) => event.type === type);
  }

  find<T extends LinkEvent["type"]>(type: T): (LinkEvent & { type: T }) | undefined {
    return this.events.find((event) => event.type === type) as (LinkEvent & { type: T }) | undefined;
  }

  /** Bytes from the wire. */
  take(bytes: Uint8Array, now: number): void {
    for (let at = 0; at < bytes.length;) {
      const length = Math.min(this.input.writable, bytes.length - at);
      this.input.bytes.set(bytes.subarray(at, at + length), this.input.writeAt);
      this.input.commit(length);
      at += length;
      while (this.link.receive(this.input, now))
        this.packets.push(this.link.packet.slice(this.link.packetStart, this.link.packetEnd));
    }
    this.collect();
  }

  /** Sends one IP packet. True when that was possible. */
  send(packet: Uint8Array, now: number): boolean {
    const buf = new Uint8Array(HEADROOM + packet.length + FCS_ROOM);
    buf.set(packet, HEADROOM);
    return this.link.hasRoom(packet.length) && this.link.send(buf, HEADROOM, HEADROOM + packet.length, now);
  }

  /** Sends one IP packet in pieces, if it can be cut. True: it was cut. */
  cut(packet: Uint8Array, now: number): boolean {
    const { link } = this;
    const buf = new Uint8Array(PIECE_ROOM + packet.length + FCS_ROOM);
    buf.set(packet, PIECE_ROOM);
    const isCut = link.cut(buf, PIECE_ROOM, PIECE_ROOM + packet.length, now);
    while (link.hasPieces) link.sendPiece(now);
    return isCut;
  }

  /** Everything that waits for the line. */
  drain(now: number): Uint8Array {
    this.link.flush(now);
    const { output } = this;
    const bytes = new Uint8Array(output.length);
    for (let at = 0; output.length > 0;) {
      const length = output.readable;
      bytes.set(output.bytes.subarray(output.readAt, output.readAt + length), at);
      output.consume(length);
      at += length;
    }
    return bytes;
  }

  collect(): void {
    for (let event; (event = this.link.takeEvent()) !== undefined;) this.events.push(event);
  }
}

export interface Wire {
  /** The time in one direction, in milliseconds. */
  latency: number;
  /** Changes a piece on its way. Undefined: nothing arrives. */
  damage?: (bytes: Uint8Array) => Uint8Array | undefined;
}

export class Pair {
  now = 0;
  readonly a: Side;
  readonly b: Side;
  readonly wire: Wire;
  #flying: { at: number; to: Side; bytes: Uint8Array }[] = [];

  constructor(a: Side, b: Side, wire: Wire = { latency: 1 }) {
    this.a = a;
    this.b = b;
    this.wire = wire;
  }

  open(): void {
    this.a.link.open(this.now);
    this.b.link.open(this.now);
    this.settle();
  }

  /** Puts the output of both sides onto the wire. */
  settle(): void {
    for (const [side, to] of [
      [this.a, this.b],
      [this.b, this.a],
    ] as const) {
      side.collect();
      const bytes = side.drain(this.now);
      const arriving = bytes.length === 0 ? undefined : (this.wire.damage ?? ((all) => all))(bytes);
      if (arriving !== undefined) this.#flying.push({ at: this.now + this.wire.latency, to, bytes: arriving });
    }
  }

  /** Lets time pass until `done`, or for this many milliseconds. True: it is done. */
  run(done: () => boolean, milliseconds = 120_000): boolean {
    const end = this.now + milliseconds;
    for (this.settle(); !done(); this.settle()) {
      const next = Math.min(
        this.a.link.nextTimeout(),
        this.b.link.nextTimeout(),
        ...this.#flying.map((piece) => piece.at),
      );
      if (next > end) {
        this.now = end;
        return done();
      }
      this.now = Math.max(this.now, next);
      const arrived = this.#flying.filter((piece) => piece.at <= this.now);
      this.#flying = this.#flying.filter((piece) => piece.at > this.now);
      for (const { to, bytes } of arrived) to.take(bytes, this.now);
      for (const side of [this.a, this.b]) if (side.link.nextTimeout() <= this.now) side.link.handleTimeout(this.now);
    }
    return true;
  }
}
