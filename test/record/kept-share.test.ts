import { expect, test } from "bun:test";
import { fromHex } from "../../src/bytes/text.ts";
import { KeptShare } from "../../src/record/kept-share.ts";

const DATA = ["ff03002145", "2145", "fd0001", "00fd0001", "fb0001", "3dc0"].map((hex) => fromHex(hex));
const CONTROL = ["ff03c021", "c021", "80fd", "8021", "ff0380fd"].map((hex) => fromHex(hex));
const kept = (share: KeptShare, packet: Uint8Array, count: number, now: number): number =>
  Array.from({ length: count }, () => share.takes(packet, 0, now)).filter(Boolean).length;

test("of data, so many are kept in ten milliseconds, and the others are counted once", () => {
  for (const packet of DATA) {
    const share = new KeptShare();
    expect([kept(share, packet, 50, 5), kept(share, packet, 50, 14.9)]).toEqual([16, 0]);
    expect(share.leftOut(3)).toBe((84 << 16) | 3);
    expect(share.leftOut(0x12345)).toBe(0x2345);
    expect(kept(share, packet, 50, 15)).toBe(16);
  }
});

test("control packets are always kept", () => {
  for (const packet of CONTROL) {
    const share = new KeptShare();
    kept(share, DATA[0]!, 50, 5);
    expect(kept(share, packet, 50, 5)).toBe(50);
  }
});

test("a slow line has all of its packets kept", () => {
  const share = new KeptShare();
  for (let now = 0; now < 1000; now++) expect(share.takes(DATA[0]!, 0, now)).toBe(true);
  expect(share.leftOut(0)).toBe(0);
});

test("no more can be left out than the ring can count", () => {
  const share = new KeptShare();
  kept(share, DATA[0]!, 70_000, 5);
  expect(share.leftOut(0) >>> 16).toBe(0xffff);
});
