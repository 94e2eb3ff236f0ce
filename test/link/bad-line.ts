// One line with troubles that a seed draws: damage above some speed that changes with time, refused speeds, single frames
// that are lost, short cuts. Two links with `climb` and with echoes are on it.

import { Rng } from "../kit/rng.ts";
import { ALL, SpeedLine } from "../kit/speed-line.ts";

const SECOND = 1000;
/** How long the troubles last, and how long the ends may take to agree again afterwards. */
const TROUBLE_MS = 30 * SECOND;
const CALM_MS = 20 * SECOND;
/** As in `nullmodem join`: it takes four unanswered requests to lose the link, and two cuts take two at most. */
const ECHO = { intervalMs: 5 * SECOND, failure: 4, adaptive: false };
const LONGEST_CUT_MS = 3 * SECOND;
/** An end notices within this time that the other has left its speed. */
const LEFT_MS = 4000;
const FIRST_SPEEDS = [9600, 38400, 57600, 115200, 115200, 115200, 230400];

export interface BadLine {
  /** What is wrong. Undefined: nothing. */
  readonly failure: string | undefined;
  /** The speed at the end. */
  readonly speed: number;
}

export function playBadLine(seed: number): BadLine {
  const rng = new Rng(seed);
  const refused = rng.chance(0.3) ? [rng.pick(ALL), rng.pick(ALL)] : [];
  const first = rng.pick(FIRST_SPEEDS);
  const real = (_: 0 | 1, speed: number) => (speed === first || !refused.includes(speed) ? "set" : "refused");
  const line = new SpeedLine(rng, { latencyMs: rng.below(20), speed: first, real, config: { echo: ECHO } });
  const losses = rng.pick([0, 0, 0.001, 0.01]);
  line.loses = () => rng.chance(losses);
  const change = (): void => {
    line.cleanTo = Math.max(first, rng.pick(ALL));
    line.errors = rng.pick([0.0001, 0.001, 0.01, 0.2]);
    if (line.now < TROUBLE_MS) line.after(rng.below(10 * SECOND), change);
  };
  change();
  for (let cuts = rng.below(3); cuts > 0; cuts--) {
    const at = rng.below(TROUBLE_MS - LONGEST_CUT_MS);
    line.after(at, () => (line.isCut = true));
    line.after(at + rng.below(LONGEST_CUT_MS), () => (line.isCut = false));
  }
  line.open();
  line.run(() => line.isUp, 10 * SECOND);
  line.traffic(rng.chance(0.3));
  line.run(() => false, TROUBLE_MS);
  line.loses = () => false;
  line.traffic(false);
  line.run(() => false, CALM_MS);
  return { failure: wrongWith(line, first), speed: line.speeds[0]! };
}

function wrongWith(line: SpeedLine, first: number): string | undefined {
  if (line.losses > 0) return "the link was lost";
  if (!line.isUp) return "the link is not up";
  // A trial may be going on, or one end has just left the other.
  line.run(() => line.speeds[0] === line.speeds[1], LEFT_MS);
  const [one, other] = line.speeds;
  if (one !== other) return `the ends have ${one} and ${other}`;
  if (one! < first) return `the speed is ${one}, below the first`;
  const came = line.ends.map(({ side }) => side.packets.length);
  line.traffic(true);
  line.run(() => false, 3000);
  const has = line.ends.every(({ side }, at) => side.packets.length > came[at]!);
  return has ? undefined : "no packets pass";
}
