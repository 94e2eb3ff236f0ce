// Two links that agree on a faster line: every outcome of a trial, and every moment at which packets are lost.

import { describe, expect, spyOn, test } from "bun:test";
import { Framer } from "../../src/frame/framer.ts";
import { Ring } from "../../src/bytes/ring.ts";
import type { SpeedChange } from "../../src/link/line-speed.ts";
import { Rng, withRng } from "../kit/rng.ts";
import { ALL, SpeedLine, type SpeedLineOptions } from "../kit/speed-line.ts";

const FIRST = 115200;
const TOP = ALL.at(-1)!;

function upLine(seed: number, options: SpeedLineOptions = {}): SpeedLine {
  const line = new SpeedLine(new Rng(seed), options);
  line.open();
  return line;
}

function answerIf(isAble: boolean): SpeedChange {
  return isAble ? "set" : "refused";
}

/** When both ends know of each other. */
const KNOWN_MS = 130;
/** A trial takes less time. */
const TRIAL_MS = 450;

/** Lets time pass until both ends have had this speed for longer than a trial takes. */
function expectBoth(line: SpeedLine, speed: number, within = 3000): void {
  let since: number | undefined;
  const isThere = line.run(() => {
    const isNow = line.isUp && line.speeds.every((one) => one === speed);
    since = isNow ? (since ?? line.now) : undefined;
    return since !== undefined && line.now - since >= TRIAL_MS;
  }, within + TRIAL_MS);
  expect([isThere, line.speeds, line.losses]).toEqual([true, [speed, speed], 0]);
}

/** Both ends have one speed and the link is there: what is sent now arrives. */
function expectSound(line: SpeedLine): void {
  expect(line.losses).toBe(0);
  expect(new Set(line.speeds).size).toBe(1);
  for (const { side } of line.ends) side.packets.length = 0;
  const before = line.ends.map(({ sent }) => sent);
  line.traffic(true);
  line.run(() => false, 100);
  line.traffic(false);
  line.run(() => line.ends.every(({ queue }) => queue.length === 0), 5000);
  line.run(() => false, 50);
  const came = line.ends.map(({ side }) => side.packets.length);
  expect(came.toReversed()).toEqual(line.ends.map(({ sent }, at) => sent - before[at]!));
}

describe("the highest speed that works", () => {
  test("both ends climb to it within three seconds of the first frame, and it is said", () => {
    const line = upLine(1);
    expectBoth(line, TOP);
    for (const { side } of line.ends)
      expect(side.lines).toContain(`The line has ${TOP} bits per second from now on, as agreed; it had ${FIRST}`);
    expectBoth(upLine(2, { able: [ALL, ALL.slice(0, 4)] }), 921600);
    expectBoth(upLine(3, { speed: 9600 }), TOP);
  });

  for (const clean of [FIRST, ...ALL])
    test(`on a line with errors above ${clean}, and no packet is lost`, () =>
      withRng((rng) => {
        const line = new SpeedLine(rng);
        line.cleanTo = clean;
        line.open();
        line.run(() => line.isUp, 1000);
        line.traffic(true);
        expectBoth(line, clean);
        line.run(() => false, 3000);
        expect(line.speeds).toEqual([clean, clean]);
        line.traffic(false);
        line.run(() => line.ends.every(({ queue }) => queue.length === 0), 60_000);
        line.run(() => false, 500);
        const [one, other] = line.ends;
        expect([one.side.packets.length, other.side.packets.length]).toEqual([other.sent, one.sent]);
        expect(line.losses).toBe(0);
      }));

  test("a speed that a port refuses is tried once, whichever end's port it is", () => {
    for (const side of [0, 1] as const)
      for (const seed of [1, 2, 3]) {
        const line = upLine(seed, { real: (one, speed) => answerIf(one !== side || speed <= 921600) });
        expectBoth(line, 921600);
        line.run(() => false, 100_000);
        const tries = line.ends.flatMap(({ side: { lines } }) => lines.filter((text) => text.startsWith("Tried")));
        expect(tries.filter((text) => text.startsWith(`Tried ${TOP} `)).length).toBeLessThanOrEqual(2);
        expectSound(line);
      }
  });

  test("a speed that was not tried, because flow control held the output up, is tried again", () => {
    for (const side of [0, 1] as const) {
      let left = 1;
      const line = upLine(1, { real: (one, speed) => (one === side && speed === TOP && left-- > 0 ? "stuck" : "set") });
      expectBoth(line, TOP, 300_000);
      expectSound(line);
    }
  });

  test("an end that hears that the other is back does not change its speed any more", () => {
    for (const side of [0, 1] as const) {
      const drainMs = [25, 25] as [number, number];
      drainMs[side] = 1;
      const line = upLine(2, { real: (one, speed) => answerIf(one !== side || speed !== TOP), drainMs });
      line.run(() => false, 400);
      const changes = line.ends[1 - side]!.changes;
      // The leader is the one that hears of it in time: the other end has just sent Ready.
      if (line.ends[side].side.lines.some((text) => text.includes("ready trial=1"))) expect(changes).not.toContain(TOP);
      expectBoth(line, 3_000_000, 5000);
      expectSound(line);
    }
  });

  test("octets of another speed are no lost frames for header compression", () => {
    const line = upLine(3);
    line.cleanTo = FIRST;
    const lost = line.ends.map(({ side }) => spyOn(side.link.networks.datapath, "frameLost"));
    line.run(() => line.isUp, 1000);
    line.traffic(true);
    const worst = [0, 0];
    line.run(() => {
      for (const [at, { side }] of line.ends.entries())
        worst[at] = Math.max(worst[at]!, side.link.deframer.stats.badFcs);
      return false;
    }, 2000);
    expect(line.ends.flatMap(({ changes }) => changes).length).toBeGreaterThan(8);
    for (const spy of lost) expect(spy).not.toHaveBeenCalled();
    for (const count of worst) expect(count).toBeGreaterThan(0);
    // The octets of trials are in no counter that is shown.
    for (const { side } of line.ends)
      expect(side.link.deframer.stats).toMatchObject({ badFcs: 0, runts: 0, overlong: 0, aborted: 0, faults: 0 });
  });

  test("a trial holds packets up for less than half a second", () => {
    for (const clean of [FIRST, ...ALL]) {
      const line = upLine(7);
      line.cleanTo = clean;
      line.run(() => line.isUp, 1000);
      // A packet every 5 ms is more than the line can take at first.
      line.traffic(true);
      line.run(() => false, 2000);
      for (const { waitedMs } of line.ends) expect(waitedMs).toBeLessThan(500);
    }
  });
});

describe("an end without climb", () => {
  test("gets one packet for each opening of LCP, rejects it, and is left alone", () => {
    const line = upLine(4, { climbs: [true, false] });
    line.run(() => false, 60_000);
    const [climbing, other] = line.ends;
    const sent = climbing.side.lines.filter((text) => text.startsWith("sent [LCP Climb"));
    expect(sent).toHaveLength(1);
    expect(climbing.side.lines.filter((text) => /Rcvd Code-Reject/.test(text))).toEqual([]);
    expect(climbing.side.lines).toContain("The other end cannot change the speed of the line");
    expect(other.side.lines.filter((text) => text.startsWith("sent [LCP CodeRej"))).toHaveLength(1);
    expect([line.speeds, line.losses]).toEqual([[FIRST, FIRST], 0]);
  });

  test("that says nothing to such packets gets no second one", () => {
    const line = upLine(4, { climbs: [true, false] });
    line.loses = (side, _, bytes) => side === 1 && bytes.length > 40 && line.isUp;
    line.run(() => false, 60_000);
    expect(line.ends[0].side.lines.filter((text) => text.startsWith("sent [LCP Climb"))).toHaveLength(1);
  });

  test("other Code-Rejects are logged as before, and one of code 0 when none was sent", () => {
    const codeReject = (code: number): Uint8Array =>
      frame(Uint8Array.of(0xff, 3, 0xc0, 0x21, 7, 9, 0, 8, code, 5, 0, 4));
    for (const [climbs, code] of [
      [true, 12],
      [false, 0],
    ] as const) {
      const line = upLine(4, { climbs: [climbs, false] });
      line.run(() => false, 3000);
      const [{ side }] = line.ends;
      side.take(codeReject(code), line.now);
      expect(side.lines).toContain(`LCP: Rcvd Code-Reject for code ${code}, id 5`);
    }
  });
});

describe("lost packets", () => {
  /** The frames from one end until it has the highest speed. */
  const FRAMES = 45;

  test.each([0, 1] as const)("any one from end %i: no link is lost, and both ends meet at the highest speed", (end) => {
    for (let lost = 4; lost < FRAMES; lost++) {
      const line = upLine(5);
      line.loses = (side, number) => side === end && number === lost;
      expectBoth(line, TOP, 20_000);
      line.loses = () => false;
      expectSound(line);
    }
  });

  test("a line that is cut for a while, at any later moment", () => {
    for (const cutMs of [30, 150, 400, 1000])
      for (let at = KNOWN_MS; at < 400; at += 9) {
        const line = upLine(6);
        line.after(at, () => (line.isCut = true));
        line.after(at + cutMs, () => (line.isCut = false));
        line.run(() => false, at + cutMs + 6000);
        expect([cutMs, at, ...line.speeds, line.losses]).toEqual([cutMs, at, line.speeds[0]!, line.speeds[0]!, 0]);
        expectBoth(line, TOP, 100_000);
        expectSound(line);
      }
  });

  test("one direction that is cut for a while", () => {
    for (const end of [0, 1])
      for (let at = KNOWN_MS; at < 400; at += 13) {
        const line = upLine(6);
        let isCut = false;
        line.loses = (side) => side === end && isCut;
        line.after(at, () => (isCut = true));
        line.after(at + 700, () => (isCut = false));
        line.run(() => false, at + 6700);
        expect([end, at, ...line.speeds, line.losses]).toEqual([end, at, line.speeds[0]!, line.speeds[0]!, 0]);
        expectBoth(line, TOP, 100_000);
        expectSound(line);
      }
  });
});

test.each([false, true])(
  "an end that has stayed alone returns too, where octets of any speed are heard: %p",
  (ignoresSpeed) => {
    // The end of a trial that passes.
    const ended = upLine(6);
    ended.run(() => ended.ends[0].side.lines.some((text) => text.startsWith("The line has")), 1000);
    let alone = 0;
    for (const end of [0, 1] as const)
      for (let at = ended.now - 8; at < ended.now + 2; at += 0.25) {
        const line = upLine(6);
        line.ignoresSpeed = ignoresSpeed;
        let isCut = false;
        line.loses = (side) => side === end && isCut;
        line.after(at, () => (isCut = true));
        line.after(at + 700, () => (isCut = false));
        line.run(() => false, at + 650);
        if (line.speeds[0] !== line.speeds[1]) alone++;
        line.run(() => false, 5000);
        expect([end, at, line.speeds[0]]).toEqual([end, at, line.speeds[1]]);
        expectBoth(line, TOP, 100_000);
        expectSound(line);
      }
    // Where the other end is heard, it need not be missed first.
    expect(alone > 0).toBe(!ignoresSpeed);
  },
);

describe("after the climb", () => {
  test("an idle line stays at its speed, with a question now and then", () => {
    const line = upLine(8);
    expectBoth(line, TOP);
    const before = line.frames[0]! + line.frames[1]!;
    line.run(() => false, 60_000);
    expect([line.speeds, line.losses]).toEqual([[TOP, TOP], 0]);
    expect(line.frames[0]! + line.frames[1]! - before).toBeLessThan(200);
  });

  test("an end that hears nothing more returns to the first speed, and climbs again when the other is there", () => {
    const line = upLine(9);
    expectBoth(line, TOP);
    line.run(() => false, 10_000);
    line.isCut = true;
    line.run(() => line.speeds.every((speed) => speed === FIRST), 4000);
    expect(line.speeds).toEqual([FIRST, FIRST]);
    line.run(() => false, 2000);
    line.isCut = false;
    expectBoth(line, TOP, 10_000);
    expectSound(line);
  });

  test("a peer that begins anew at the first speed is heard", () => {
    const line = upLine(10);
    expectBoth(line, TOP);
    line.run(() => false, 10_000);
    const [, other] = line.ends;
    other.side.link.hangup(line.now);
    other.side.link.open(line.now);
    other.speed = FIRST;
    const began = line.now;
    expect(line.run(() => line.isUp && line.speeds.every((speed) => speed === TOP), 20_000)).toBe(true);
    expect(line.now - began).toBeLessThan(10_000);
  });

  test("rising errors step down, and the link stays", () => {
    const line = upLine(11);
    expectBoth(line, TOP);
    line.traffic(true);
    line.run(() => false, 2000);
    line.errors = 0.0005;
    line.cleanTo = 1_000_000;
    expectBoth(line, 921600, 60_000);
    line.run(() => false, 5000);
    expect([line.speeds, line.losses]).toEqual([[921600, 921600], 0]);
  });

  test("damage at every speed ends at the first one", () => {
    const line = upLine(12);
    expectBoth(line, TOP);
    line.cleanTo = FIRST;
    line.errors = 0.2;
    expectBoth(line, FIRST, 10_000);
  });
});

function frame(packet: Uint8Array): Uint8Array {
  const ring = new Ring(new Uint8Array(1024));
  const buf = new Uint8Array(packet.length + 8);
  buf.set(packet);
  new Framer(ring).write(buf, 0, packet.length, true, 0);
  return ring.bytes.slice(0, ring.length);
}

test("a peer that asks for senseless things does no harm", () =>
  withRng((rng) => {
    const line = new SpeedLine(rng);
    line.open();
    line.run(() => line.isUp, 1000);
    const [end] = line.ends;
    for (let round = 0; round < 3000; round++) {
      const kind = rng.below(12);
      const length = rng.below(24);
      const packet = Uint8Array.of(
        0xff,
        3,
        0xc0,
        0x21,
        0,
        rng.below(256),
        0,
        12 + length,
        1,
        2,
        3,
        4,
        0x4e,
        0x55,
        0x4c,
        kind,
      );
      end.side.take(frame(Uint8Array.of(...packet, ...rng.bytes(length))), line.now);
      line.run(() => false, rng.below(50));
    }
    line.run(() => false, 30_000);
    expect(line.losses).toBe(0);
    expect(line.speeds[0]).toBe(line.speeds[1]!);
    expect(line.ends[0].side.lines.filter((text) => text.includes("fault in this program"))).toEqual([]);
  }));
