import { expect, test } from "bun:test";
import { Pacer } from "../../../src/run/loop/pacer.ts";

const OCTETS_A_MS = 11.52; // 115200, 8N1

test("at 115200 the next packet is taken six milliseconds before the line runs dry", () => {
  const pacer = new Pacer(115200);
  expect(pacer.hungry(0, 0, 0)).toBe(true);
  pacer.wrote(1500, 0);
  const dryAt = 1500 / OCTETS_A_MS;
  expect(pacer.hungry(0, 0, 0)).toBe(false);
  const wait = pacer.wait(0, 0, 0);
  expect(dryAt - wait).toBeCloseTo(6, 1);
  expect(pacer.hungry(0, 0, wait - 0.1)).toBe(false);
  expect(pacer.hungry(0, 0, wait + 0.1)).toBe(true);
});

test("the time that a line was idle does not count", () => {
  const pacer = new Pacer(115200);
  pacer.wrote(1500, 0);
  expect(pacer.hungry(0, 0, 10_000)).toBe(true);
  pacer.starves();
  pacer.wrote(1500, 10_000);
  expect(pacer.wait(0, 0, 10_000)).toBeCloseTo(1500 / OCTETS_A_MS - 6, 1);
});

/** A minute of upload whose owner wakes so late each time. Returns how long the line was dry, and for how long the last packets came early. */
function upload(pacer: Pacer, late: (packet: number) => number): { dryMs: number; aheadMs: number } {
  let dryMs = 0;
  let aheadMs = 0;
  let doneAt = 0;
  for (let now = 0, packet = 0; now < 60_000; packet++) {
    expect(pacer.hungry(0, 0, now)).toBe(true);
    if (packet > 0) dryMs += Math.max(0, now - doneAt);
    aheadMs = doneAt - now;
    pacer.wrote(231, now);
    doneAt = Math.max(doneAt, now) + 231 / OCTETS_A_MS;
    now += pacer.wait(0, 0, now) + late(packet);
  }
  return { dryMs, aheadMs };
}

test("an owner that wakes in time gets packets later, so that a ping waits less, and one that wakes late gets them earlier", () => {
  const quick = upload(new Pacer(115200), () => 0.5);
  expect(quick.dryMs).toBe(0);
  expect(quick.aheadMs).toBeWithin(1, 2);
  const late = upload(new Pacer(115200), (packet) => (packet % 50 === 0 ? 9 : 0.5));
  expect(late.dryMs).toBeLessThan(60);
  const { aheadMs } = upload(new Pacer(115200), () => 30);
  expect(aheadMs).toBeLessThan(0);
});

test("a pause in which nothing is to be sent teaches nothing", () => {
  const pacer = new Pacer(115200);
  for (let now = 0; now < 20_000; now += 100) {
    pacer.starves();
    expect(pacer.hungry(0, 0, now)).toBe(true);
    pacer.wrote(100, now);
  }
  pacer.wrote(1500, 20_000);
  expect(1500 / OCTETS_A_MS - pacer.wait(0, 0, 20_000)).toBeCloseTo(6, 1);
});

test("over a minute of upload the line is never more than a packet ahead and never dry", () => {
  const pacer = new Pacer(115200);
  let now = 0;
  let sent = 0;
  while (now < 60_000) {
    if (pacer.hungry(0, 0, now)) {
      pacer.wrote(1500, now);
      sent += 1500;
    }
    const behind = sent - now * OCTETS_A_MS;
    expect(behind).toBeGreaterThan(0);
    expect(behind).toBeLessThan(1500 + 7 * OCTETS_A_MS);
    now += 1;
  }
});

test("the driver's count is used when it is larger, and ours is added in both cases", () => {
  const pacer = new Pacer(115200);
  expect(pacer.hungry(0, 4000, 0)).toBe(false);
  expect(pacer.wait(0, 4000, 0)).toBeCloseTo((4000 - 6 * OCTETS_A_MS) / OCTETS_A_MS, 1);
  expect(pacer.hungry(1500, 0, 0)).toBe(false);
});

test("a slow line still gets its next packet in time to be framed", () => {
  const pacer = new Pacer(300);
  pacer.wrote(100, 0);
  expect(pacer.hungry(0, 0, 0)).toBe(false);
  expect(pacer.hungry(0, 0, (100 - 15) / 0.03)).toBe(true);
});

test("an answer that comes sooner than the speed allows ends the pacing, a later one does not", () => {
  const pacer = new Pacer(115200);
  pacer.roundTrip(45, 8);
  expect(pacer.paced).toBe(true);
  pacer.roundTrip(45, 1);
  expect(pacer.paced).toBe(false);
  pacer.wrote(20_000, 0);
  expect(pacer.hungry(20_000, 0, 0)).toBe(true);
  expect(pacer.hungry(40_000, 0, 0)).toBe(false);
  expect(pacer.wait(40_000, 0, 0)).toBe(Infinity);
});

test("a line of unknown speed counts as fast until it delays what is written", () => {
  const pacer = new Pacer(0);
  expect(pacer.fast).toBe(true);
  expect(new Pacer(115200).fast).toBe(false);
  // A thousand octets a millisecond, and always full.
  for (let now = 0; now < 200; now += 10) {
    pacer.wrote(10_000, now);
    pacer.stalled(now);
  }
  expect(pacer.fast).toBe(false);
  // An idle hour does not make the line slow.
  pacer.wrote(4000, 3_600_000);
  for (let now = 3_600_000; now < 3_600_100; now++) pacer.wrote(4000, now);
  expect(pacer.fast).toBe(true);
});

test("a line that is not hungry always says how long to wait, also just at its limit", () => {
  // 9600: the limit is 16 octets, which a driver's count can equal.
  const pacer = new Pacer(9600);
  for (let driver = 0; driver < 200; driver++) expect(pacer.wait(0, driver, 0) > 0).toBe(!pacer.hungry(0, driver, 0));
});

test("a limit paces a faster line and one of unknown speed, and its end brings back what the line had", () => {
  for (const [speed, limit, limited] of [
    [115200, 1200, 12_000],
    [9600, 1200, 9600],
    [0, 1200, 12_000],
  ] as const) {
    const pacer = new Pacer(speed);
    pacer.limitTo(limit);
    expect([Math.round(pacer.speed), pacer.paced]).toEqual([limited, true]);
    pacer.setSpeed(speed);
    expect(Math.round(pacer.speed)).toBe(limited);
    pacer.limitTo(Infinity);
    expect([Math.round(pacer.speed), pacer.paced]).toEqual([speed, speed > 0]);
  }
});
