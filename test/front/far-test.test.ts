// Two doctors on a simulated cable: all wires and speeds, damage, ends that are missing, and octets that are eaten.

import { expect, test } from "bun:test";
import { FarLine, lostIn, SpeedState } from "../../src/front/far-report.ts";
import { FULL_WIRING, runPair, SPEEDS } from "./far-pair.ts";

const { CTS, DSR, CD } = FarLine;

test("on a good cable each speed is good both ways, each wire is seen, and both ends have the same table", () => {
  const { our, peer, tookMs } = runPair();
  expect([our.outcome, peer.outcome]).toEqual(["done", "done"]);
  expect(our.rows.map(({ speed, state }) => [speed, state])).toEqual(SPEEDS.map((speed) => [speed, 0]));
  for (const { out, back, speed } of our.rows) {
    expect([speed, out.good, back.good]).toEqual([speed, out.sent, back.sent]);
    for (const { rate } of [out, back]) {
      expect(rate).toBeGreaterThan(0.8 * (speed / 10));
      expect(rate).toBeLessThan(1.2 * (speed / 10));
    }
    expect([lostIn(out), lostIn(back)]).toEqual([[], []]);
  }
  const all = { our: CTS | DSR | CD, peer: CTS | DSR | CD };
  expect(our.wires).toEqual({
    weDrive: [all, { ...all, peer: CTS }, { ...all, peer: DSR | CD }],
    peerDrives: [all, { ...all, our: CTS }, { ...all, our: DSR | CD }],
  });
  expect(peer.rows).toEqual(our.rows.map((row) => ({ ...row, out: row.back, back: row.out })));
  expect(peer.wires?.weDrive).toEqual(our.wires!.peerDrives.map(({ our: a, peer: b }) => ({ our: b, peer: a })));
  expect([our.speed, peer.speed]).toEqual([9600, 9600]);
  expect(tookMs).toBeLessThan(60_000);
});

test("ports without modem lines have no wires in the report", () => {
  const { our, peer } = runPair({ wiring: undefined });
  expect([our.outcome, our.wires, peer.wires]).toEqual(["done", undefined, undefined]);
});

test("a speed that a port cannot do is refused at the right end", () => {
  const { our, peer } = runPair({ speeds: [SPEEDS.slice(0, 8), SPEEDS.slice(2)] });
  const states = ({ rows }: typeof our): number[] => rows.map(({ state }) => state);
  const { Tested: T, RefusedHere: H, RefusedThere: R } = SpeedState;
  expect(states(our)).toEqual([R, R, T, T, T, T, T, T, H, H, H]);
  expect(states(peer)).toEqual([H, H, T, T, T, T, T, T, R, R, R]);
});

test("speeds at which octets are lost have fewer good blocks, and the others are good", () => {
  const { our } = runPair({ dropsAt: (speed) => (speed > 57600 ? 0.003 : 0) });
  expect(our.outcome).toBe("done");
  for (const { speed, out, back } of our.rows)
    for (const { good, sent } of [out, back])
      if (speed > 57600) expect(good).toBeLessThan(sent);
      else expect(good).toBe(sent);
});

test("a speed at which nothing arrives: no contact, and the test goes on", () => {
  const { our, peer } = runPair({ dropsAt: (speed) => (speed === 115200 ? 1 : 0) });
  expect([our.outcome, peer.outcome]).toEqual(["done", "done"]);
  for (const { rows } of [our, peer])
    expect(rows.filter(({ state }) => state !== SpeedState.Tested).map(({ speed, state }) => [speed, state])).toEqual([
      [115200, SpeedState.NoContact],
    ]);
});

test("either end may start much later, and one that is alone says so", () => {
  expect(runPair({ startsAt: 12_345 }).our.outcome).toBe("done");
  expect(runPair({ startsAt: Infinity }).our.outcome).toBe("absent");
});

test("an end that disappears in the middle is noticed at any moment", () => {
  for (let stopsAt = 1000; stopsAt < 22_000; stopsAt += 2777)
    expect([stopsAt, runPair({ stopsAt, seed: stopsAt }).our.outcome]).toEqual([stopsAt, "lost"]);
});

test("XON and XOFF that are eaten, and bit 7 that is cleared, are in the report", () => {
  const eaten = runPair({ octet: (octet) => (octet === 0x11 || octet === 0x13 ? undefined : octet) }).our;
  expect(eaten.outcome).toBe("done");
  expect(new Set(eaten.rows.map(({ back }) => String(lostIn(back))))).toEqual(new Set(["17,19"]));
  const stripped = runPair({ octet: (octet) => octet & 0x7f }).our;
  expect(stripped.outcome).toBe("done");
  for (const { out } of stripped.rows) expect(lostIn(out).every((octet) => octet >= 0x80)).toBe(true);
});

test("damage of every kind ends in an outcome, and both ends go back to the first speed", () => {
  for (let seed = 1; seed <= 4; seed++) {
    const { our, peer } = runPair({ seed, bitErrors: seed % 2 === 0 ? 1e-3 : 1e-4, dropsAt: () => seed / 1000 });
    expect(our.outcome).toBeDefined();
    expect(peer.outcome).toBeDefined();
    expect([our.speed, peer.speed]).toEqual([9600, 9600]);
  }
});

test("a missing wire shows in the readings", () => {
  const { our } = runPair({ wiring: (peer) => FULL_WIRING(peer) & ~CD });
  expect(our.wires!.weDrive[0]!.peer & CD).toBe(0);
});
