import { expect, test } from "bun:test";
import type { Answer, Dialect, Limits, Lower } from "../../src/control/dialect.ts";
import { Negotiator } from "../../src/control/negotiator.ts";
import { Code, type ConfOption } from "../../src/wire/control.ts";

const LIMITS: Limits = {
  restartMs: 3000,
  maxConfigure: 10,
  maxTerminate: 2,
  maxFailure: 10,
  firstMs: 60,
  patienceMs: 60,
};
const CONF_ACK_ID_1 = [Code.ConfAck, 1, 0, 4];

const agree: Dialect["judge"] = ({ options }) => ({ code: Code.ConfAck, options });

/** A protocol without options that has sent its first request. */
function begun(limits: Partial<Limits> = {}, judge: Dialect["judge"] = agree) {
  const sent: number[][] = [];
  const layers: string[] = [];
  const log: string[] = [];
  const clock = { wakeAt: Infinity };
  const lower: Lower = {
    send: (_, write) => {
      const buf = new Uint8Array(100);
      sent.push([...buf.subarray(0, write(buf, 0))]);
    },
    roundTrip: () => {},
    log: (_, text) => void log.push(text),
    wakeAt: (at) => void (clock.wakeAt = at),
  };
  const dialect: Dialect = {
    name: "TEST",
    protocol: 0xc021,
    reset: () => {},
    request: (): ConfOption[] => [],
    judge,
    naked: () => {},
    rejected: () => {},
    up: () => void layers.push("up"),
    down: () => void layers.push("down"),
    finished: () => {},
  };
  const negotiator = new Negotiator(dialect, lower, { ...LIMITS, ...limits });
  const hear = (packet: readonly number[], now: number): void =>
    negotiator.receive(Uint8Array.from(packet), 0, packet.length, now);
  negotiator.lowerUp(0);
  negotiator.open(0);
  return { clock, hear, layers, log, negotiator, takeSent: () => sent.splice(0) };
}

/** The protocol, opened with a peer whose request has the identifier 7 and one octet of an option's value. */
function opened() {
  const { hear, layers, takeSent } = begun();
  const request = (value: number, id = 7): number[] => [Code.ConfReq, id, 0, 7, 200, 3, value];
  hear(request(1), 10);
  hear(CONF_ACK_ID_1, 10);
  expect(layers).toEqual(["up"]);
  return { hear, layers, request, takeSent };
}

test("a repeated request that was agreed to is Acked again, as often as it comes at first, and nothing else happens", () => {
  const { hear, layers, request, takeSent } = opened();
  takeSent();
  const ack = [Code.ConfAck, 7, 0, 7, 200, 3, 1];
  for (const now of [80, 220, 500, 3010]) {
    hear(request(1), now);
    expect(takeSent()).toEqual([ack]);
  }
  expect(layers).toEqual(["up"]);
  const late = opened();
  late.takeSent();
  late.hear(late.request(1), 6010);
  expect([late.takeSent(), late.layers]).toEqual([[ack], ["up"]]);
});

test("a peer that repeats its request later than that, or sends another one, begins a new negotiation", () => {
  const anew = (say: (link: ReturnType<typeof opened>) => void): void => {
    const link = opened();
    say(link);
    expect(link.layers).toEqual(["up", "down"]);
  };
  anew(({ hear, request }) => [100, 3100].forEach((now) => hear(request(1), now)));
  anew(({ hear, request }) => hear(request(1), 6100));
  anew(({ hear, request }) => hear(request(2), 100));
  anew(({ hear, request }) => hear(request(1, 8), 100));
});

test("a repeated request that was refused gets the same answer and does not count as another try", () => {
  let judged = 0;
  const { hear, takeSent } = begun({ maxFailure: 2 }, (_, rejectOnly): Answer => {
    const option = { type: 200, value: Uint8Array.of(++judged) };
    return { code: rejectOnly ? Code.ConfRej : Code.ConfNak, options: [option] };
  });
  const request = (id: number): number[] => [Code.ConfReq, id, 0, 7, 200, 3, 99];
  const answer = (code: number, id: number, value: number): number[] => [code, id, 0, 7, 200, 3, value];
  const says = (id: number): number[] => {
    takeSent();
    hear(request(id), 10);
    return takeSent().at(-1)!;
  };
  for (let time = 0; time < 4; time++) expect(says(1)).toEqual(answer(Code.ConfNak, 1, 1));
  // A peer that goes on like this does not repeat its request for want of an answer.
  expect(says(1)).toEqual(answer(Code.ConfNak, 1, 2));
  expect(says(1)).toEqual(answer(Code.ConfRej, 1, 3));
  expect(says(2)).toEqual(answer(Code.ConfRej, 2, 4));
  expect(says(2)).toEqual(answer(Code.ConfRej, 2, 4));
});

test("a peer that repeats a refused request with the same identifier at each end of its restart timer insists, and each time counts", () => {
  const { hear, takeSent } = begun({}, ({ options }, rejectOnly): Answer => ({
    code: rejectOnly ? Code.ConfRej : Code.ConfNak,
    options,
  }));
  const codes = [100, 3100, 6100, 9100, 12_100, 15_100, 18_100, 21_100, 24_100, 27_100, 30_100].map((now) => {
    takeSent();
    hear([Code.ConfReq, 7, 0, 7, 200, 3, 99], now);
    return takeSent().at(-1)![0];
  });
  expect(codes).toEqual([...Array<number>(LIMITS.maxFailure).fill(Code.ConfNak), Code.ConfRej]);
});

test("between the requests that are counted come others, and the end comes when it would without them", () => {
  const { clock, log, negotiator, takeSent } = begun({ eagerMs: 200 });
  let now = 0;
  while (clock.wakeAt < Infinity) negotiator.timeout((now = clock.wakeAt));
  expect([now, log]).toEqual([30_000, ["TEST: timeout sending Config-Requests"]]);
  const sent = takeSent();
  expect(sent.length).toBeGreaterThan(30);
  expect(new Set(sent.map(String))).toEqual(new Set([String([Code.ConfReq, 1, 0, 4])]));
});

test("what is sent again early is a Configure-Request: a Terminate-Request waits for the restart timer", () => {
  const { clock, negotiator, takeSent } = begun();
  takeSent();
  negotiator.timeout(clock.wakeAt);
  negotiator.close("", 100);
  expect(takeSent().map(([code]) => code)).toEqual([Code.ConfReq, Code.TermReq]);
  expect(clock.wakeAt).toBe(3100);
  negotiator.timeout(3100);
  expect(takeSent().map(([code]) => code)).toEqual([Code.TermReq]);
});

test("an Ack of a peer whose own request was lost is answered by empty Naks, once for each lower-layer-up", () => {
  const { hear, layers, negotiator, takeSent } = begun({ nudges: 2 });
  const nudge = [
    [Code.ConfNak, 1, 0, 4],
    [Code.ConfNak, 0, 0, 4],
  ];
  takeSent();
  hear(CONF_ACK_ID_1, 10);
  expect(takeSent()).toEqual(nudge);
  // The restart timer ends, and the repeated request is Acked again.
  negotiator.timeout(3000);
  hear(CONF_ACK_ID_1, 3010);
  expect(takeSent()).toEqual([[Code.ConfReq, 1, 0, 4]]);
  hear([Code.ConfReq, 2, 0, 4], 3020);
  expect(takeSent()).toEqual([[Code.ConfAck, 2, 0, 4]]);
  expect(layers).toEqual(["up"]);
  negotiator.lowerDown(4000);
  negotiator.lowerUp(5000);
  takeSent();
  hear([Code.ConfAck, 2, 0, 4], 5010);
  expect(takeSent()).toEqual(nudge);
});

test("a request that crosses the Nak of it is not answered, because another one follows; a later one is", () => {
  const begins = (): ReturnType<typeof begun> => {
    const layer = begun({ nudges: 2 });
    layer.hear(CONF_ACK_ID_1, 10);
    layer.takeSent();
    return layer;
  };
  const crossed = begins();
  crossed.hear([Code.ConfReq, 1, 0, 4], 20);
  expect([crossed.takeSent(), crossed.layers]).toEqual([[], []]);
  crossed.hear([Code.ConfReq, 2, 0, 4], 30);
  expect(crossed.layers).toEqual(["up"]);
  const lost = begins();
  lost.hear([Code.ConfReq, 1, 0, 4], 20);
  lost.hear([Code.ConfReq, 1, 0, 4], 1000);
  expect(lost.layers).toEqual(["up"]);
  const late = begins();
  late.hear([Code.ConfReq, 1, 0, 4], 1010);
  expect(late.layers).toEqual(["up"]);
});

test("a peer that was heard is not asked for its request again, nor is one of a protocol that does not do so", () => {
  const heard = begun({ nudges: 2 });
  heard.hear([Code.ConfReq, 1, 0, 4], 5);
  heard.takeSent();
  heard.hear(CONF_ACK_ID_1, 10);
  expect(heard.takeSent()).toEqual([]);
  const other = begun();
  other.takeSent();
  other.hear(CONF_ACK_ID_1, 10);
  expect(other.takeSent()).toEqual([]);
});

test("an empty Nak makes us send our request again with another identifier", () => {
  const { hear, takeSent } = begun();
  takeSent();
  hear([Code.ConfNak, 0, 0, 4], 10);
  expect(takeSent()).toEqual([]);
  hear([Code.ConfNak, 1, 0, 4], 10);
  expect(takeSent()).toEqual([[Code.ConfReq, 2, 0, 4]]);
});
