import { expect, test } from "bun:test";
import type { Answer, Dialect, Limits, Lower } from "../../src/control/dialect.ts";
import { Negotiator } from "../../src/control/negotiator.ts";
import { Code, type ConfOption } from "../../src/wire/control.ts";

const LIMITS: Limits = { restartMs: 3000, maxConfigure: 10, maxTerminate: 2, maxFailure: 10, patienceMs: 60 };
const CONF_ACK_ID_1 = [Code.ConfAck, 1, 0, 4];

/**
 * A protocol without options, opened with a peer whose request has the identifier 7 and one octet of an option's value.
 */
function opened() {
  const sent: number[][] = [];
  const layers: string[] = [];
  const lower: Lower = {
    send: (_, write) => {
      const buf = new Uint8Array(100);
      sent.push([...buf.subarray(0, write(buf, 0))]);
    },
    roundTrip: () => {},
    log: () => {},
    wakeAt: () => {},
  };
  const dialect: Dialect = {
    name: "TEST",
    protocol: 0xc021,
    reset: () => {},
    request: (): ConfOption[] => [],
    judge: ({ options }): Answer => ({ code: Code.ConfAck, options }),
    naked: () => {},
    rejected: () => {},
    up: () => void layers.push("up"),
    down: () => void layers.push("down"),
    finished: () => {},
  };
  const negotiator = new Negotiator(dialect, lower, LIMITS);
  const hear = (packet: readonly number[], now: number): void =>
    negotiator.receive(Uint8Array.from(packet), 0, packet.length, now);
  negotiator.lowerUp(0);
  negotiator.open(0);
  const request = (value: number, id = 7): number[] => [Code.ConfReq, id, 0, 7, 200, 3, value];
  hear(request(1), 10);
  hear(CONF_ACK_ID_1, 10);
  expect(layers).toEqual(["up"]);
  return { hear, layers, request, takeSent: () => sent.splice(0) };
}

test("a repeated request that was agreed to is Acked again, and nothing else happens", () => {
  const { hear, layers, request, takeSent } = opened();
  takeSent();
  hear(request(1), 2900);
  expect(takeSent()).toEqual([[Code.ConfAck, 7, 0, 7, 200, 3, 1]]);
  expect(layers).toEqual(["up"]);
});

test("a peer that repeats its request twice, or late, or sends another one, begins a new negotiation", () => {
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
