// When our Configure-Request is sent again, and what counts as an answer to it.

import { expect, test } from "bun:test";
import { toHex } from "../../src/bytes/text.ts";
import type { Dialect, Limits, Lower } from "../../src/control/dialect.ts";
import { OwnRequest } from "../../src/control/own-request.ts";
import type { Control } from "../../src/wire/control.ts";

const LIMITS: Limits = {
  restartMs: 3000,
  maxConfigure: 10,
  maxTerminate: 2,
  maxFailure: 10,
  firstMs: 60,
  patienceMs: 60,
};
const MRU = { type: 1, value: Uint8Array.of(5, 220) };
const MAGIC = { type: 5, value: Uint8Array.of(1, 2, 3, 4) };

/** A request with the identifier 9 that was sent at 1000. */
function begun(limits = LIMITS) {
  const seen = { sent: [] as string[], deadline: Infinity, roundTrips: [] as number[], isText: false };
  const lower: Lower = {
    send(_, write) {
      const buf = new Uint8Array(100);
      seen.sent.push(toHex(buf, 0, write(buf, 0)));
    },
    roundTrip: (milliseconds) => void seen.roundTrips.push(milliseconds),
    log: () => {},
    isTextHeard: () => seen.isText,
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

/** Lets the timers run out until this time. Returns when the request was repeated, and when the restart timer ended. */
function times({ own, seen }: ReturnType<typeof begun>, end: number): { repeated: number[]; due: number[] } {
  const all = { repeated: [] as number[], due: [] as number[] };
  while (seen.deadline <= end) {
    const now = seen.deadline;
    const before = seen.sent.length;
    if (!own.repeats(now)) {
      all.due.push(now);
      own.send(now);
    } else if (seen.sent.length > before) all.repeated.push(now);
  }
  return all;
}

test("a request is sent at once, and again after the first time, twice the time, and so on up to the restart timer", () => {
  const own = begun();
  expect(own.seen.sent).toEqual(["0109000e010405dc050601020304"]);
  const { repeated, due } = times(own, 20_000);
  expect(repeated).toEqual([1060, 1180, 1420, 1900, 2860]);
  expect(due).toEqual([4000, 7000, 10_000, 13_000, 16_000, 19_000]);
  expect(new Set(own.seen.sent).size).toBe(1);
});

test("while nothing is heard, the time grows to a limit for five seconds, and then to the restart timer", () => {
  const { repeated, due } = times(begun({ ...LIMITS, eagerMs: 200 }), 20_000);
  expect(repeated.slice(0, 5)).toEqual([1060, 1180, 1380, 1580, 1780]);
  const all = [1000, ...repeated, ...due].sort((one, other) => one - other);
  const gaps = all.slice(1).map((at, nth) => at - all[nth]!);
  expect(Math.max(...gaps.filter((_, nth) => all[nth]! < 6000))).toBe(200);
  expect(repeated.filter((at) => at > 6000)).toEqual([6400, 8600]);
  expect(due).toEqual([4000, 7000, 10_000, 13_000, 16_000, 19_000]);
});

test("a limit that is below the first time does not shorten it; a restart timer that is below it is the only one", () => {
  expect(times(begun({ ...LIMITS, firstMs: 560, eagerMs: 200 }), 3000).repeated).toEqual([1560, 2120, 2680]);
  expect(times(begun({ ...LIMITS, restartMs: 60 }), 1200)).toEqual({ repeated: [], due: [1060, 1120, 1180] });
});

test("text, or our own requests, leave only the restart timer", () => {
  const own = begun({ ...LIMITS, eagerMs: 200 });
  expect(times(own, 1400).repeated).toEqual([1060, 1180, 1380]);
  own.seen.isText = true;
  expect(times(own, 11_000)).toEqual({ repeated: [], due: [4000, 7000, 10_000] });
});

test("when the peer is first heard, a request that it would have answered is repeated at once, and a younger one later", () => {
  for (const [times, now, sent, deadline] of [
    [{}, 1000, 1, 1050],
    [{}, 1050, 1, 1650],
    [{}, 1051, 2, 1101],
    [{ hurryMs: 100 }, 1050, 1, 1150],
    [{ unheardMs: 200 }, 1200, 1, 1800],
    [{ unheardMs: 200 }, 1201, 2, 1251],
    [{ unheardMs: 200 }, 3980, 2, 4000],
  ] as const) {
    const { own, seen } = begun({ ...LIMITS, firstMs: 50, patienceMs: 600, ...times });
    own.peerHeard(now);
    expect([times, now, seen.sent.length, seen.deadline]).toEqual([times, now, sent, deadline]);
  }
});

test("after our Ack the peer may be open, and a repetition waits until it would have answered", () => {
  const own = begun({ ...LIMITS, patienceMs: 500 });
  own.own.peerHeard(1070);
  expect(own.seen.sent).toHaveLength(2);
  own.own.answerSent(false, 1070);
  expect(times(own, 1300).repeated).toEqual([1130, 1250]);
  own.own.answerSent(true, 1300);
  expect(times(own, 4000)).toEqual({ repeated: [1800, 2800], due: [4000] });
  own.own.begin(10, 5000);
  expect(times(own, 7000).repeated).toEqual([5500, 6500]);
  // We do not agree to the peer's next request. Only a new Ack lets it open.
  own.own.answerSent(false, 7000);
  own.own.begin(11, 7000);
  expect(times(own, 7100).repeated).toEqual([7060]);
});

test("a young request that may have been lost is repeated once before that", () => {
  const own = begun({ ...LIMITS, patienceMs: 500, hurryMs: 120 });
  own.own.peerHeard(1010);
  own.own.answerSent(true, 1010);
  expect(times(own, 4000)).toEqual({ repeated: [1130, 1630, 2630], due: [4000] });
});

test("a peer that was heard is not asked eagerly; one below that is up again counts as silent", () => {
  const own = begun({ ...LIMITS, eagerMs: 200 });
  own.own.peerHeard(1061);
  expect(times(own, 4000).repeated).toEqual([1121, 1241, 1481, 1961, 2921]);
  own.own.answerSent(true, 4000);
  own.own.lowerUp();
  own.own.begin(11, 9000);
  expect(times(own, 9600).repeated).toEqual([9060, 9180, 9380, 9580]);
});

test("after an answer, and after an insisting one, only the restart timer repeats the request", () => {
  const answered = begun();
  answered.own.repeats(1060);
  answered.own.settle();
  expect([answered.seen.deadline, answered.own.answered]).toEqual([4060, true]);
  expect(times(answered, 8000)).toEqual({ repeated: [], due: [4060, 7060] });
  const insisting = begun();
  insisting.own.slowDown();
  expect(times(insisting, 8000)).toEqual({ repeated: [], due: [4000, 7000] });
});

test("when no request is under way, the timer is another's", () => {
  const { own, seen } = begun();
  own.stop();
  expect([own.repeats(1001), seen.sent.length]).toEqual([false, 1]);
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
