import { expect, test } from "bun:test";
import { FCS_INIT, FCS32_GOOD, FCS32_INIT, fcs32Over, fcsOver } from "../../src/frame/fcs.ts";
import { Rng, withRng } from "../kit/rng.ts";
import { fcs16Oracle, fcs32Oracle } from "./fcs32-oracle.ts";

/** The FCS octets for a register, in the order of the line. */
function sent(register: number, octets: number): number[] {
  return Array.from({ length: octets }, (_, place) => (~register >>> (8 * place)) & 0xff);
}

test("the oracle divides as RFC 1662 appendix C says", () => {
  const check = [...new TextEncoder().encode("123456789")];
  expect(fcs16Oracle(check)).toEqual([0x6e, 0x90]);
  expect(fcs32Oracle(check)).toEqual([0x26, 0x39, 0xf4, 0xcb]);
});

test("FCS-32 is the remainder of the division at every length and place, whole or in two pieces", () =>
  withRng((rng) => {
    for (let length = 0; length < 70; length++) {
      const start = rng.below(9);
      const bytes = rng.bytes(start + length + 5);
      const end = start + length;
      const fcs = fcs32Oracle([...bytes.subarray(start, end)]);
      expect(sent(fcs32Over(FCS32_INIT, bytes, start, end), 4)).toEqual(fcs);
      const cut = start + rng.below(length + 1);
      expect(sent(fcs32Over(fcs32Over(FCS32_INIT, bytes, start, cut), bytes, cut, end), 4)).toEqual(fcs);
    }
  }));

test("a frame and its own FCS-32 come to the good residue, and no frame with a bit flipped does", () => {
  const body = new Rng(32).bytes(41);
  const frame = Uint8Array.from([...body, ...fcs32Oracle([...body])]);
  const isGood = (): boolean => fcs32Over(FCS32_INIT, frame, 0, frame.length) >>> 0 === FCS32_GOOD >>> 0;
  expect(FCS32_GOOD >>> 0).toBe(0xdebb20e3);
  expect(isGood()).toBe(true);
  for (let bit = 0; bit < 8 * frame.length; bit++) {
    frame[bit >> 3]! ^= 1 << (bit & 7);
    expect(isGood()).toBe(false);
    frame[bit >> 3]! ^= 1 << (bit & 7);
  }
});

test("FCS-16 is the remainder of its division, too", () =>
  withRng((rng) => {
    for (let length = 0; length < 70; length++) {
      const bytes = rng.bytes(length);
      expect(sent(fcsOver(FCS_INIT, bytes, 0, length), 2)).toEqual(fcs16Oracle([...bytes]));
    }
  }));
