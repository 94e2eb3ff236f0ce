// Measures what the first pings over a link cost: the CPU of a side, its first thread and those that compile and collect apart,
// and the round trip, in turns with the C yardstick. By itself:
//
//   bun scripts/bench/first-packets.ts [--rounds N] [--pppd PATH …]
//
// Each PATH is another executable to compare in the same turns.

import { parseArgs } from "node:util";
import { machinesMissing, tunMissing } from "../../test/kit/machine.ts";
import { built } from "../../test/kit/program.ts";
import { type BenchPart, type Figure, median } from "./figure.ts";
import { ADDRESS, type Pair, SIDES, type Side, withPair } from "./station.ts";
import { table } from "./table.ts";

/** Pings that are sent in a row. */
export interface PingGroup {
  readonly count: number;
  /** Further words for ping(8). By default 200 a second. */
  readonly words?: readonly string[];
}

/** The pings over a new link: as soon as it is up, and when it has been up for a second. */
const AT_ONCE: readonly PingGroup[] = [{ count: 50 }];
const LATER: readonly PingGroup[] = [{ count: 10 }, { count: 40 }, { count: 350 }, { count: 400 }];
const LATER_MS = 1000;
const GAP = ["-i", "0.005"] as const;
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

function cpuOf(pair: Pair): Record<"first" | "others", number> {
  const sum = (of: "first" | "others"): number => SIDES.reduce((all, side) => all + pair.stations[side].cpu(of), 0);
  return { first: sum("first"), others: sum("others") };
}

async function send(pair: Pair, { count, words = GAP }: PingGroup): Promise<PingCost> {
  const before = cpuOf(pair);
  const { stdout } = await pair.stations.b.machine.run("ping", "-n", "-c", String(count), ...words, ADDRESS.a);
  const after = cpuOf(pair);
  const [, received] = / (\d+) received/.exec(stdout) ?? [];
  if (Number(received) < count * 0.98) throw new Error(`${received} of ${count} pings were answered`);
  const times = [...stdout.matchAll(/ time=([\d.]+) ms/g)].map(([, time]) => Number(time));
  const cost = (of: "first" | "others"): number => ((after[of] - before[of]) * 1e6) / count / SIDES.length;
  return { first: cost("first"), others: cost("others"), p50: median(times) };
}

/** A new link, and the groups of pings over it. Without `pppd` the yardstick's. `settled` is called when the link is up. */
export function costOfPings(
  groups: readonly PingGroup[],
  pppd: string | undefined,
  settled: (pair: Pair) => Promise<void>,
): Promise<PingCost[]> {
  const ends: Readonly<Record<Side, string>> = { a: `${ADDRESS.a}:${ADDRESS.b}`, b: "noipdefault" };
  const command = (side: Side, tty: string): string[] => [pppd!, tty, ends[side], ...OPTIONS];
  return withPair({ ...LINE, ...(pppd === undefined ? {} : { command }) }, async (pair) => {
    await pair.up();
    await settled(pair);
    const costs: PingCost[] = [];
    for (const group of groups) costs.push(await send(pair, group));
    return costs;
  });
}

/** The costs of the groups of one program: at once, and later. */
async function costsOf(program: string | undefined): Promise<PingCost[]> {
  const atOnce = await costOfPings(AT_ONCE, program, async () => {});
  return [...atOnce, ...(await costOfPings(LATER, program, () => Bun.sleep(LATER_MS)))];
}

/** The costs of each program, the medians of several rounds in turns. */
async function compare(programs: readonly (string | undefined)[], rounds: number): Promise<PingCost[][]> {
  const all: PingCost[][][] = programs.map(() => []);
  for (let round = 0; round < rounds; round++)
    for (const [at, program] of programs.entries()) all[at]!.push(await costsOf(program));
  return all.map((costs) =>
    [...AT_ONCE, ...LATER].map((_, group) => {
      const of = (figure: keyof PingCost): number => median(costs.map((round) => round[group]![figure]));
      return { first: of("first"), others: of("others"), p50: of("p50") };
    }),
  );
}

/** Microseconds a ping of the first so many groups of those that are sent later. */
function cpuOfFirst(costs: readonly PingCost[], groups: number): number {
  let microseconds = 0;
  let pings = 0;
  for (const [at, { count }] of LATER.slice(0, groups).entries()) {
    const { first, others } = costs[AT_ONCE.length + at]!;
    microseconds += (first + others) * count;
    pings += count;
  }
  return microseconds / pings;
}

/** The goal of 120 µs was set where the yardstick needed 35. */
const MOST_CPU = 3.4;
const MOST_P50 = 1.3;

async function measure(quick: boolean): Promise<Figure[]> {
  const reason = firstPacketsMissing();
  if (reason !== undefined) throw new Error(reason);
  const [yardstick, ours] = await compare([undefined, built("pppd")], quick ? 3 : 7);
  const figure = (name: string, most: number, digits: number, of: (costs: readonly PingCost[]) => number): Figure => ({
    name,
    ours: of(ours!),
    yardstick: of(yardstick!),
    digits,
    most,
    of: "ratio",
  });
  const cpu = (name: string, of: (costs: readonly PingCost[]) => number): Figure =>
    figure(`CPU a ping and side, ${name}, µs`, MOST_CPU, 0, of);
  const p50 = (name: string, group: number): Figure =>
    figure(`ping p50, ${name}, ms`, MOST_P50, 3, (costs) => costs[group]!.p50);
  return [
    cpu("first 10", (costs) => cpuOfFirst(costs, 1)),
    cpu("first 50", (costs) => cpuOfFirst(costs, 2)),
    cpu("first 400", (costs) => cpuOfFirst(costs, 3)),
    cpu("first 50 as soon as the link is up", ([atOnce]) => atOnce!.first + atOnce!.others),
    p50("11th to 50th", 2),
    p50("after 400", 4),
  ];
}

export const FIRST_PACKETS: BenchPart = { title: "4. the first packets, a second after the link is up", measure };

async function main(): Promise<void> {
  const { rounds, pppd } = parseArgs({
    options: { rounds: { type: "string", default: "5" }, pppd: { type: "string", multiple: true, default: [] } },
  }).values;
  const programs = [undefined, built("pppd"), ...pppd];
  const costs = await compare(programs, Number(rounds));
  const counts = (groups: readonly PingGroup[]): string[] => groups.map(({ count }) => String(count));
  const head = [...counts(AT_ONCE).map((count) => `at once ${count}`), ...counts(LATER)];
  const cells = ({ first, others, p50 }: PingCost): string =>
    `${first.toFixed(0)} + ${others.toFixed(0)}, ${p50.toFixed(3)}`;
  console.log(
    table(
      ["CPU µs a ping and side: first thread + others, p50 ms", ...head],
      costs.map((groups, at) => [programs[at] ?? "C yardstick", ...groups.map(cells)]),
    ),
  );
}

if (import.meta.main) await main();
