// When a process started, and whether it is still the same.

import { readFileSync } from "node:fs";

/** Length of a kernel clock tick: 1/100 s on every machine we build for. */
const TICK_MS = 10;
/** Index of the start time in /proc/PID/stat, counted after the process name. The name may contain parentheses. */
const START = 19;

/** Tells a process from another one of the same number, also of another boot. Undefined: it has ended. */
export function processIdentity(pid: number, proc = "/proc"): string | undefined {
  try {
    const stat = readFileSync(`${proc}/${pid}/stat`, "latin1");
    const [state = "", ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (/^[ZX]$/.test(state)) return undefined;
    const boot = readFileSync(`${proc}/sys/kernel/random/boot_id`, "latin1").trim();
    return `${boot}/${fields[START - 1]}`;
  } catch {
    return undefined;
  }
}

/** True for a process that has ended and that its parent has not waited for. Nothing of it runs any more. */
export function isZombie(pid: number, proc = "/proc"): boolean {
  try {
    const stat = readFileSync(`${proc}/${pid}/stat`, "latin1");
    return /^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}

/** The start time in ms since 1970, by the present clock. Undefined when the process is gone. */
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
