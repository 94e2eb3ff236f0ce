// When a process began.

import { readFileSync } from "node:fs";

/** The kernel tells times in hundredths of a second on every machine we are built for. */
const TICK_MS = 10;
/** Fields of /proc/PID/stat behind the name in parentheses, which may hold some itself. */
const START = 19;

/** Milliseconds since 1970, by the clock of now; undefined: it is gone. */
export function processStart(pid: number, proc = "/proc"): number | undefined {
  try {
    const stat = readFileSync(`${proc}/${pid}/stat`, "latin1");
    const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[START]);
    const booted = /^btime (\d+)$/m.exec(readFileSync(`${proc}/stat`, "latin1"))?.[1];
    return booted === undefined || Number.isNaN(ticks) ? undefined : Number(booted) * 1000 + ticks * TICK_MS;
  } catch {
    return undefined;
  }
}
