// Sets /proc/PID/oom_score_adj, which tells the kernel what to kill first when memory runs out: -1000 (never) to 1000.

import { readFileSync, writeFileSync } from "node:fs";

/**
 * Low enough that the kernel kills a process that fills the memory before the link, unless the link itself fills it.
 */
const LINK_SCORE = -500;

let before: string | undefined;

/** Lowers our own score, unless it has been set already. Returns true when it did. */
export function lowerOomScore(path = "/proc/self/oom_score_adj"): boolean {
  try {
    const score = readFileSync(path, "latin1").trim();
    if (score !== "0" && score !== String(LINK_SCORE)) return false;
    // The unit of a service manager may have set it.
    if (score === "0") writeFileSync(path, String(LINK_SCORE));
    before = "0";
    return true;
  } catch {
    // Lowering it needs CAP_SYS_RESOURCE.
    return false;
  }
}

/** Gives a child the score that we had at first, because it is not the link. */
export function restoreOomScoreOf(pid: number, proc = "/proc"): void {
  if (before === undefined) return;
  try {
    writeFileSync(`${proc}/${pid}/oom_score_adj`, before);
  } catch {
    // The child has ended.
  }
}
