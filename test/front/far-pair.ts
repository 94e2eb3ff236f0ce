// Two ends of a cable with a far test each, in simulated time over wires with speeds, damage and modem lines.

import { lead } from "../../src/front/far-leader.ts";
import { FarLine } from "../../src/front/far-report.ts";
import { type FarSettings, FarTest } from "../../src/front/far-test.ts";
import { Rng } from "../kit/rng.ts";
import { pppFormat } from "../kit/uart.ts";
import { Wire } from "../kit/wire.ts";

const { DTR, RTS, CTS, DSR, CD } = FarLine;

export const SPEEDS = [1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600];

export interface PairOptions {
  readonly seed?: number;
  readonly bitErrors?: number;
  /** The probability that an octet is lost, by the sender's speed. */
  readonly dropsAt?: (speed: number) => number;
  /** The speeds that each port can do. */
  readonly speeds?: readonly [readonly number[], readonly number[]];
  /** What one end sees of the other's lines and its own. Undefined: no modem lines. */
  readonly wiring?: ((peer: number, own: number) => number) | undefined;
  /** When the second end starts. */
  readonly startsAt?: number;
  /** What becomes of each octet on the way; undefined: it is lost. */
  readonly octet?: (octet: number) => number | undefined;
  /** The second end stops at this time. */
  readonly stopsAt?: number;
}

export const FULL_WIRING = (peer: number): number =>
  ((peer & RTS) === 0 ? 0 : CTS) | ((peer & DTR) === 0 ? 0 : DSR | CD);

class End {
  test: FarTest | undefined;
  speed = 9600;
  lines = DTR | RTS;
  rest = new Uint8Array(0);
  readonly wire: Wire;

  constructor(rng: Rng, bitErrors: number) {
    this.wire = new Wire({ baud: 9600, bitErrors, rng });
  }
}

const LONGEST_MS = 600_000;

/** Runs both to their ends. Returns them, and how long it took. */
export function runPair(options: PairOptions = {}): { our: FarTest; peer: FarTest; tookMs: number } {
  const { seed = 1, bitErrors = 0, speeds = [SPEEDS, SPEEDS], startsAt = 0, stopsAt = Infinity, dropsAt } = options;
  const wiring = "wiring" in options ? options.wiring : FULL_WIRING;
  const rng = new Rng(seed);
  const ends = [new End(rng, bitErrors), new End(rng, bitErrors)] as const;
  const setPorts = (): void => {
    const formats = ends.map(({ speed }) => pppFormat(speed));
    for (const [at, { wire, speed }] of ends.entries()) {
      wire.setPorts(formats[at]!, formats[1 - at]!);
      if (dropsAt !== undefined) wire.setDamage(bitErrors, dropsAt(speed), rng);
    }
  };
  const start = (at: 0 | 1, now: number): FarTest => {
    const end = ends[at];
    const settings: FarSettings = { meetAt: 9600, speeds: speeds[at], patienceMs: 30_000 };
    const host = {
      random: () => rng.u32(),
      look: () => wiring?.(ends[1 - at]!.lines, end.lines),
      drive: (lines: number) => void (end.lines = lines),
      setSpeed(speed: number) {
        end.speed = speed;
        setPorts();
      },
      unsent: () => end.rest.length + end.wire.waiting,
    };
    return new FarTest(host, settings, lead, now);
  };
  const out = new Uint8Array(65536);
  let now = 0;
  ends[0].test = start(0, now);
  for (; now < LONGEST_MS;) {
    if (ends[1].test === undefined && now >= startsAt) ends[1].test = start(1, now);
    for (const [at, end] of ends.entries()) {
      const { test, wire } = end;
      const other = ends[1 - at]!;
      if (test === undefined || (at === 1 && now >= stopsAt)) continue;
      test.handleTimeout(now);
      for (let taken = 1; taken > 0;) {
        if (end.rest.length === 0) end.rest = Uint8Array.from(test.takeOutput());
        taken = Math.min(wire.room, end.rest.length);
        if (taken > 0) wire.take(end.rest, taken, now);
        end.rest = end.rest.slice(taken);
      }
      const arrived = wire.arrived(now);
      const length = wire.deliver(arrived, other.test !== undefined, out, now);
      const { octet = (same: number) => same } = options;
      const heard = Uint8Array.from([...out.subarray(0, length)].flatMap((each) => octet(each) ?? []));
      if (!(at === 0 && now >= stopsAt)) other.test?.receive(heard, 0, heard.length, now);
    }
    const tests = ends.map(({ test }) => test);
    if (tests.every((test, at) => test?.outcome !== undefined || (at === 1 && now >= Math.min(stopsAt, startsAt))))
      if (tests[0]!.outcome !== undefined && (tests[1]?.outcome !== undefined || now >= stopsAt || startsAt > now))
        break;
    const due = ends.map(({ wire, rest }) => (rest.length > 0 ? now + 2 : Math.max(now + 1, wire.dueAt())));
    now = Math.min(now + 10, ...due);
  }
  return { our: ends[0].test, peer: ends[1].test ?? start(1, now), tookMs: now };
}
