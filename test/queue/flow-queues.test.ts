// Queues in memory and in simulated time: a line that takes a packet when it has sent the one before.

import { expect, test } from "bun:test";
import { u16, u32 } from "../../src/bytes/be.ts";
import { FlowQueues } from "../../src/queue/flow-queues.ts";
import { packet4, tcp4 } from "./packets.ts";

const RATE = 11.52;
const FULL = 1500;
const into = new Uint8Array(20_000);

function queues(octets = 262_144, packets = 512): FlowQueues {
  const made = new FlowQueues(octets, packets, 7);
  made.setRate(RATE);
  return made;
}

function put(to: FlowQueues, packet: Uint8Array, now = 0): void {
  to.put(packet, 0, packet.length, now);
}

/** The port and the number of the packet that is taken next. */
function next(
  from: FlowQueues,
  now = 0,
): { port: number; number: number; length: number; isSparse: boolean } | undefined {
  const length = from.take(into, 0, now);
  if (length === 0) return undefined;
  return { port: u16(into, 20), number: u32(into, length - 4), length, isSparse: from.isSparse };
}

test("packets of a flow keep their order and their octets", () => {
  const from = queues();
  const sent = Array.from({ length: 40 }, (_, number) => packet4({ length: 28 + number * 97 }, number));
  for (const packet of sent) put(from, packet);
  expect(from.length).toBe(40);
  for (const packet of sent) {
    const length = from.take(into, 50, 0);
    expect([...into.subarray(50, 50 + length)]).toEqual([...packet]);
  }
  expect([from.take(into, 0, 0), from.length, from.octets]).toEqual([0, 0, 0]);
});

test("a packet does not overtake one of its own flow that is on its way in pieces, and others do", () => {
  const from = queues();
  put(from, packet4({ length: 290, port: 1 }, 1));
  expect(from.takeBulk(into, 0, 0)).toBe(290);
  put(from, packet4({ length: 60, port: 1 }, 2));
  expect(from.takeSparse(into, 0, 0, true)).toBe(0);
  put(from, packet4({ length: 60, port: 2 }, 3));
  expect([from.takeSparse(into, 0, 0, true), u16(into, 20)]).toEqual([60, 2]);
  expect([from.takeSparse(into, 0, 0, false), u16(into, 20)]).toEqual([60, 1]);
});

test("flows share the line by octets, whatever the length of their packets", () => {
  const from = queues();
  const octets = new Map<number, number>();
  const fill = (port: number, length: number, count: number): void => {
    for (let number = 0; number < count; number++) put(from, packet4({ length, port }, number));
  };
  fill(1, 1500, 60);
  fill(2, 400, 150);
  fill(3, 700, 100);
  for (let sent = 0; sent < 120_000;) {
    const { port, length } = next(from)!;
    octets.set(port, (octets.get(port) ?? 0) + length);
    sent += length;
  }
  for (const one of octets.values()) expect(one).toBeWithin(37_000, 43_000);
});

test("a small packet of a quiet flow goes before all that waits, each time", () => {
  const from = queues();
  for (let number = 0; number < 60; number++) put(from, packet4({ length: FULL, port: 1 }, number));
  let now = 0;
  for (let ping = 0; ping < 30; ping++) {
    put(from, packet4({ length: 84, port: 2 }, ping), now);
    expect(next(from, now)).toEqual({ port: 2, number: ping, length: 84, isSparse: true });
    expect(from.seesInteractive(now)).toBe(true);
    expect(next(from, now)).toMatchObject({ port: 1, isSparse: false });
    now += FULL / RATE;
  }
  expect(from.seesInteractive(now + 3000)).toBe(false);
});

test("small packets that make up a bulk flow take turns with the others", () => {
  const from = queues();
  const octets = [0, 0, 0];
  for (let number = 0; number < 400; number++) {
    if (number % 8 === 0) put(from, packet4({ length: FULL, port: 1 }));
    // The flow never has more than one packet, so that each of them finds an empty queue.
    put(from, packet4({ length: 200, port: 2 }));
    const { port, length } = next(from)!;
    octets[port]! += length;
  }
  expect(octets[1]! / octets[2]!).toBeWithin(0.8, 2);
});

test("a bare acknowledgment goes first, and bulk packets need not be short for it", () => {
  const from = queues();
  put(from, packet4({ length: FULL, port: 1 }));
  put(from, tcp4(0x10, 0, 2));
  expect(next(from, 5)).toMatchObject({ port: 2, isSparse: true });
  expect(from.seesInteractive(5)).toBe(false);
  put(from, tcp4(0x18, 8, 2));
  expect(next(from, 6)).toMatchObject({ port: 2, isSparse: true });
  expect(from.seesInteractive(6)).toBe(true);
});

test("takeSparse leaves bulk packets, also those that begin a flow", () => {
  const from = queues();
  put(from, packet4({ length: FULL, port: 1 }));
  expect(from.takeSparse(into, 0, 0)).toBe(0);
  put(from, packet4({ length: 84, port: 2 }));
  expect(from.takeSparse(into, 0, 0)).toBe(84);
  expect(from.takeSparse(into, 0, 0)).toBe(0);
  expect(next(from)).toMatchObject({ port: 1 });
});

test("a burst loses nothing, and a queue that stays long loses packets until it is short", () => {
  const from = queues();
  const packetMs = FULL / RATE;
  let now = 0;
  for (let number = 0; number < 4; number++) put(from, packet4({ length: FULL }), now);
  while (next(from, now) !== undefined) now += packetMs;
  expect(from.dropped).toBe(0);
  // A sender that sends as fast as the line does not end the standing queue; the lost packets do.
  for (let number = 0; number < 20; number++) put(from, packet4({ length: FULL }), now);
  for (let round = 0; round < 100; round++) {
    put(from, packet4({ length: FULL }), now);
    next(from, now);
    now += packetMs;
  }
  expect(from.dropped).toBeGreaterThan(14);
  expect(from.octets).toBeLessThanOrEqual(5 * FULL);
});

test("a packet is marked in place of being dropped if its sender understands the mark", () => {
  const from = queues();
  let now = 0;
  let marked = 0;
  for (let number = 0; number < 30; number++) put(from, packet4({ length: FULL, tos: 2 }), now);
  while (next(from, now) !== undefined) {
    if ((into[1]! & 3) === 3) marked++;
    now += FULL / RATE;
  }
  expect(marked).toBeGreaterThan(0);
  expect([from.marked, from.dropped]).toEqual([marked, 0]);
});

test("when there is no room, the longest queue loses its first packets, and memory does not grow", () => {
  const from = queues(16_384, 64);
  put(from, packet4({ length: 84, port: 2 }, 1));
  for (let number = 0; number < 100; number++) put(from, packet4({ length: FULL, port: 1 }, number));
  expect(from.octets).toBeLessThanOrEqual(16_384);
  expect(from.overflowed).toBe(101 - from.length);
  expect(next(from)).toMatchObject({ port: 2 });
  expect(next(from)!.number).toBe(101 - from.length - 2);
  for (let number = 0; number < 200; number++) put(from, packet4({ length: 28, port: number }, number));
  expect(from.length).toBe(64);
  from.clear();
  expect(from.cleared).toBe(64);
  expect([from.length, from.octets, next(from)]).toEqual([0, 0, undefined]);
});

test("a packet that is larger than all the memory, or empty, is not kept", () => {
  const from = queues(4096, 8);
  put(from, packet4({ length: 84 }, 3));
  put(from, packet4({ length: 5000 }));
  put(from, new Uint8Array(0));
  expect([from.length, from.overflowed, next(from)!.number]).toEqual([1, 2, 3]);
});

test("takeOldest takes packets in the order in which they came, and drops none however long they waited", () => {
  const from = queues();
  for (let number = 0; number < 60; number++) put(from, packet4({ length: FULL, port: number % 7 }, number), number);
  next(from, 1e6);
  const order: number[] = [];
  for (let length; (length = from.takeOldest(into, 0)) > 0;) order.push(u32(into, length - 4));
  expect(order).toEqual(Array.from({ length: 59 }, (_, number) => number + 1));
  expect([from.length, from.octets, from.take(into, 0, 0)]).toEqual([0, 0, 0]);
});
