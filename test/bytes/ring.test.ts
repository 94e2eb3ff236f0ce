import { expect, test } from "bun:test";
import { Ring } from "../../src/bytes/ring.ts";
import { withRng } from "../kit/rng.ts";

test("octets come out as they went in, in any pieces, across many wraps", () =>
  withRng((rng) => {
    const ring = new Ring(new Uint8Array(64));
    let written = 0;
    let read = 0;
    for (let round = 0; round < 5000; round++) {
      const put = rng.below(ring.writable + 1);
      for (let at = 0; at < put; at++) ring.bytes[ring.writeAt + at] = written++ & 0xff;
      ring.commit(put);
      expect(ring.length).toBe(written - read);
      expect(ring.free).toBe(64 - ring.length);
      const take = rng.below(ring.readable + 1);
      for (let at = 0; at < take; at++) expect(ring.bytes[ring.readAt + at]).toBe(read++ & 0xff);
      ring.consume(take);
    }
  }));

test("a ring is full at its capacity, empty after clear, and refuses impossible lengths", () => {
  const ring = new Ring(new Uint8Array(8));
  ring.commit(8);
  expect([ring.free, ring.writable, ring.readable]).toEqual([0, 0, 8]);
  expect(() => ring.commit(1)).toThrow(RangeError);
  expect(() => ring.consume(9)).toThrow(RangeError);
  ring.clear();
  expect([ring.length, ring.free]).toEqual([0, 8]);
  expect(() => new Ring(new Uint8Array(7))).toThrow("power of two");
});
