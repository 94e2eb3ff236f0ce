import { expect, test } from "bun:test";
import { toHex } from "../../src/bytes/text.ts";
import { Echo, type EchoConfig } from "../../src/control/echo.ts";

function echo(config: Partial<EchoConfig>, isTimed = true) {
  const told = { sent: [] as Uint8Array[], rtts: [] as [number, number][], dead: [] as number[], wakeAt: Infinity };
  let packetsIn = 0;
  const made = new Echo(
    { intervalMs: 1000, failure: 0, adaptive: false, ...config },
    {
      sendEcho: (_id, data) => void told.sent.push(data),
      packetsIn: () => packetsIn,
      peerDead: (unanswered) => void told.dead.push(unanswered),
      wakeAt: (at) => void (told.wakeAt = at),
      timed: isTimed ? (rtt, lost) => void told.rtts.push([rtt, lost]) : undefined,
    },
  );
  return { made, told, hear: () => packetsIn++ };
}

test("a request carries the time as pppd's does, and the answer tells how long it took and what was lost before", () => {
  const { made, told } = echo({});
  made.start(123_456.75);
  expect(toHex(told.sent[0]!)).toBe("19450425" + "0000007b" + "1b3973b0");
  made.answered(123_460.5, told.sent[0]!, 0);
  made.timeout(told.wakeAt);
  made.timeout(told.wakeAt);
  made.timeout(told.wakeAt);
  made.answered(126_456.75 + 2, told.sent[3]!, 0);
  // Another answer to the same request: nothing was lost.
  made.answered(126_456.75 + 3, told.sent[3]!, 0);
  expect(told.rtts).toEqual([
    [3750, 0],
    [2000, 2],
    [3000, 0],
  ]);
});

test("answers with other data, or from the future, count as answers and tell no time", () => {
  const { made, told } = echo({ failure: 2 });
  made.start(1000);
  for (const data of [new Uint8Array(0), told.sent[0]!.subarray(0, 11), new Uint8Array(12)])
    made.answered(1001, data, 0);
  made.answered(999, told.sent[0]!, 0);
  made.timeout(2000);
  made.answered(2001, new Uint8Array(0), 0);
  made.timeout(3000);
  made.timeout(4000);
  expect(told.rtts).toEqual([]);
  expect(told.dead).toEqual([]);
  made.timeout(5000);
  expect(told.dead).toEqual([2]);
});

test("a request has nothing behind the magic number when no round-trip times are recorded", () => {
  const { made, told } = echo({}, false);
  made.start(0);
  expect(told.sent[0]).toHaveLength(0);
});

test("with lcp-echo-failure 1, one request without an answer is enough, and with 0 none ever is", () => {
  for (const failure of [0, 1]) {
    const { made, told } = echo({ failure });
    made.start(0);
    for (let second = 1; second <= 20 && told.dead.length === 0; second++) made.timeout(1000 * second);
    expect([failure, told.dead]).toEqual([failure, failure === 0 ? [] : [1]]);
  }
});

test("adaptive: no request is sent while packets arrive", () => {
  const { made, told, hear } = echo({ adaptive: true });
  made.start(0);
  hear();
  made.timeout(1000);
  made.timeout(2000);
  expect(told.sent).toHaveLength(2);
});

test("the time of an answer is known without a time in the request, also when the next request is on its way", () => {
  const { made, told } = echo({ intervalMs: 1000 }, false);
  made.start(0);
  made.answered(40, new Uint8Array(0), 0);
  made.timeout(told.wakeAt);
  made.timeout(told.wakeAt);
  made.answered(2600, new Uint8Array(0), 1);
  made.answered(2610, new Uint8Array(0), 2);
  const { last, least, sum, answered, lost, answeredAt } = made.times;
  expect({ last, least, sum, answered, lost, answeredAt }).toEqual({
    last: 610,
    least: 40,
    sum: 40 + 1600 + 610,
    answered: 3,
    lost: 1,
    answeredAt: 2610,
  });
});

test("an answer to no request, to an old one, or that comes twice, tells no time", () => {
  const { made, told } = echo({ intervalMs: 1000 }, false);
  made.answered(5, new Uint8Array(0), 0);
  made.start(0);
  made.answered(40, new Uint8Array(0), 200);
  made.answered(40, new Uint8Array(0), 1);
  for (let more = 0; more < 8; more++) made.timeout(told.wakeAt);
  made.answered(9000, new Uint8Array(0), 0);
  expect(made.times.answered).toBe(0);
  made.answered(9000, new Uint8Array(0), 8);
  made.answered(9001, new Uint8Array(0), 8);
  expect(made.times.answered).toBe(1);
  // LCP came up again: an answer to a request of before is none.
  made.timeout(told.wakeAt);
  made.start(20_000);
  made.answered(20_001, new Uint8Array(0), 9);
  expect(made.times.answered).toBe(1);
});
