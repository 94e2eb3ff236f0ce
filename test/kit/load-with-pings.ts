// A file that travels over a line of a known speed, and pings at the same time: how long they take, and what is left for the
// file. All of it in simulated time.

import { u32 } from "../../src/bytes/be.ts";
import { toHex } from "../../src/bytes/text.ts";
import type { CcpConfig } from "../../src/control/ccp-dialect.ts";
import type { LinkConfig } from "../../src/link/link-host.ts";
import { PacedPair, type PacedSide } from "./paced-pair.ts";
import { linkConfig } from "./pair.ts";
import type { Rng } from "./rng.ts";
import { isSound, pingPacket, TcpFlow } from "./tcp-flow.ts";

const A = 0x0a000001;
const B = 0x0a000002;
/**
 * The octets of data in a packet of each file: with compression the MTU is a little less than 1500. They differ, because
 * otherwise two lost packets of one file and an acknowledgment of the other could add up to a right checksum.
 */
const SEGMENTS = [1440, 1426] as const;
/** Where the addresses begin. The identification before them may be wrong after losses, which VJ does not notice. */
const ADDRESSES = 12;

export interface Load {
  readonly speed: number;
  readonly milliseconds: number;
  /** The data of the next packet of the file. */
  readonly data: (length: number) => Uint8Array;
  readonly cuts: boolean;
  readonly bothWays?: boolean;
  /** Somebody types as well. */
  readonly keys?: boolean;
  /** The far side has the option multilink, and compression for the bundle. */
  readonly isBundled?: boolean;
  /** What becomes of a frame. Undefined: it is lost. */
  readonly damage?: (octets: Uint8Array) => Uint8Array | undefined;
}

export interface Measured {
  /** The round trips of the pings in milliseconds, sorted. */
  readonly pings: readonly number[];
  /** Octets of the file a second, in the direction from a to b. */
  readonly goodput: number;
  /** Packets that arrived and look right to TCP, without having been sent like that. */
  readonly wrong: number;
  readonly lost: number;
  /** Packets whose TCP checksum was wrong, after their headers were restored. */
  readonly unsound: number;
  /** For each file: its packets that arrived in the last second. */
  readonly tail: readonly number[];
}

/** Options of one side that has MRRU, VJ and, if it is given, CCP. */
export function interleaving(
  our: number,
  peer: number,
  ccp?: CcpConfig,
  changes: Partial<LinkConfig> = {},
): LinkConfig {
  const { networks, lcp, ...rest } = linkConfig(changes);
  return {
    ...rest,
    lcp: { ...lcp, multilink: { mrru: 1500, shortSequence: true, endpoint: undefined } },
    networks: {
      ...networks,
      ipcp: { ...networks.ipcp!, our, peer, vj: { maxSlot: 15, compressSlot: true } },
      ccp,
    },
  };
}

export function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!;
}

export class LoadWithPings {
  readonly pair: PacedPair;
  readonly #rng: Rng;
  readonly #load: Load;
  readonly #pings: number[] = [];
  readonly #begun = new Map<number, number>();
  readonly #tail: number[] = [];
  readonly #retransmissions: (() => void)[] = [];
  #octets = 0;
  #wrong = 0;
  #unsound = 0;
  #sentPackets = 0;
  #receivedPackets = 0;

  constructor(configs: readonly [LinkConfig, LinkConfig], rng: Rng, load: Load) {
    this.#rng = rng;
    this.#load = load;
    this.pair = new PacedPair(configs, rng, load.speed, load.isBundled);
    const { a, b } = this.pair;
    if (load.damage !== undefined) a.damage = b.damage = load.damage;
    this.#file(a, b, [A, B]);
    if (load.bothWays === true) this.#file(b, a, [B, A]);
  }

  /** A file from one side to the other, with an acknowledgment for every second packet. */
  #file(from: PacedSide, to: PacedSide, route: readonly [number, number]): void {
    const file = this.#tail.push(0) - 1;
    const segment = SEGMENTS[file]!;
    const flow = new TcpFlow(...route, [20, 4000 + file]);
    const answers = new TcpFlow(route[1], route[0], [4000 + file, 20]);
    const sent = new Set<string>();
    const other = to.received;
    from.cuts = this.#load.cuts;
    let window = 8;
    this.#retransmissions.push(() => {
      window = Math.max(window, 8);
      flow.sequence = (flow.sequence - segment) >>> 0;
      to.interactive.push(answers.next(new Uint8Array(0)));
    });
    let arrived = 0;
    const note = (packet: Uint8Array): Uint8Array => {
      sent.add(toHex(packet, ADDRESSES, packet.length));
      this.#sentPackets++;
      return packet;
    };
    from.bulk = () => {
      if (window === 0) return undefined;
      window--;
      return note(flow.next(this.#load.data(segment)));
    };
    const keys = new TcpFlow(...route, [22, 4022 + file]);
    const type = (): void => {
      // Most of them are of a connection of their own, some of the file's, which overtake its packet in pieces.
      const its = this.#rng.chance(0.2) ? flow : keys;
      from.interactive.push(note(its.next(this.#rng.bytes(1 + this.#rng.below(20)))));
      this.pair.at(this.pair.now + 10 + this.#rng.below(100), type);
    };
    if (this.#load.keys === true) this.pair.at(2000, type);
    to.received = (packet, now) => {
      if (packet[9] === 1 || packet.length <= 40) return other(packet, now);
      // After a loss, VJ may restore wrong headers. TCP drops these packets, and its retransmission repairs that (RFC 1144).
      if (!this.#isSound(packet)) return;
      this.#receivedPackets++;
      if (!sent.delete(toHex(packet, ADDRESSES, packet.length))) this.#wrong++;
      if (now > this.#load.milliseconds - 1000) this.#tail[file]!++;
      if (packet.length < segment) return;
      if (from === this.pair.a) this.#octets += segment;
      if (++arrived % 2 > 0) return;
      answers.acknowledged = (answers.acknowledged + 2 * segment) >>> 0;
      to.interactive.push(answers.next(new Uint8Array(0)));
    };
    const before = from.received;
    from.received = (packet, now) => {
      if (packet[9] === 1 || packet.length > 40) return before(packet, now);
      if (!this.#isSound(packet)) return;
      window += 2;
    };
  }

  #isSound(packet: Uint8Array): boolean {
    if (isSound(packet)) return true;
    this.#unsound++;
    return false;
  }

  /** What TCP does when packets are missing: it sends one again, and opens the window when all in it was lost. */
  #retransmit(): void {
    for (const retransmit of this.#retransmissions) retransmit();
    this.pair.at(this.pair.now + 500, () => this.#retransmit());
  }

  #ping(now: number, number: number): void {
    const { a } = this.pair;
    this.#begun.set(number, now);
    a.interactive.push(pingPacket(A, B, number));
    const next = now + 200 + this.#rng.below(200);
    if (next < this.#load.milliseconds) this.pair.at(next, (at) => this.#ping(at, number + 1));
  }

  run(): Measured {
    const { a, b } = this.pair;
    const [fileA, fileB] = [a.received, b.received];
    b.received = (packet, now) => {
      if (packet[9] !== 1) return fileB(packet, now);
      b.interactive.push(pingPacket(B, A, u32(packet, 24), packet.length, 0));
    };
    a.received = (packet, now) => {
      if (packet[9] !== 1) return fileA(packet, now);
      const begun = this.#begun.get(u32(packet, 24));
      if (begun === undefined) this.#wrong++;
      else this.#pings.push(now - begun);
    };
    if (this.#load.damage !== undefined) this.#retransmit();
    this.pair.at(3000, (now) => this.#ping(now, 1));
    this.pair.run(3000);
    this.#octets = 0;
    this.pair.run(this.#load.milliseconds);
    return {
      pings: this.#pings.sort((one, other) => one - other),
      goodput: (this.#octets / (this.#load.milliseconds - 3000)) * 1000,
      wrong: this.#wrong,
      lost: this.#sentPackets - this.#receivedPackets,
      unsound: this.#unsound,
      tail: this.#tail,
    };
  }
}
