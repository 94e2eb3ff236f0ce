// The search for the speed of a caller, with a port that is a list of what it was asked.

import { expect, test } from "bun:test";
import { bytesOf } from "../../src/bytes/text.ts";
import { questionFrame } from "../../src/front/question.ts";
import { candidates, dwellMs } from "../../src/front/speeds.ts";
import { SpeedSearch } from "../../src/front/speed-search.ts";

const QUESTION = questionFrame(1);
const SPEEDS = [115200, 57600, 38400];
/** What no text and no slower sender looks like. */
const DAMAGE = [0x81, 0xa5, 0x92, 0xd5, 0xb6, 0xcb];
/** Other damage for each number. */
const damage = (nth: number): number[] => DAMAGE.map((octet) => octet ^ (1 + (nth % 63)));

function search(speeds: readonly number[] = SPEEDS): SpeedSearch {
  const one = new SpeedSearch({ speeds, question: QUESTION });
  one.tuned(0);
  return one;
}

function hears(one: SpeedSearch, octets: Iterable<number>, now: number): void {
  for (const octet of octets) one.octet(octet, now);
}

/** Lets the search go on by itself until it waits for octets. Returns the speeds that it had and whether it asked there. */
function speedsOf(one: SpeedSearch, now: number): (readonly [speed: number, asked: boolean])[] {
  const found: [number, boolean][] = [];
  for (let step = 0; step < 50; step++) {
    if (one.wants !== undefined) {
      const { speed } = one;
      one.tuned(now);
      found.push([speed, one.takeWords() !== undefined]);
    }
    const next = one.nextTimeout();
    if (next === Infinity) return found;
    now = next;
    one.handleTimeout(now);
  }
  throw new Error("it does not come to rest");
}

test("it waits at the first speed, and fewer than three octets of damage change nothing", () => {
  const one = new SpeedSearch({ speeds: SPEEDS, question: QUESTION });
  expect([one.wants, one.speed, one.nextTimeout()]).toEqual([115200, 115200, Infinity]);
  one.tuned(5);
  expect([one.wants, one.nextTimeout(), one.takeWords()]).toEqual([undefined, Infinity, undefined]);
  hears(one, DAMAGE.slice(0, 2), 10);
  expect([one.nextTimeout(), one.takeDamage()]).toEqual([Infinity, false]);
  hears(one, DAMAGE.slice(2, 3), 10);
  expect(one.nextTimeout()).toBe(610);
});

test("after damage it asks at each other speed once, and then waits at the next one", () => {
  const one = search();
  hears(one, DAMAGE, 100);
  expect(one.nextTimeout()).toBe(700);
  one.handleTimeout(699);
  expect([one.wants, one.takeDamage()]).toEqual([undefined, false]);
  one.handleTimeout(700);
  expect([one.takeDamage(), one.takeDamage()]).toEqual([true, false]);
  expect(speedsOf(one, 700)).toEqual([
    [57600, true],
    [38400, true],
    [57600, false],
  ]);
  // From the last speed it goes on to the first.
  hears(one, DAMAGE, 10_000);
  one.handleTimeout(10_600);
  expect(speedsOf(one, 10_600)).toEqual([
    [115200, true],
    [38400, true],
    [38400, false],
  ]);
  hears(one, DAMAGE, 20_000);
  one.handleTimeout(20_600);
  expect(speedsOf(one, 20_600).at(-1)).toEqual([115200, false]);
});

test("a caller who goes on sending is waited for, but no longer than 4.5 seconds", () => {
  const one = search();
  for (let now = 0; now < 4400; now += 400) hears(one, damage(now), now);
  expect(one.nextTimeout()).toBe(4500);
});

test("a caller who sends the same four times is looked for at once; one who comes back between others is not", () => {
  const same = search();
  for (const now of [0, 70, 210]) hears(same, DAMAGE, now);
  expect(same.nextTimeout()).toBe(810);
  // A port may hear an octet otherwise, and octets come in pieces.
  hears(same, DAMAGE.slice(0, 2), 410);
  hears(same, [0x77, ...DAMAGE.slice(3)], 420);
  expect(same.nextTimeout()).toBeCloseTo(420 + 30 + 200 / 115.2, 6);
  same.handleTimeout(460);
  expect([same.wants, same.takeDamage()]).toEqual([57600, true]);
  const tour = search();
  for (let now = 0; now < 1200; now += 400) {
    hears(tour, DAMAGE, now);
    hears(tour, damage(now), now + 120);
    hears(tour, damage(now + 1), now + 280);
  }
  expect(tour.nextTimeout()).toBe(1080 + 600);
});

test("bursts of different lengths are not the same, though all their octets are", () => {
  const one = search();
  for (const [nth, length] of [10, 20, 40, 60, 90].entries())
    hears(
      one,
      Array.from({ length }, () => 0),
      nth * 100,
    );
  expect(one.nextTimeout()).toBe(1000);
});

test("a frame that has begun when the time is over is heard to its end; and a caller who is understood stops a change", () => {
  const one = search();
  for (let now = 0; now <= 4490; now += 10) hears(one, DAMAGE, now);
  expect(one.nextTimeout()).toBeCloseTo(4490 + 30 + 200 / 115.2, 6);
  one.handleTimeout(4530);
  expect(one.wants).toBe(57600);
  one.understood();
  expect([one.wants, one.speed, one.nextTimeout()]).toEqual([undefined, 115200, Infinity]);
});

test("at the end of what the port hears, text ends the search, and damage does not", () => {
  const one = search();
  hears(one, DAMAGE, 0);
  one.handleTimeout(600);
  one.tuned(600);
  expect(one.nextTimeout()).toBe(600 + dwellMs(57600));
  hears(one, bytesOf("login: "), 650);
  const pause = 30 + 200_000 / 57600;
  expect(one.nextTimeout()).toBeCloseTo(Math.max(600 + dwellMs(57600), 650 + pause), 6);
  one.handleTimeout(one.nextTimeout());
  expect([one.wants, one.speed, one.nextTimeout()]).toEqual([undefined, 57600, Infinity]);
  // The speed is home from now on: after damage it is asked for last.
  hears(one, DAMAGE, 5000);
  one.handleTimeout(5600);
  expect(speedsOf(one, 5600)).toEqual([
    [115200, true],
    [38400, true],
    [38400, false],
  ]);
});

test("what does not stop at a speed is left after a second and a half", () => {
  const one = search();
  hears(one, DAMAGE, 0);
  one.handleTimeout(600);
  one.tuned(600);
  const most = 600 + dwellMs(57600) + 1500;
  for (let now = 610; now < most; now += 20) hears(one, DAMAGE, now);
  expect(one.nextTimeout()).toBeCloseTo(most, 6);
});

test("a speed that the port cannot have is left out from then on", () => {
  const one = new SpeedSearch({ speeds: SPEEDS, question: QUESTION });
  one.cannotTune();
  expect([one.wants, one.speed]).toEqual([57600, 57600]);
  one.tuned(0);
  hears(one, DAMAGE, 0);
  one.handleTimeout(600);
  expect(speedsOf(one, 600)).toEqual([
    [38400, true],
    [38400, false],
  ]);
  const single = new SpeedSearch({ speeds: [9600], question: QUESTION });
  single.cannotTune();
  expect(single.wants).toBeUndefined();
});

test("the speeds that are known come first, each once", () => {
  expect(candidates([4800, 0, 115200]).slice(0, 4)).toEqual([4800, 115200, 57600, 38400]);
  expect(new Set(candidates([4800])).size).toBe(candidates([]).length);
  expect([dwellMs(115200), dwellMs(1200)]).toEqual([110 + 900_000 / 115200, 860]);
});

test("a port that takes none of the speeds is left as it is, whatever comes", () => {
  const one = new SpeedSearch({ speeds: SPEEDS, question: QUESTION });
  for (let tries = 0; tries < SPEEDS.length; tries++) one.cannotTune();
  for (const now of [100, 20_000, 40_000]) {
    hears(one, [...DAMAGE, ...DAMAGE], now);
    expect([one.wants, one.nextTimeout()]).toEqual([undefined, Infinity]);
    one.handleTimeout(now + 9000);
  }
  expect(one.wants).toBeUndefined();
});
