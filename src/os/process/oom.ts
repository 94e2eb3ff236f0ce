// What the kernel ends first when memory runs out: /proc/PID/oom_score_adj, -1000 (never) to 1000.

import { readFileSync, writeFileSync } from "node:fs";

/** The link goes after what fills the memory, and is no exception when it does so itself. */
const LINK_SCORE = -500;

let before: string | undefined;

/** Lowers our own score, unless somebody has set another. Returns whether it was done. */
export function lowerOomScore(path = "/proc/self/oom_score_adj"): boolean {
  try {
    const score = readFileSync(path, "latin1").trim();
    if (score !== "0" && score !== String(LINK_SCORE)) return false;
    // The unit of a service manager may have done it.
    if (score === "0") writeFileSync(path, String(LINK_SCORE));
    before = "0";
    return true;
  } catch {
    // Only who may lower it may: CAP_SYS_RESOURCE.
    return false;
  }
}

/** What we start is not the link: it has the score that we had. */
export function restoreOomScoreOf(pid: number, proc = "/proc"): void {
  if (before === undefined) return;
  try {
    writeFileSync(`${proc}/${pid}/oom_score_adj`, before);
  } catch {
    // It has ended.
  }
}
