import { expect, test } from "bun:test";
import { NameService } from "../../../src/files/smb/name-service.ts";

const service = new NameService("SERVER", Uint8Array.of(10, 0, 0, 1));

function encoded(name: string, kind: number): number[] {
  const octets = [...Buffer.from(name.padEnd(15)), kind];
  return [0x20, ...octets.flatMap((octet) => [0x41 + (octet >> 4), 0x41 + (octet & 15)]), 0];
}

function packet(flags: number, name: string, kind: number, type: number, more: readonly number[] = []): Uint8Array {
  const count = more.length > 0 ? 1 : 0;
  return Uint8Array.of(
    ...[0x12, 0x34, flags >> 8, flags & 0xff, 0, 1, 0, 0, 0, 0, 0, count],
    ...encoded(name, kind),
    ...[0, type, 0, 1, ...more],
  );
}

const ask = (octets: Uint8Array): Uint8Array | undefined => service.answer(octets, 0, octets.length);
const RECORD = [0xc0, 12, 0, 0x20, 0, 1, 0, 0, 0, 0, 0, 6, 0, 0, 10, 0, 0, 2];

test("its own name, by query and by status; others are unknown to those who ask a name server", () => {
  for (const kind of [0, 3, 0x20])
    expect([...ask(packet(0x0100, "SERVER", kind, 0x20))!].slice(-4)).toEqual([10, 0, 0, 1]);
  expect(ask(packet(0x0110, "SERVER", 0x20, 0x20))).toBeDefined();
  expect(ask(packet(0x0110, "OTHER", 0x20, 0x20))).toBeUndefined();
  const unknown = ask(packet(0x0100, "OTHER", 0x20, 0x20))!;
  expect([unknown[2]! >> 7, unknown[3]! & 15]).toEqual([1, 3]);
  expect(Buffer.from(ask(packet(0, "*", 0, 0x21))!).toString("latin1")).toContain("SERVER         ");
});

test("the other machine registers any name but ours", () => {
  const rcode = (flags: number, name: string, kind = 0): number | undefined => {
    const answer = ask(packet(flags, name, kind, 0x20, RECORD));
    return answer && answer[3]! & 15;
  };
  expect(rcode(0x2900, "LAPTOP")).toBe(0);
  expect(rcode(0x2900, "SERVER")).toBe(6);
  expect(rcode(0x2910, "LAPTOP")).toBeUndefined();
  expect(rcode(0x2910, "SERVER")).toBe(6);
  expect(rcode(0x4100, "LAPTOP")).toBe(0);
  expect(rcode(0x7900, "LAPTOP")).toBe(0);
  expect(rcode(0x3000, "LAPTOP")).toBe(0);
});

test("answers and damaged packets are not answered", () => {
  const good = packet(0x0100, "SERVER", 0x20, 0x20);
  expect(ask(packet(0x8500, "SERVER", 0x20, 0x20))).toBeUndefined();
  for (let length = 0; length < good.length; length++) expect(ask(good.subarray(0, length))).toBeUndefined();
  for (let at = 4; at < good.length; at++)
    for (const octet of [0, 0x7f, 0xff]) ask(Uint8Array.from(good, (old, place) => (place === at ? octet : old)));
});
