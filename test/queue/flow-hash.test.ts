import { expect, test } from "bun:test";
import { flowHash, isBareAck } from "../../src/queue/flow-hash.ts";
import { Rng } from "../kit/rng.ts";
import { packet4, packet6, TCP, tcp4 } from "./packets.ts";

const SEED = 0x1234567;
const hash = (packet: Uint8Array): number => flowHash(packet, 0, packet.length, SEED);

test("addresses, protocol and ports make a flow, and data does not", () => {
  const one = hash(packet4({ length: 100, port: 5 }, 1));
  expect(hash(packet4({ length: 900, port: 5, tos: 16, id: 77 }, 2))).toBe(one);
  expect(hash(packet4({ length: 100, port: 6 }))).not.toBe(one);
  expect(hash(packet4({ length: 100, port: 5, protocol: TCP }))).not.toBe(one);
  const other = packet4({ length: 100, port: 5 });
  other[19] = 9;
  expect(hash(other)).not.toBe(one);
  expect(flowHash(other, 0, other.length, SEED + 1)).not.toBe(hash(other));
});

test("all fragments of a datagram are one flow", () => {
  const first = hash(packet4({ length: 100, port: 5, id: 7, fragment: 0x2000 }));
  expect(hash(packet4({ length: 100, port: 9999, id: 7, fragment: 0x20 }))).toBe(first);
  expect(hash(packet4({ length: 100, port: 5, id: 8, fragment: 0x2000 }))).not.toBe(first);
  const [one, two] = [packet6(80, 5, 44), packet6(80, 5, 44)];
  two[41] = 200;
  expect(hash(two)).toBe(hash(one));
  two[47] = 1;
  expect(hash(two)).not.toBe(hash(one));
});

test("IPv6 ports are found behind extension headers", () => {
  expect(hash(packet6(80, 5, 60))).toBe(hash(packet6(80, 5)));
  expect(hash(packet6(80, 6, 60))).not.toBe(hash(packet6(80, 5, 60)));
  expect(hash(packet6(80, 6))).not.toBe(hash(packet6(80, 5)));
});

test("a packet of any length and content has a flow", () => {
  const rng = new Rng(1);
  for (let length = 0; length < 120; length++)
    for (const packet of [
      rng.bytes(length),
      packet4({ length: 200 }).slice(0, length),
      packet6(120, 1, 0).slice(0, length),
    ]) {
      expect(hash(packet)).toBeWithin(0, 2 ** 32);
      expect([true, false]).toContain(isBareAck(packet, 0, packet.length));
    }
});

test("only an acknowledgment without data is a bare one", () => {
  const bare = (packet: Uint8Array): boolean => isBareAck(packet, 0, packet.length);
  expect(bare(tcp4(0x10, 0))).toBe(true);
  expect([bare(tcp4(0x18, 1)), bare(tcp4(0x12, 0)), bare(tcp4(0x11, 0)), bare(tcp4(0x14, 0))]).toEqual(
    Array(4).fill(false),
  );
  expect(bare(packet4({ length: 60 }))).toBe(false);
});
