// Two whole Links in conversation, while traffic is damaged, cut, repeated, reordered, replayed, or mixed with forged
// frames whose check sequence is right and whose lengths are wrong.

import { Ring } from "../../src/bytes/ring.ts";
import type { CcpConfig } from "../../src/control/ccp-dialect.ts";
import { NO_ID } from "../../src/control/options/ipv6cp/interface-identifier.ts";
import { Framer } from "../../src/frame/framer.ts";
import { FCS_ROOM, type FcsBits } from "../../src/frame/fcs.ts";
import type { AuthMethod } from "../../src/wire/auth-method.ts";
import type { LineSpeed, SpeedChange } from "../../src/link/line-speed.ts";
import { LiveCapture } from "../../src/run/live/live-capture.ts";
import { PacketLog } from "../../src/run/live/packet-log.ts";
import type { LinkConfig } from "../../src/link/link-host.ts";
import { linkConfig, Pair, Side } from "../kit/pair.ts";
import { Rng } from "../kit/rng.ts";
import type { FuzzInput, Mutation, Target } from "./target.ts";

const PIECES = 120;
/** The steps of the conversation with damage, and the time of each. */
const ROUNDS = 60;
const ROUND_MS = 200;
/** More events than this in one step mean a loop. */
const MOST_EVENTS = 2000;
const MOST_TIMEOUTS = 10_000;

const METHODS: readonly AuthMethod[] = ["pap", "chap-md5", "mschap", "mschap-v2", "eap"];
/** Protocols of forged frames: those a link knows, and a few others. */
const PROTOCOLS = [
  0xc021, 0x8021, 0x8057, 0x80fd, 0xc023, 0xc223, 0xc227, 0xc025, 0xc029, 0x003d, 0x00fd, 0x002d, 0x002f, 0x0021,
  0x0057, 0x80fb, 0x00fb, 0x8207, 0x0001, 0xc12b, 0x80ff,
];

/** The options of one side, drawn from the seed. The two sides differ. */
function draw(rng: Rng, our: number, peer: number): LinkConfig {
  const { networks, lcp, ...rest } = linkConfig();
  const { limits } = lcp;
  const mppe = rng.chance(0.2) ? { bits40: true, bits56: false, bits128: true, stateful: rng.chance(0.5) } : undefined;
  const size = (): number => rng.pick([0, 9, 12, 15]);
  const ccp: CcpConfig = {
    deflate: { receive: size(), transmit: size() },
    deflateDraft: rng.chance(0.5),
    bsd: { receive: size(), transmit: size() },
    predictor1: rng.pick(["accept", "request", "no"] as const),
    lzs: rng.pick(["accept", "request", "no"] as const),
    mppc: rng.pick(["accept", "request", "no"] as const),
    mppe,
    limits,
  };
  const demand = rng.chance(0.5) ? [rng.pick(METHODS)] : [];
  return {
    ...rest,
    lcp: {
      ...lcp,
      mru: rng.pick([128, 296, 1500, 16384]),
      asyncmap: rng.pick([0, 0x000a0000, 0xffffffff]),
      pcomp: rng.chance(0.8),
      accomp: rng.chance(0.8),
      fcs: rng.pick<FcsBits>([0, 16, 32]),
      multilink: rng.chance(0.5)
        ? { mrru: rng.pick([300, 1500]), shortSequence: rng.chance(0.5), endpoint: undefined }
        : undefined,
      qualityPeriod: rng.pick([-1, 0, 100]),
      callback: rng.chance(0.1),
      authRequired: demand.length > 0,
      demand,
      accept: METHODS.filter(() => rng.chance(0.8)),
    },
    echo: { intervalMs: rng.pick([0, 1000]), failure: 4, adaptive: false },
    callback: rng.chance(0.1) ? "12345" : undefined,
    networks: {
      ipcp: { ...networks.ipcp!, our, peer, vj: rng.chance(0.5) ? { maxSlot: 15, compressSlot: true } : undefined },
      ccp: rng.chance(0.8) ? ccp : undefined,
      ipv6cp: rng.chance(0.3)
        ? { our: NO_ID, peer: NO_ID, acceptLocal: false, acceptRemote: false, noRemote: false, noSend: false, limits }
        : undefined,
    },
    debug: rng.pick([0, 1, 3]),
  };
}

/** A typical packet: TCP with a text, UDP with noise, IPv6. */
function packet(rng: Rng): Uint8Array {
  const length = 40 + rng.below(500);
  const bytes = rng.chance(0.5) ? rng.bytes(length) : Uint8Array.from({ length }, (_, at) => 97 + ((at * 7) % 11));
  bytes.set(rng.chance(0.8) ? [0x45, 0, length >> 8, length & 255] : [0x60, 0]);
  bytes[9] = rng.pick([6, 17]);
  if (rng.chance(0.5)) bytes.set([0x50, 0x10], 32);
  return bytes;
}

/** Bodies of control packets: a code, an identifier, a length that may be wrong, options whose lengths may be wrong. */
function controlBody(rng: Rng): number[] {
  const body: number[] = [];
  for (let n = rng.below(6); n > 0; n--) {
    const value = [...rng.bytes(rng.below(10))];
    const length = rng.chance(0.8) ? value.length + 2 : rng.below(256);
    body.push(rng.below(30), length, ...value);
  }
  const length = rng.chance(0.8) ? body.length + 4 : rng.below(65536);
  return [rng.below(17), rng.below(rng.chance(0.5) ? 8 : 256), length >> 8, length & 255, ...body];
}

/** A frame with a right FCS and invalid content. */
function forge(rng: Rng): Uint8Array {
  const protocol = rng.chance(0.9) ? rng.pick(PROTOCOLS) : rng.below(65536);
  const inside = rng.chance(0.6) ? controlBody(rng) : [...rng.bytes(rng.below(rng.chance(0.1) ? 2000 : 60))];
  const header = [
    ...(rng.chance(0.7) ? [0xff, 0x03] : []),
    ...(rng.chance(0.5) && protocol < 256 ? [] : [protocol >> 8]),
  ];
  const whole = Uint8Array.of(...header, protocol & 255, ...inside);
  const length = rng.chance(0.15) ? rng.below(6) : whole.length;
  const buf = new Uint8Array(length + FCS_ROOM);
  buf.set(whole.subarray(0, Math.min(length, whole.length)));
  const ring = new Ring(new Uint8Array(16384));
  const framer = new Framer(ring);
  framer.accm = 0;
  framer.fcs = rng.pick<FcsBits>([16, 16, 16, 32, 0]);
  framer.write(buf, 0, length, rng.chance(0.5), 0);
  return ring.bytes.slice(ring.readAt, ring.readAt + ring.readable);
}

/** Applies the mutations of one piece of the traffic. `earlier` are past pieces that can be repeated. */
function mutated(piece: Uint8Array, mutations: readonly Mutation[], earlier: readonly Uint8Array[]): Uint8Array {
  let bytes = Uint8Array.from(piece);
  for (const { kind, a, b } of mutations) {
    const at = bytes.length === 0 ? 0 : a % bytes.length;
    switch (kind) {
      case "flip":
        if (bytes.length > 0) bytes[at]! ^= 1 << (b & 7);
        break;
      case "set":
        if (bytes.length > 0) bytes[at] = b & 255;
        break;
      case "cut":
        bytes = bytes.slice(0, at);
        break;
      case "lose":
        bytes = Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + 1 + (b % 40))]);
        break;
      case "twice":
        bytes = Uint8Array.from([...bytes, ...bytes]);
        break;
      case "noise":
        bytes = Uint8Array.from([...bytes.subarray(0, at), ...new Rng(b).bytes(b % 300), ...bytes.subarray(at)]);
        break;
      case "replay":
        bytes = Uint8Array.from([...bytes, ...(earlier[b % Math.max(1, earlier.length)] ?? [])]);
        break;
      case "forge":
        bytes = Uint8Array.from([...forge(new Rng(b)), ...bytes]);
        break;
    }
  }
  return bytes;
}

function check(side: Side, name: string): void {
  const next = side.link.nextTimeout();
  if (Number.isNaN(next)) throw new Error(`${name}: the next timeout is no number`);
  if (side.events.length > MOST_EVENTS) throw new Error(`${name}: ${side.events.length} events in one step`);
  for (const event of side.events)
    if (event.type === "log" && event.text.startsWith("Dropped a received frame because of a fault"))
      throw new Error(`${name}: ${event.text}`);
  side.events.length = side.packets.length = 0;
}

/** Both sides continue without damage. Their timers must come to rest, and nothing may repeat without end. */
function settle(pair: Pair): void {
  let timeouts = 0;
  const calm = (): boolean => ++timeouts > MOST_TIMEOUTS;
  if (pair.run(calm, 30_000)) throw new Error("the two sides never come to rest");
}

/** A line whose speed means nothing. A change takes until the next round. */
class FuzzLine implements LineSpeed {
  readonly #speeds = [115200, 921600, 3_000_000];
  #speed = 115200;
  #wish: ((now: number) => void) | undefined;

  speeds() {
    return { now: this.#speed, able: this.#speeds };
  }

  set(speed: number, _: "drained" | "at once", done: (change: SpeedChange, now: number) => void): void {
    this.#wish = (now) => {
      this.#speed = speed;
      done("set", now);
    };
  }

  cancel(): void {
    this.#wish = undefined;
  }

  change(now: number): void {
    const wish = this.#wish;
    this.#wish = undefined;
    wish?.(now);
  }
}

export const LINK: Target = {
  name: "link",
  kinds: ["flip", "set", "cut", "lose", "twice", "noise", "replay", "forge", "forge", "forge", "delay"],
  pieces: PIECES,
  run({ seed, mutations }: FuzzInput): number {
    const rng = new Rng(seed);
    const byPiece = Map.groupBy(mutations, ({ piece }) => piece);
    const earlier: Uint8Array[] = [];
    let held: Uint8Array | undefined;
    let fed = 0;
    let count = 0;
    const damage = (bytes: Uint8Array): Uint8Array | undefined => {
      const own = byPiece.get(count++) ?? [];
      const out = mutated(bytes, own, earlier);
      if (earlier.length < 64) earlier.push(bytes);
      fed += out.length;
      // A delayed piece comes after the next one.
      const before = held;
      held = own.some(({ kind }) => kind === "delay") ? out : undefined;
      if (held !== undefined) return before;
      return before === undefined ? out : Uint8Array.from([...out, ...before]);
    };
    const host = { load: () => ({ rate: 1, backlog: 0 }) };
    // Half of the links try to change the speed of their line.
    const lines = [new FuzzLine(), new FuzzLine()] as const;
    const [lineOfA, lineOfB] = (seed & 1) === 1 ? lines.map((line) => ({ line })) : [];
    // Somebody looks on at one end.
    const packetLog = new PacketLog();
    const taps = { tap: packetLog.line(0, "ttyS0"), networkTap: packetLog.network("ppp0") };
    const target = { room: Infinity, send: () => rng.chance(0.9), end: () => {} };
    const source = { packetLog, clock: { now: () => 0, wall: () => 0 }, hidePassword: true };
    new LiveCapture(source, { packets: "both", sinceMs: 0 }, target);
    const a = new Side(draw(rng, 0xc0a80001, 0xc0a80101), rng, { ...host, ...lineOfA, ...taps });
    const b = new Side(draw(rng, 0, 0), rng, { ...host, ...lineOfB });
    const pair = new Pair(a, b, { latency: 1 + rng.below(50), damage });
    pair.open();
    for (let round = 0; round < ROUNDS; round++) {
      for (const side of [a, b]) {
        if (rng.chance(0.5)) side.send(packet(rng), pair.now);
        if (rng.chance(0.2)) side.cut(packet(rng), pair.now);
      }
      for (const line of lines) line.change(pair.now);
      let steps = 0;
      pair.run(() => ++steps > MOST_TIMEOUTS, ROUND_MS);
      if (steps > MOST_TIMEOUTS) throw new Error("a step goes round for ever");
      check(a, "a");
      check(b, "b");
    }
    pair.wire.damage = (bytes) => bytes;
    settle(pair);
    check(a, "a");
    check(b, "b");
    if ([...packetLog.ring.items()].length === 0) throw new Error("nothing is kept of the packets");
    return fed;
  },
};
