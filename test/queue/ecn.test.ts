import { expect, test } from "bun:test";
import { markCe } from "../../src/queue/ecn.ts";
import { ipv4Checksum, ipv4HeaderChecksum, ipv4Tos } from "../../src/wire/ip.ts";
import { packet4, packet6 } from "./packets.ts";

test("a packet whose sender understands the mark gets it, with a right checksum", () => {
  for (const ect of [1, 2, 3]) {
    const packet = packet4({ length: 60, tos: 0xb8 | ect });
    expect(markCe(packet, 0, packet.length)).toBe(true);
    expect(ipv4Tos(packet, 0)).toBe(0xbb);
    expect(ipv4Checksum(packet, 0)).toBe(ipv4HeaderChecksum(packet, 0, 20));
  }
  const packet = packet6(80, 1);
  packet[1] = 0x2f;
  expect(markCe(packet, 0, 80)).toBe(true);
  expect(packet[1]).toBe(0x3f);
});

test("any other packet stays as it is", () => {
  const wrong = packet4({ length: 60, tos: 1 });
  wrong[0] = 0x4f;
  for (const packet of [packet4({ length: 60, tos: 0xb8 }), packet6(80, 1), wrong.slice(0, 40), wrong.slice(0, 1)]) {
    const before = packet.slice();
    expect(markCe(packet, 0, packet.length)).toBe(false);
    expect(packet).toEqual(before);
  }
});
