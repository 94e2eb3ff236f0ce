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

test("without rules for a version, only what is for us gets through, until there are some", () => {
  const held = new HeldPackets();
  const [our, other] = [Uint8Array.of(10, 0, 0, 1), Uint8Array.of(192, 0, 2, 1)];
  const to = (address: Uint8Array): Uint8Array => {
    const packet = new Uint8Array(address.length === 4 ? 20 : 40);
    packet[0] = address.length === 4 ? 0x40 : 0x60;
    packet.set(address, packet.length - address.length);
    return packet;
  };
  const drops = (packet: Uint8Array): boolean => held.add(packet, 0, packet.length);
  held.hold(4);
  expect([drops(to(other)), drops(to(our))]).toEqual([true, true]);
  expect(held.release(4, { own: our })).toEqual([to(our)]);
  const group = to(Uint8Array.of(224, 0, 0, 251));
  expect([to(other), to(our), group, to(our).subarray(0, 18)].map(drops)).toEqual([true, false, false, true]);
  const [our6, other6, linkLocal] = [0xfd, 0x20, 0xfe].map((first) => Uint8Array.of(first, 0x80, ...Array(14).fill(1)));
  expect(drops(to(other6!))).toBe(false);
  held.hold(6);
  held.release(6, { own: our6 });
  expect([other6!, our6!, linkLocal!].map((address) => drops(to(address)))).toEqual([true, false, false]);
  held.hold(4);
  held.release(4, { own: undefined });
  expect([to(our), group].map(drops)).toEqual([true, true]);
  held.hold(4);
  expect(drops(to(other))).toBe(true);
  expect(held.release(4)).toEqual([to(other)]);
  expect(drops(to(other))).toBe(false);
});
