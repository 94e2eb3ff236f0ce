// Measures what the first pings over a new link cost: the CPU of a side, its first thread and those that compile and collect
// apart, and the round trip, in turns with the C yardstick. By itself:
//
//   bun scripts/bench/first-packets.ts [--rounds N] [--pppd PATH …]
//
// Each PATH is another executable to compare in the same turns.

import { parseArgs } from "node:util";
import { machinesMissing, tunMissing } from "../../test/kit/machine.ts";
import { built } from "../../test/kit/program.ts";
import type { BenchPart, Figure } from "./figure.ts";
import { ADDRESS, type Pair, SIDES, type Side, withPair } from "./station.ts";
import { table } from "./table.ts";

/** The pings are sent in these groups, one after the other. */
const GROUPS = [10, 40, 350, 400] as const;
const GAP = "0.01";
const LINE = { baud: 0, errorRate: 0, seed: 7 } as const;
const OPTIONS = ["noauth", "local", "nodetach", "nodefaultroute"];

/** What a group of pings has cost a side: microseconds of CPU a ping, and milliseconds a round trip. */
export interface PingCost {
  readonly first: number;
  readonly others: number;
  readonly p50: number;
}

/** The reason why it cannot be measured here. Undefined: it can. */
export function firstPacketsMissing(): string | undefined {
  const tools = ["gcc", "ip", "ping"].filter((tool) => Bun.which(tool) === null);
  if (tools.length > 0) return `${tools.join(", ")} not installed`;
  return machinesMissing() ?? tunMissing();
}

const median = (numbers: readonly number[]): number => numbers.toSorted((x, y) => x - y)[numbers.length >> 1] ?? NaN;

function cpuOf(pair: Pair): Record<"first" | "others", number> {
  const sum = (of: "first" | "others"): number => SIDES.reduce((all, side) => all + pair.stations[side].cpu(of), 0);
  return { first: sum("first"), others: sum("others") };
}

async function pings(pair: Pair, count: number): Promise<PingCost> {
  const before = cpuOf(pair);
  const { stdout } = await pair.stations.b.machine.run("ping", "-n", "-c", String(count), "-i", GAP, ADDRESS.a);
  const after = cpuOf(pair);
  const times = [...stdout.matchAll(/ time=([\d.]+) ms/g)].map(([, time]) => Number(time));
  if (times.length < count) throw new Error(`${times.length} of ${count} pings were answered`);
  const cost = (of: "first" | "others"): number => ((after[of] - before[of]) * 1e6) / count / SIDES.length;
  return { first: cost("first"), others: cost("others"), p50: median(times) };
}

/** A new link, and the groups of pings over it. Without `pppd` the yardstick's. */
export function costOfPings(groups: readonly number[], pppd?: string): Promise<PingCost[]> {
  const ends: Readonly<Record<Side, string>> = { a: `${ADDRESS.a}:${ADDRESS.b}`, b: "noipdefault" };
  const command = (side: Side, tty: string): string[] => [pppd!, tty, ends[side], ...OPTIONS];
  return withPair({ ...LINE, ...(pppd === undefined ? {} : { command }) }, async (pair) => {
    await pair.up();
    const costs: PingCost[] = [];
    for (const count of groups) costs.push(await pings(pair, count));
    return costs;
  });
}

/** The costs of each program and group, the median of several rounds in turns. */
async function compare(programs: readonly (string | undefined)[], rounds: number): Promise<PingCost[][]> {
  const all: PingCost[][][] = programs.map(() => []);
  for (let round = 0; round < rounds; round++)
    for (const [at, program] of programs.entries()) all[at]!.push(await costOfPings(GROUPS, program));
  return all.map((costs) =>
    GROUPS.map((_, group) => {
      const of = (figure: keyof PingCost): number => median(costs.map((round) => round[group]![figure]));
      return { first: of("first"), others: of("others"), p50: of("p50") };
    }),
  );
}

/** The costs of all pings up to the end of a group. */
function upTo(costs: readonly PingCost[], last: number): number {
  let octets = 0;
  let pinged = 0;
  for (let at = 0; at <= last; at++) {
    octets += (costs[at]!.first + costs[at]!.others) * GROUPS[at]!;
    pinged += GROUPS[at]!;
  }
  return octets / pinged;
}

async function measure(quick: boolean): Promise<Figure[]> {
  const reason = firstPacketsMissing();
  if (reason !== undefined) throw new Error(reason);
  const [yardstick, ours] = await compare([undefined, built("pppd")], quick ? 3 : 9);
  const cpu = (name: string, last: number): Figure => ({
    name: `CPU a ping and side, ${name}, µs`,
    ours: upTo(ours!, last),
    yardstick: upTo(yardstick!, last),
    digits: 0,
    most: 120,
  });
  const p50 = (name: string, group: number): Figure => ({
    name: `ping p50, ${name}, ms`,
    ours: ours![group]!.p50,
    yardstick: yardstick![group]!.p50,
    digits: 3,
    most: 1.3,
    of: "ratio",
  });
  return [cpu("first 10", 0), cpu("first 50", 1), cpu("first 400", 2), p50("11th to 50th", 1), p50("after 400", 3)];
}

export const FIRST_PACKETS: BenchPart = { title: "4. the first packets", measure };

async function main(): Promise<void> {
  const { rounds, pppd } = parseArgs({
    options: { rounds: { type: "string", default: "5" }, pppd: { type: "string", multiple: true, default: [] } },
  }).values;
  const programs = [undefined, built("pppd"), ...pppd];
  const costs = await compare(programs, Number(rounds));
  const head = ["CPU µs a ping and side: first thread + others, p50 ms", ...GROUPS.map((count) => `${count}`)];
  const cells = ({ first, others, p50 }: PingCost): string =>
    `${first.toFixed(0)} + ${others.toFixed(0)}, ${p50.toFixed(3)}`;
  console.log(
    table(
      head,
      costs.map((groups, at) => [programs[at] ?? "C yardstick", ...groups.map(cells)]),
    ),
  );
}

if (import.meta.main) await main();
