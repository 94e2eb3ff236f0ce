// Plays whole machines in simulated time, seed after seed, until so many simulated hours have passed.
//
//   npm run simulate -- --seed 7 --hours 24 [--keep]
//
// A seed that fails is printed with the shortest list of faults that still fails and with the logs of both machines. With
// --keep that plan is also written to fixtures/simulation, whose plans test/simulation plays each time.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commandWords, newSeed } from "./command-words.ts";
import { drawPlan, type Plan } from "../test/simulation/plan.ts";
import { type Outcome, play } from "../test/simulation/play.ts";
import { shrink } from "../test/simulation/shrink.ts";

const FOLDER = join(import.meta.dir, "../fixtures/simulation");
const HOUR = 3_600_000;
const REPORT_MS = 10_000;
const MOST_FAILURES = 10;

/** Makes a plan that fails as small as it will go. */
export function smallest(plan: Plan): Plan {
  return shrink(plan, (smaller) => play(smaller).failure !== undefined);
}

/** Plans that once failed, by what they found. Each is whole, so that it stays what it is when plans are drawn otherwise. */
export function knownPlans(): { readonly found: string; readonly plan: Plan }[] {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));
  return names.map((name) => JSON.parse(readFileSync(join(FOLDER, name), "utf8")) as { found: string; plan: Plan });
}

function keepPlan(plan: Plan, { failure = "" }: Outcome): void {
  const text = JSON.stringify({ found: failure.split("\n")[0], plan }, undefined, 1);
  writeFileSync(join(FOLDER, `${plan.seed}.json`), `${text}\n`);
}

/** What there is to say of a plan that fails, and of the smallest that still does. */
export function reportOf(plan: Plan, small: Plan): string {
  const outcome = play(small);
  const { agreement, words, ms, faults } = small;
  return [
    outcome.transcript(),
    `seed ${plan.seed} fails with ${faults.length} of its ${plan.faults.length} faults, in ${ms} ms: ${outcome.failure}`,
    JSON.stringify(agreement),
    ...words.map(([first]) => first!.join(" ")),
    ...faults.map((fault) => JSON.stringify(fault)),
  ].join("\n");
}

function main(): number {
  const { seed: first, hours, keep } = commandWords({ numbers: { seed: newSeed(), hours: 24 }, flags: ["keep"] });
  console.log(`simulate: from seed ${first}, ${hours} hours`);
  let simulatedMs = 0;
  let packets = 0;
  let seeds = 0;
  let failures = 0;
  const began = performance.now();
  let reportAt = began + REPORT_MS;
  const report = (): void => {
    const speed = Math.round(simulatedMs / (performance.now() - began));
    console.log(
      `simulate: ${(simulatedMs / HOUR).toFixed(1)} hours in ${seeds} seeds, ${packets} packets, ${speed} times real time, ${failures} failures`,
    );
  };
  while (simulatedMs < hours * HOUR && failures < MOST_FAILURES) {
    const plan = drawPlan((first + seeds++) >>> 0);
    const outcome = play(plan);
    simulatedMs += outcome.simulatedMs;
    packets += outcome.packets;
    if (outcome.failure !== undefined) {
      failures++;
      const small = smallest(plan);
      console.error(reportOf(plan, small));
      if (keep) keepPlan(small, outcome);
    }
    if (performance.now() < reportAt) continue;
    reportAt = performance.now() + REPORT_MS;
    report();
  }
  report();
  return failures === 0 ? 0 : 1;
}

if (import.meta.main) process.exit(main());
