// Repeats inputs that once failed under fuzzing, and gives each target some new input. `npm run fuzz` runs longer.

import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { inputFor } from "../../scripts/fuzz.ts";
import { withRng } from "../kit/rng.ts";
import { failureOf, type FuzzInput, shrink, type Target } from "./target.ts";
import { TARGETS } from "./targets.ts";

const FOLDER = join(import.meta.dir, "../../fixtures/fuzz");
const NEW_INPUTS = 40;

for (const target of TARGETS)
  test(`${target.name}: new input`, () =>
    withRng((rng) => {
      for (let n = 0; n < NEW_INPUTS; n++) {
        const input = inputFor(target, rng);
        const failure = failureOf(target, input);
        if (failure !== undefined) throw new Error(`${failure}\n${JSON.stringify(shrink(target, input))}`);
      }
    }));

for (const name of existsSync(FOLDER) ? readdirSync(FOLDER).filter((one) => one.endsWith(".json")) : [])
  test(`what once failed: ${name}`, () => {
    const { target: wanted, ...input } = JSON.parse(readFileSync(join(FOLDER, name), "utf8")) as FuzzInput & {
      target: string;
    };
    const target = TARGETS.find((one) => one.name === wanted);
    expect(target).toBeDefined();
    expect(failureOf(target!, input)).toBeUndefined();
  });

test("shrinking keeps only the mutations that matter", () => {
  const wants = [3, 11];
  const target: Target = {
    name: "both",
    kinds: ["x"],
    pieces: 20,
    run({ mutations }) {
      if (wants.every((one) => mutations.some(({ piece }) => piece === one))) throw new Error("both are there");
      return 1;
    },
  };
  const mutations = Array.from({ length: 20 }, (_, piece) => ({ piece, kind: "x", a: 0, b: 0 }));
  expect(shrink(target, { seed: 1, mutations }).mutations.map(({ piece }) => piece)).toEqual(wants);
});
