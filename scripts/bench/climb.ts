// Measures `climb` between two of our executables, on a cable that starts at 115200 and is clean up to 3,000,000: the time from the
// first frame to the fastest speed, and what TCP carries there. By itself:
//
//   bun scripts/bench/climb.ts [--quick]

import { writeFileSync } from "node:fs";
import { type Cable, openCable } from "../../test/kit/cable.ts";
import { type Machine, machinesMissing, openMachine, tunMissing } from "../../test/kit/machine.ts";
import { built, Program } from "../../test/kit/program.ts";
import { Rng } from "../../test/kit/rng.ts";
import { receive, send } from "../../test/kit/transfer.ts";
import { type BenchPart, type Figure, FIGURE_HEAD, rowOf, median } from "./figure.ts";
import { ADDRESS, type Side, SIDES } from "./station.ts";
import { table } from "./table.ts";

const SLOW = 115_200;
const FAST = 3_000_000;
const OPTIONS = [String(SLOW), "noauth", "local", "nodetach"];
const ENDS: Readonly<Record<Side, string>> = { a: `${ADDRESS.a}:${ADDRESS.b}`, b: "noipdefault" };
const PORT = 5201;

interface Link {
  readonly cable: Cable;
  readonly machines: Readonly<Record<Side, Machine>>;
  readonly programs: readonly Program[];
}

async function withLink<T>(words: readonly string[], use: (link: Link) => Promise<T>): Promise<T> {
  const cable = await openCable({ baud: "ports", "clean-to": FAST });
  const opened: Machine[] = [];
  const programs: Program[] = [];
  try {
    for (const side of SIDES) opened.push(await openMachine(`climb-${side}`, { ttys: { ttyS0: cable[side] } }));
    const machines = { a: opened[0]!, b: opened[1]! };
    for (const side of SIDES) {
      const command = [built("pppd"), "/dev/ttyS0", ENDS[side], ...OPTIONS, ...words];
      programs.push(new Program(command, { machine: machines[side] }));
    }
    return await use({ cable, machines, programs });
  } finally {
    await Promise.all(programs.map((program) => program.stop()));
    await Promise.all(opened.map((machine) => machine.close()));
    await cable.close();
  }
}

/** Waits until both ends have said this. */
async function said({ programs }: Link, text: string): Promise<void> {
  await Promise.all(programs.map((program) => program.waitFor(text)));
}

/** The octets a second of a TCP connection that lasts about so long. */
async function throughput({ machines: { a, b } }: Link, baud: number, seconds: number): Promise<number> {
  const octets = Math.round((baud / 10) * seconds);
  writeFileSync(a.path("/run/sent"), new Rng(7).bytes(octets));
  const receiving = b.run("sh", "-c", `cd /run; ${receive(PORT, "got")}; stat -c %s got`);
  const startedAt = performance.now();
  await a.run("sh", "-c", send(ADDRESS.b, PORT, "/run/sent"));
  const { stdout } = await receiving;
  if (Number(stdout) !== octets) throw new Error(`${stdout.trim()} octets of ${octets} have come`);
  return (octets * 1000) / (performance.now() - startedAt);
}

async function firstFrame({ cable }: Link): Promise<void> {
  for (;;) {
    const { ab, ba } = await cable.stats();
    if (ab.taken + ba.taken > 0) return;
    await Bun.sleep(2);
  }
}

async function measure(quick: boolean): Promise<Figure[]> {
  const reason = machinesMissing() ?? tunMissing() ?? (Bun.which("busybox") === null ? "no busybox" : undefined);
  if (reason !== undefined) throw new Error(reason);
  const seconds = quick ? 5 : 10;
  const rounds = { climb: [] as number[], before: [] as number[], after: [] as number[] };
  for (let round = 0; round < (quick ? 1 : 3); round++) {
    await withLink([], async (link) => {
      await said(link, "remote IP address");
      rounds.before.push(await throughput(link, SLOW, seconds));
    });
    await withLink(["climb"], async (link) => {
      await firstFrame(link);
      const startedAt = performance.now();
      await said(link, `The line has ${FAST} bits per second`);
      rounds.climb.push((performance.now() - startedAt) / 1000);
      rounds.after.push(await throughput(link, FAST, seconds));
    });
  }
  const [before, after] = [median(rounds.before), median(rounds.after)];
  return [
    { name: `first frame to ${FAST}, s`, ours: median(rounds.climb), digits: 2, most: 3 },
    { name: `TCP at ${SLOW}, kB/s`, ours: before / 1000, digits: 1 },
    { name: "TCP after the climb, kB/s", ours: after / 1000, digits: 1 },
    { name: "after / before", ours: after / before, digits: 1, least: 26 },
  ];
}

export const CLIMB: BenchPart = { title: `The climb from ${SLOW} to ${FAST}`, measure };

if (import.meta.main) {
  const figures = await measure(process.argv.includes("--quick"));
  console.log(table(FIGURE_HEAD, figures.map(rowOf)));
}
