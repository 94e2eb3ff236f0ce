// Every plan that once failed, and new seeds for a while. `npm run simulate` does it at length.

import { expect, test } from "bun:test";
import { knownPlans, reportOf, smallest } from "../../scripts/simulate.ts";
import { withRng } from "../kit/rng.ts";
import type { Fault } from "./faults.ts";
import { drawPlan, type Plan } from "./plan.ts";
import { play } from "./play.ts";
import { shrink } from "./shrink.ts";

/** New seeds until so much time has passed. The first of them is played in any case. */
const NEW_MS = 20_000;

function expectGood(plan: Plan): void {
  if (play(plan).failure !== undefined) throw new Error(reportOf(plan, smallest(plan)));
}

for (const { found, plan } of knownPlans())
  test(`seed ${plan.seed}, which found: ${found}`, () => expectGood(plan), 100_000);

test(
  "new seeds",
  () =>
    withRng((rng) => {
      const { seed } = rng;
      const end = performance.now() + NEW_MS;
      for (let number = 0; number === 0 || performance.now() < end; number++)
        expectGood(drawPlan((seed + number) >>> 0));
    }),
  200_000,
);

test("shrinking keeps only the faults that matter, and an end soon after them", () => {
  const faults = Array.from({ length: 20 }, (_, at): Fault => ({
    kind: "cut",
    at: at * 1000,
    ms: 400,
    side: 0,
    n: at,
  }));
  const plan: Plan = { ...drawPlan(1), ms: 1e6, faults };
  const small = shrink(plan, ({ faults: left }) => [3, 11].every((n) => left.some((fault) => fault.n === n)));
  expect(small.faults.map(({ n }) => n)).toEqual([3, 11]);
  expect(small.ms).toBeLessThan(13_000);
});

test("a play with unlike secrets ends with pppd's exit codes, and is a failure where a link is expected", () => {
  const refused = Array.from({ length: 200 }, (_, seed) => drawPlan(seed)).find((one) => one.agreement.hasWrongSecret)!;
  expect(play(refused).failure).toBeUndefined();
  const liked: Plan = { ...refused, agreement: { ...refused.agreement, hasWrongSecret: false } };
  expect(play(liked).failure).toBeUndefined();
  const cut: Plan = { ...refused, faults: [{ kind: "cut", at: 1, ms: refused.ms, side: 0, n: 0 }] };
  expect(play(cut).failure).toContain("where the secrets differ");
});
