import { expect, test } from "bun:test";
import { BusyWatch } from "../../../src/run/packets/busy-watch.ts";

const load = (rate: number, octetsOut: number) => ({ rate, gain: 1, octetsOut });

test("a line is busy when it has carried half of what it can for 300 ms, and stays so until the next link", () => {
  const watch = new BusyWatch();
  watch.restart(load(115200, 1000), 0);
  // 576 octets in 100 ms are half of 115200 bits a second.
  expect(watch.hasBeenBusy(load(115200, 2000), 100)).toBe(false);
  expect(watch.hasBeenBusy(load(115200, 1000 + 1728), 300)).toBe(false);
  expect(watch.hasBeenBusy(load(115200, 2728 + 1729), 600)).toBe(true);
  expect(watch.hasBeenBusy(load(115200, 4457), 6000)).toBe(true);
  watch.restart(load(115200, 4457), 7000);
  expect(watch.hasBeenBusy(load(115200, 4457), 8000)).toBe(false);
});

test("a line whose speed is not known counts as one of 2 Mbit/s", () => {
  const watch = new BusyWatch();
  watch.restart(load(0, 0), 0);
  expect(watch.hasBeenBusy(load(0, 99_000), 1000)).toBe(false);
  expect(watch.hasBeenBusy(load(0, 99_000 + 101_000), 2000)).toBe(true);
});
