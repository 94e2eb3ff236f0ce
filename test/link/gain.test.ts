import { expect, test } from "bun:test";
import { Gain } from "../../src/link/gain.ts";

test("the ratio follows the compression of the last dozen packets, and is 1 to 4", () => {
  const gain = new Gain();
  expect(gain.ratio).toBe(1);
  const after = (packets: number, octets: number, left: number): number => {
    for (let packet = 0; packet < packets; packet++) gain.count(octets, left);
    return gain.ratio;
  };
  expect(after(4, 1500, 500)).toBeCloseTo(3);
  expect(after(12, 1500, 1500)).toBeLessThan(1.6);
  expect(after(30, 1500, 1510)).toBe(1);
  expect(after(30, 1500, 20)).toBe(4);
  // Small packets among large ones count by their size.
  expect(after(30, 1500, 750)).toBeCloseTo(2, 1);
  expect(after(3, 40, 4)).toBeCloseTo(2, 1);
});
