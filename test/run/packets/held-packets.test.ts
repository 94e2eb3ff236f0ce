import { expect, test } from "bun:test";
import { HeldPackets, MOST_HELD } from "../../../src/run/packets/held-packets.ts";

const packet = (version: 4 | 6, mark: number): Uint8Array => Uint8Array.of(0, version << 4, mark);

test("packets of one version wait until everybody who asked for it is done", () => {
  const held = new HeldPackets();
  expect(held.add(packet(4, 1), 1, 3)).toBe(false);
  held.hold(4);
  held.hold(4);
  held.hold(6);
  expect([held.add(packet(4, 1), 1, 3), held.add(packet(6, 2), 1, 3), held.add(packet(4, 3), 1, 3)]).toEqual([
    true,
    true,
    true,
  ]);
  expect(held.release(4)).toEqual([]);
  expect(held.add(packet(4, 4), 1, 3)).toBe(true);
  expect(held.release(4).map((each) => each[1])).toEqual([1, 3, 4]);
  expect(held.add(packet(4, 5), 1, 3)).toBe(false);
  expect(held.release(6).map((each) => each[1])).toEqual([2]);
});

test("a flood of packets that wait is lost, and an empty one is none", () => {
  const held = new HeldPackets();
  held.hold(4);
  expect(held.add(packet(4, 1), 3, 3)).toBe(false);
  for (let at = 0; at < 10 * MOST_HELD; at++) expect(held.add(packet(4, at), 1, 3)).toBe(true);
  expect(held.release(4)).toHaveLength(MOST_HELD);
});
