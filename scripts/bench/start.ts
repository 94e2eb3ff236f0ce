// Measures a start, from memory and from a slow disk, and the memory of a link: idle, under load, and after it. By itself,
// with other executables in the same turns:
//
//   bun scripts/bench/start.ts [--rounds N] [--pppd PATH …]

import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { machinesMissing, tunMissing } from "../../test/kit/machine.ts";
import { built } from "../../test/kit/program.ts";
import { type BenchPart, type Figure, median } from "./figure.ts";
import { type FirstOctet, firstOctet } from "./first-octet.ts";
import { SlowDisk, slowDiskMissing } from "./slow-disk.ts";
import { ADDRESS, type Pair, SIDES, type Side, withPair } from "./station.ts";
import { table } from "./table.ts";

/** The disk of an old computer, or an SD card. */
const SLOW = { octets: 25_000_000, reads: 120 };
const READ_AHEAD = 128 * 1024;
const LINE = { baud: 0, errorRate: 0, seed: 7 } as const;
const OPTIONS = ["noauth", "local", "nodetach", "noccp", "novj"];
const QUIET_MS = 10_000;

/** Megabytes of a process. */
interface Memory {
  readonly resident: number;
  /** What it has written. A page of the executable counts as private too where no other process happens to use it, so not here. */
  readonly own: number;
}

interface Costs {
  readonly warm: FirstOctet[];
  /** From the slow disk: milliseconds, reads, megabytes read. */
  readonly cold: { readonly ms: number; readonly reads: number; readonly megabytes: number }[];
  readonly idle: Memory[];
  readonly load: Memory[];
  readonly quiet: Memory[];
}

/** The memory of the process of a side that has most. */
function memoryOf(pair: Pair, side: Side): Memory {
  const all = pair.stations[side].pids().map((pid): Memory => {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    const of = (name: string): number => Number(new RegExp(`^${name}: +(\\d+)`, "m").exec(rollup)?.[1]) / 1000;
    return { resident: of("Rss"), own: of("Private_Dirty") };
  });
  return all.toSorted((x, y) => y.resident - x.resident)[0] ?? { resident: NaN, own: NaN };
}

/** The highest of both sides. */
function memory(pair: Pair): Memory {
  const [a, b] = SIDES.map((side) => memoryOf(pair, side));
  return { resident: Math.max(a!.resident, b!.resident), own: Math.max(a!.own, b!.own) };
}

async function memoryOfLink(pppd: string, seconds: number): Promise<Record<"idle" | "load" | "quiet", Memory>> {
  const ends: Readonly<Record<Side, string>> = { a: `${ADDRESS.a}:${ADDRESS.b}`, b: "noipdefault" };
  const command = (side: Side, tty: string): string[] => [pppd, tty, ends[side], ...OPTIONS];
  return await withPair({ ...LINE, command }, async (pair) => {
    await pair.up();
    await Bun.sleep(2000);
    const idle = memory(pair);
    const load = await underLoad(pair, seconds);
    await Bun.sleep(QUIET_MS);
    return { idle, load, quiet: memory(pair) };
  });
}

/** The highest memory while TCP goes one way and then the other. */
async function underLoad(pair: Pair, seconds: number): Promise<Memory> {
  const { a, b } = pair.stations;
  let most: Memory = { resident: 0, own: 0 };
  const timer = setInterval(() => {
    const { resident, own } = memory(pair);
    most = { resident: Math.max(most.resident, resident), own: Math.max(most.own, own) };
  }, 200);
  try {
    const server = a.machine.run("iperf3", "-s", "-1");
    await Bun.sleep(500);
    await b.machine.run("iperf3", "-c", ADDRESS.a, "-t", String(seconds), "--bidir");
    await server;
  } finally {
    clearInterval(timer);
  }
  return most;
}

/** Each program's costs, in turns. */
async function compare(programs: readonly string[], rounds: number, seconds: number): Promise<Costs[]> {
  const all = programs.map((): Costs => ({ warm: [], cold: [], idle: [], load: [], quiet: [] }));
  for (let round = 0; round < 5 * rounds; round++)
    for (const [at, program] of programs.entries()) all[at]!.warm.push(await firstOctet(program));
  if (slowDiskMissing() === undefined) await compareCold(programs, all, rounds);
  for (const [at, program] of programs.entries()) {
    const { idle, load, quiet } = await memoryOfLink(program, seconds);
    all[at]!.idle.push(idle);
    all[at]!.load.push(load);
    all[at]!.quiet.push(quiet);
  }
  return all;
}

async function compareCold(programs: readonly string[], all: readonly Costs[], rounds: number): Promise<void> {
  const disk = new SlowDisk();
  try {
    disk.setReadAhead(READ_AHEAD);
    disk.setRate(SLOW);
    const copies = programs.map((program, at) => {
      mkdirSync(join(disk.folder, String(at)));
      const copy = join(disk.folder, String(at), "pppd");
      copyFileSync(program, copy);
      return copy;
    });
    for (let round = 0; round < rounds; round++)
      for (const [at, copy] of copies.entries()) {
        await disk.forget(copy);
        const before = disk.reads();
        const { ms } = await firstOctet(copy, (...words) => disk.command(...words));
        const after = disk.reads();
        const megabytes = (after.octets - before.octets) / 1e6;
        all[at]!.cold.push({ ms, reads: after.count - before.count, megabytes });
      }
  } finally {
    disk.close();
  }
}

function figuresOf({ warm, cold, idle, load, quiet }: Costs): Figure[] {
  const of = <T>(runs: readonly T[], value: (run: T) => number): number => median(runs.map(value));
  return [
    { name: "start to the first octet, ms", ours: of(warm, ({ ms }) => ms), digits: 0 },
    { name: "its CPU, ms", ours: of(warm, ({ cpu }) => cpu), digits: 0 },
    { name: "its page faults", ours: of(warm, ({ pageFaults }) => pageFaults), digits: 0 },
    { name: "start from 25 MB and 120 reads/s, ms", ours: of(cold, ({ ms }) => ms), digits: 0, most: 2100 },
    { name: "its reads", ours: of(cold, ({ reads }) => reads), digits: 0 },
    { name: "read, MB", ours: of(cold, ({ megabytes }) => megabytes), digits: 1 },
    { name: "resident when idle, MB", ours: of(idle, ({ resident }) => resident), digits: 1 },
    { name: "private when idle, MB", ours: of(idle, ({ own }) => own), digits: 1 },
    { name: "resident under load, MB", ours: of(load, ({ resident }) => resident), digits: 1, most: 60 },
    { name: "private under load, MB", ours: of(load, ({ own }) => own), digits: 1, most: 24 },
    { name: "resident 10 s after it, MB", ours: of(quiet, ({ resident }) => resident), digits: 1 },
    { name: "private 10 s after it, MB", ours: of(quiet, ({ own }) => own), digits: 1, most: 24 },
  ];
}

/** The reason why it cannot be measured here. Undefined: it can. */
export function startMissing(): string | undefined {
  const tools = ["gcc", "ip", "iperf3"].filter((tool) => Bun.which(tool) === null);
  if (tools.length > 0) return `${tools.join(", ")} not installed`;
  return machinesMissing() ?? tunMissing();
}

async function measure(quick: boolean): Promise<Figure[]> {
  const reason = startMissing();
  if (reason !== undefined) throw new Error(reason);
  const [costs] = await compare([built("pppd")], quick ? 1 : 3, quick ? 2 : 5);
  return figuresOf(costs!);
}

export const START: BenchPart = { title: "A start, and the memory of a link", measure };

if (import.meta.main) {
  const reason = startMissing();
  if (reason !== undefined) throw new Error(reason);
  const { rounds, pppd } = parseArgs({
    options: { rounds: { type: "string", default: "3" }, pppd: { type: "string", multiple: true, default: [] } },
  }).values;
  const programs = [built("pppd"), ...pppd];
  const figures = (await compare(programs, Number(rounds), 5)).map(figuresOf);
  const rows = figures[0]!.map(({ name, digits }, at) => [name, ...figures.map((of) => of[at]!.ours.toFixed(digits))]);
  console.log(table(["", ...programs], rows));
  process.exit();
}
