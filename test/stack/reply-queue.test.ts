// Packets without a flow: they come out in their order, and what does not fit is dropped and counted.

import { expect, test } from "bun:test";
import { Ends } from "../../src/stack/ip-packet.ts";
import { ReplyQueue } from "../../src/stack/reply-queue.ts";
import { withRng } from "../kit/rng.ts";

const ENDS = new Ends(Uint8Array.of(192, 0, 2, 1), Uint8Array.of(10, 0, 0, 2));

test("packets come out whole and in their order, whatever is added and taken between", () =>
  withRng((rng) => {
    const queue = new ReplyQueue();
    const room = new Uint8Array(20_000);
    const expected: Uint8Array[] = [];
    for (let step = 0; step < 5000; step++) {
      if (rng.chance(0.55)) {
        const packet = rng.bytes(1 + rng.below(rng.pick([100, 16_000])));
        const { dropped } = queue;
        queue.add(packet, 0, packet.length);
        if (queue.dropped === dropped) expected.push(packet);
      } else if (rng.chance(0.02)) {
        queue.dropLonger(8000);
        expected.splice(0, Infinity, ...expected.filter(({ length }) => length <= 8000));
      } else {
        const length = queue.take(room, 7);
        expect([...room.subarray(7, 7 + length)]).toEqual([...(expected.shift() ?? [])]);
      }
      expect(queue.isEmpty).toBe(expected.length === 0);
    }
  }));

test("a datagram goes in fragments or not at all", () => {
  const queue = new ReplyQueue();
  const payload = new Uint8Array(60_000);
  for (let datagram = 0; datagram < 5; datagram++) queue.addPayload(ENDS, 17, payload, payload.length, 1500);
  // The fifth would be more than 256 KiB.
  expect(queue.dropped).toBe(1);
  let packets = 0;
  for (const room = new Uint8Array(1500); queue.take(room, 0) > 0;) packets++;
  expect(packets).toBe(4 * 41);
});

test("the longest datagram fits at the least MTU", () => {
  const queue = new ReplyQueue();
  queue.addPayload(ENDS, 17, new Uint8Array(65_507), 65_507, 128);
  expect(queue.dropped).toBe(0);
});
