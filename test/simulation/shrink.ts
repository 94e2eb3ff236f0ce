// Makes a plan that fails smaller: fewer faults, then shorter ones, and an earlier end.

import type { Fault } from "./faults.ts";
import type { Plan } from "./plan.ts";

/** The plan with the fewest faults that `fails` still accepts. `fails` is asked no more than `most` times. */
export function shrink(plan: Plan, fails: (plan: Plan) => boolean, most = 60): Plan {
  let asked = 0;
  let best = plan;
  const keep = (smaller: Plan): boolean => {
    if (asked++ >= most || !fails(smaller)) return false;
    best = smaller;
    return true;
  };
  for (let size = Math.ceil(plan.faults.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
    for (let at = 0; at < best.faults.length;)
      if (!keep({ ...best, faults: best.faults.toSpliced(at, size) })) at += size;
  const last = best.faults.at(-1);
  const end = last === undefined ? 60_000 : last.at + last.ms + 1000;
  if (end < best.ms) keep({ ...best, ms: end });
  for (let at = 0; at < best.faults.length; at++) {
    const fault: Fault = best.faults[at]!;
    keep({ ...best, faults: best.faults.with(at, { ...fault, ms: Math.round(fault.ms / 4) }) });
  }
  return best;
}
