// Fuzzes the program's readers and a whole Link with generated input, until the given number of octets has been fed.
//
//   npm run fuzz -- --seed 7 --octets 1e9 [--target link] [--keep]
//
// A failing input is reduced and printed. With --keep it is also written to fixtures/fuzz, which test/fuzz/fuzz.test.ts
// runs.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commandWords, newSeed } from "./command-words.ts";
import { Rng } from "../test/kit/rng.ts";
import { failureOf, type FuzzInput, type Mutation, shrink, type Target } from "../test/fuzz/target.ts";
import { TARGETS } from "../test/fuzz/targets.ts";

const FOLDER = join(import.meta.dir, "../fixtures/fuzz");
/** A peer can reach only the Link, so it gets this many inputs for each input of a reader. */
const LINK_SHARE = 4;
const MOST_MUTATIONS = 24;
const REPORT_MS = 10_000;

/** Makes an input for the target: a seed, and mutations that mostly hit the first pieces, where links come up. */
export function inputFor(target: Target, rng: Rng): FuzzInput {
  const mutations = Array.from({ length: 1 + rng.below(MOST_MUTATIONS) }, (): Mutation => {
    const piece = Math.floor(target.pieces * rng.float() ** 2);
    return { piece, kind: rng.pick(target.kinds), a: rng.u32(), b: rng.u32() };
  });
  return { seed: rng.u32(), mutations };
}

function report(target: Target, input: FuzzInput, keep: boolean): void {
  const small = shrink(target, input);
  const text = JSON.stringify({ target: target.name, ...small }, undefined, 1);
  console.error(`${target.name} fails:\n${failureOf(target, small)}\n${text}`);
  if (!keep) return;
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, `${target.name}-${Bun.hash(text).toString(16).slice(0, 8)}.json`), `${text}\n`);
}

function main(): number {
  const {
    seed,
    octets,
    target: only,
    keep,
  } = commandWords({ numbers: { seed: newSeed(), octets: 1e7 }, texts: ["target"], flags: ["keep"] });
  const targets = only === undefined ? TARGETS : TARGETS.filter(({ name }) => name === only);
  if (targets.length === 0) {
    console.error(`no target ${only}; there are ${TARGETS.map(({ name }) => name).join(", ")}`);
    return 2;
  }
  console.log(`fuzz: seed ${seed}, ${octets} octets, targets ${targets.map(({ name }) => name).join(" ")}`);
  const rng = new Rng(seed);
  const turns = targets.flatMap((target) =>
    target.name === "link" ? Array<Target>(LINK_SHARE).fill(target) : [target],
  );
  let fed = 0;
  let inputs = 0;
  let failures = 0;
  let reportAt = performance.now() + REPORT_MS;
  while (fed < octets) {
    const target = turns[inputs++ % turns.length]!;
    const input = inputFor(target, rng);
    try {
      fed += Math.max(1, target.run(input));
    } catch {
      failures++;
      report(target, input, keep);
      if (failures >= 10) break;
    }
    if (performance.now() < reportAt) continue;
    reportAt = performance.now() + REPORT_MS;
    console.log(`fuzz: ${fed} octets, ${inputs} inputs`);
  }
  console.log(`fuzz: ${fed} octets in ${inputs} inputs, ${failures} failures`);
  return failures === 0 ? 0 : 1;
}

if (import.meta.main) process.exit(main());
