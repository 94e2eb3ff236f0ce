// When our Configure-Request is sent again, and what counts as an answer to it.

import { expect, test } from "bun:test";
import { toHex } from "../../src/bytes/text.ts";
import type { Dialect, Limits, Lower } from "../../src/control/dialect.ts";
import { OwnRequest } from "../../src/control/own-request.ts";
import type { Control } from "../../src/wire/control.ts";

const LIMITS: Limits = { restartMs: 3000, maxConfigure: 10, maxTerminate: 2, maxFailure: 10, patienceMs: 60 };
const MRU = { type: 1, value: Uint8Array.of(5, 220) };
const MAGIC = { type: 5, value: Uint8Array.of(1, 2, 3, 4) };

/** A request with the identifier 9 that was sent at 1000. */
function begun(limits = LIMITS) {
  const seen = { sent: [] as string[], deadline: Infinity, roundTrips: [] as number[] };
  const lower: Lower = {
    send(_, write) {
      const buf = new Uint8Array(100);
      seen.sent.push(toHex(buf, 0, write(buf, 0)));
    },
    roundTrip: (milliseconds) => void seen.roundTrips.push(milliseconds),
    log: () => {},
    wakeAt: (at) => void (seen.deadline = at),
  };
  const dialect: Dialect = {
    name: "TEST",
    protocol: 0xc021,
    reset: () => {},
    request: () => [MRU, MAGIC],
    judge: ({ options }) => ({ code: 2, options }),
    naked: () => {},
    rejected: () => {},
    up: () => {},
    down: () => {},
    finished: () => {},
  };
  const own = new OwnRequest(dialect, lower, limits);
  own.begin(9, 1000);
  return { own, seen };
}

const answer = (id: number): Control => ({ code: 2, id, length: 4, dataStart: 4, dataEnd: 4 });

test("a request is sent at once, and waits for the restart timer", () => {
  const { seen } = begun();
  expect(seen.sent).toEqual(["0109000e010405dc050601020304"]);
  expect(seen.deadline).toBe(4000);
});

test("when the peer is first heard, a request older than 200 ms is repeated at once, and a younger one after 60 ms", () => {
  for (const [now, sent, deadline, hurried] of [
    [1000, 1, 1060, true],
    [1200, 1, 1260, true],
    [1201, 2, 4201, false],
  ] as const) {
    const { own, seen } = begun();
    own.peerHeard(now);
    expect([now, seen.sent.length, seen.deadline, own.hurried]).toEqual([now, sent, deadline, hurried]);
  }
});

test("the restart timer stays when it ends before the 60 ms are over", () => {
  for (const [restartMs, deadline, hurried] of [
    [159, 1159, false],
    [160, 1160, false],
    [161, 1160, true],
  ] as const) {
    const { own, seen } = begun({ ...LIMITS, restartMs });
    own.peerHeard(1100);
    expect([restartMs, seen.deadline, own.hurried]).toEqual([restartMs, deadline, hurried]);
  }
});

test("an answer ends the hurry, and the restart time counts from the request", () => {
  const { own, seen } = begun();
  own.peerHeard(1010);
  own.settle();
  expect([seen.deadline, own.hurried, own.answered]).toEqual([4000, false, true]);
  const other = begun();
  other.own.settle();
  expect(other.seen.deadline).toBe(4000);
});

test("the round trip is measured only of a request that was sent once", () => {
  const { own, seen } = begun();
  own.acknowledged(1040);
  expect([seen.roundTrips, own.answered]).toEqual([[40], true]);
  own.send(2000);
  own.acknowledged(2100);
  expect(seen.roundTrips).toEqual([40]);
  own.begin(10, 3000);
  own.acknowledged(3007);
  expect(seen.roundTrips).toEqual([40, 7]);
});

test("an answer to another request, and a second answer, are stray; a repeated request may be answered again", () => {
  const { own } = begun();
  expect([own.isStray(answer(8)), own.isStray(answer(9))]).toEqual([true, false]);
  own.settle();
  expect(own.isStray(answer(9))).toBe(true);
  own.send(4000);
  expect(own.isStray(answer(9))).toBe(false);
});

test("a Reject names options of the request, each once", () => {
  const { own } = begun();
  const other = { type: 7, value: new Uint8Array(0) };
  expect(
    [[], [MRU], [MAGIC, MRU], [MRU, MRU], [other], [MRU, other]].map((options) => own.isRejectable(options)),
  ).toEqual([true, true, true, false, false, false]);
});
