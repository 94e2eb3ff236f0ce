// The order in which a caller tries the speeds.

import { expect, test } from "bun:test";
import { dwellMs } from "../../src/front/speeds.ts";
import { SpeedTour } from "../../src/front/speed-tour.ts";

const SPEEDS = [115200, 57600, 38400, 19200];
/** What no slower sender looks like. */
const DAMAGE = [0x81, 0xa5, 0x92, 0xd5, 0xb6];

/** The next speeds, each for its time. At a speed of `damaged`, damage is heard. */
function speedsOf(tour: SpeedTour, count: number, damaged: readonly number[] = []): number[] {
  let now = 0;
  return Array.from({ length: count }, () => {
    const { speed } = tour;
    if (damaged.includes(speed)) tour.heardDamage(DAMAGE);
    now += tour.dwellMs;
    tour.next(now);
    return speed;
  });
}

test("each speed has its turn, the likeliest every half second", () => {
  const once = speedsOf(new SpeedTour(SPEEDS), 9);
  expect(once).toEqual([115200, 57600, 38400, 19200, 57600, 115200, 38400, 19200, 57600]);
});

test("damage leads back to the last speed and to the present one, with more time", () => {
  const tour = new SpeedTour(SPEEDS);
  tour.next(100);
  tour.heardDamage(DAMAGE);
  tour.next(250);
  expect([tour.speed, tour.dwellMs]).toEqual([115200, 3 * dwellMs(115200)]);
  tour.next(600);
  expect([tour.speed, tour.dwellMs]).toEqual([57600, 3 * dwellMs(57600)]);
  tour.next(1000);
  expect([tour.speed, tour.dwellMs]).toEqual([38400, dwellMs(38400)]);
});

test("whoever sends by himself is heard everywhere, and delays a round of the tour only once", () => {
  const all = speedsOf(new SpeedTour(SPEEDS), 12, SPEEDS);
  // The first detour is for the first speed alone: there was none before it.
  expect(all).toEqual([115200, 115200, 57600, 115200, 57600, 38400, 115200, 19200, 57600, 19200, 57600, 115200]);
});
