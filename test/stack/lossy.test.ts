// Two stacks and a line between them that loses, repeats, reorders and damages packets, and lies in their fields: the octets of
// every connection arrive whole and in order.

import { expect, test } from "bun:test";
import { Destinations } from "../../src/stack/destinations.ts";
import { Stack } from "../../src/stack/stack.ts";
import { FakeSockets, type FakeSocket } from "../kit/fake-sockets.ts";
import { Rng, withRng } from "../kit/rng.ts";

interface Faults {
  readonly loss: number;
  readonly repeat: number;
  readonly reorder: number;
  readonly damage: number;
  /** A forged packet: one that was sent, with a field changed and the checksums right. */
  readonly lies: number;
}

const LAPTOP = Uint8Array.of(10, 0, 0, 2);
/** Enough for the slowest game, in simulated time. A connection that lies have broken would go on for ever. */
const MOST_STEPS = 200_000;
const MOST_LYING_STEPS = 5000;
const GATEWAY = Uint8Array.of(10, 0, 0, 1);

interface End {
  readonly stack: Stack;
  readonly sockets: FakeSockets;
}

class World {
  now = 0;
  readonly rng: Rng;
  readonly left: End;
  readonly right: End;
  readonly #faults: Faults;
  #flying: { at: number; to: End; packet: Uint8Array }[] = [];
  readonly #room = new Uint8Array(2000);

  constructor(rng: Rng, faults: Faults) {
    this.rng = rng;
    this.#faults = faults;
    this.left = this.#end(LAPTOP);
    this.right = this.#end(GATEWAY);
  }

  #end(address: Uint8Array): End {
    const sockets = new FakeSockets();
    const stack = new Stack({
      side: sockets,
      destinations: new Destinations([], []),
      resolvers: [],
      ownAddresses: () => [Uint8Array.of(192, 168, 0, 1)],
      mostFlows: 100,
      random: () => this.rng.u32(),
    });
    stack.gateway.setAddress(4, address);
    sockets.told = (socket, readable, writable) => stack.ready(socket, readable, writable, this.now);
    return { stack, sockets };
  }

  /** One step: the packets that each end has, what arrives, what is due. */
  step(): void {
    for (const [from, to] of [
      [this.left, this.right],
      [this.right, this.left],
    ] as const)
      for (let count = 0; count < 8; count++) {
        const length = from.stack.take(this.#room, 0, this.now);
        if (length === 0) break;
        this.#send(to, this.#room.slice(0, length));
      }
    const flying = this.#flying.map(({ at }) => at);
    this.now = Math.max(
      this.now + 1,
      Math.min(...flying, this.left.stack.nextTimeout(), this.right.stack.nextTimeout(), this.now + 50),
    );
    const arrived = this.#flying.filter(({ at }) => at <= this.now).toSorted((one, other) => one.at - other.at);
    this.#flying = this.#flying.filter(({ at }) => at > this.now);
    for (const { to, packet } of arrived) to.stack.receive(packet, 0, packet.length, this.now);
    for (const { stack } of [this.left, this.right]) if (stack.nextTimeout() <= this.now) stack.handleTimeout(this.now);
  }

  #send(to: End, packet: Uint8Array): void {
    const { rng } = this;
    const { loss, repeat, reorder, damage, lies } = this.#faults;
    if (rng.chance(loss)) return;
    const copies = rng.chance(repeat) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const octets = packet.slice();
      if (rng.chance(damage)) octets[rng.below(octets.length)]! ^= 1 << rng.below(8);
      this.#flying.push({ at: this.now + 1 + (rng.chance(reorder) ? rng.below(20) : 0), to, packet: octets });
    }
    if (rng.chance(lies)) this.#flying.push({ at: this.now + 1, to, packet: liar(packet, rng) });
  }
}

/** The packet with a field of its TCP header changed, but not its data or its place, and right checksums. */
function liar(packet: Uint8Array, rng: Rng): Uint8Array {
  const lie = packet.slice();
  const at = rng.pick([
    // Acknowledgments of the future, old ones, windows, unused bits, urgent.
    8, 9, 12, 14, 15, 18, 19,
  ]);
  if (at === 12) lie[32] = (lie[32]! & 0xf0) | rng.below(16);
  else lie[20 + at] = rng.below(256);
  let sum = 6 + lie.length - 20;
  lie[36] = lie[37] = 0;
  for (let place = 12; place < lie.length; place += 2) sum += lie[place]! * 256 + (lie[place + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  lie[36] = (~sum >>> 8) & 255;
  lie[37] = ~sum & 255;
  return lie;
}

interface Outcome {
  readonly upload: Uint8Array;
  readonly download: Uint8Array;
  readonly laptop: FakeSocket;
  readonly servers: readonly FakeSocket[];
}

/** Each side sends its own octets, reads at its own pace and ends. */
function play(rng: Rng, faults: Faults, most: number): Outcome {
  const world = new World(rng, faults);
  const { left, right } = world;
  const upload = rng.bytes(rng.below(most));
  const download = rng.bytes(rng.below(most));
  right.sockets.onConnect = (socket) => (socket.room = rng.pick([Infinity, 100, 5000]));
  const laptop = left.sockets.accepted();
  laptop.room = rng.pick([Infinity, 700, 20_000]);
  left.stack.openTo(laptop.id, { far: LAPTOP.with(3, 3), farPort: 40000, peer: GATEWAY, peerPort: 80 }, 0);
  laptop.give(upload);
  laptop.finish();
  const readers: FakeSocket[] = [laptop];
  let hasServer = false;
  for (let step = 0; step < (faults.lies > 0 ? MOST_LYING_STEPS : MOST_STEPS); step++) {
    world.step();
    if (!hasServer && right.sockets.all.length > 0) {
      hasServer = true;
      right.sockets.last.give(download);
      right.sockets.last.finish();
      readers.push(right.sockets.last);
    }
    for (const reader of readers)
      if (reader.room < 1000 && rng.chance(0.3)) reader.giveRoom(reader.room + rng.below(3000));
    if (left.sockets.open.size + right.sockets.open.size === 0 && hasServer) break;
  }
  return { upload, download, laptop, servers: right.sockets.all };
}

for (const [name, faults] of Object.entries<Faults>({
  "a clean line": { loss: 0, repeat: 0, reorder: 0, damage: 0, lies: 0 },
  loss: { loss: 0.1, repeat: 0, reorder: 0, damage: 0, lies: 0 },
  "repetition and another order": { loss: 0, repeat: 0.2, reorder: 0.3, damage: 0, lies: 0 },
  damage: { loss: 0, repeat: 0, reorder: 0, damage: 0.1, lies: 0 },
  everything: { loss: 0.05, repeat: 0.05, reorder: 0.1, damage: 0.05, lies: 0 },
}))
  test(
    `octets arrive whole and in order: ${name}`,
    () =>
      withRng((rng) => {
        for (let game = 0; game < 8; game++) {
          const { upload, download, laptop, servers } = play(new Rng(rng.u32()), faults, game < 5 ? 3000 : 50_000);
          expect(servers.map(({ end, isShut }) => `${end} ${isShut}`)).toEqual(["closed true"]);
          expect(laptop.end).toBe("closed");
          expect(Buffer.compare(servers[0]!.received(), upload)).toBe(0);
          expect(Buffer.compare(laptop.received(), download)).toBe(0);
        }
      }),
    60_000,
  );

test(
  "lies in the header may end a connection, but no octet is wrong or out of its place",
  () =>
    withRng((rng) => {
      for (let game = 0; game < 15; game++) {
        const faults = { loss: 0.02, repeat: 0.02, reorder: 0.05, damage: 0.02, lies: 0.2 };
        const { upload, download, laptop, servers } = play(new Rng(rng.u32()), faults, 20_000);
        for (const [received, sent] of [
          [servers[0]?.received() ?? new Uint8Array(0), upload],
          [laptop.received(), download],
        ] as const)
          expect(Buffer.compare(received, sent.subarray(0, received.length))).toBe(0);
      }
    }),
  60_000,
);
