// Finds other processes that have a device open, for messages about a busy line or a second reader.

import { readFileSync, readlinkSync, type Stats, statSync } from "node:fs";
import { isPtyNumber } from "./modem-lines.ts";
import { namesIn } from "../process/sysfs.ts";

export interface Opener {
  readonly pid: number;
  /** The program's name, such as "minicom". */
  readonly name: string;
}

/** The other processes that have the device open, as far as we may look into /proc. `proc` is for tests. */
export function openersOf(device: string, proc = "/proc"): Opener[] {
  const same = sameDevice(device);
  return namesIn(proc).flatMap((entry) => {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) return [];
    const folder = `${proc}/${entry}/fd`;
    return namesIn(folder).some((fd) => same(`${folder}/${fd}`)) ? [{ pid, name: programName(pid, proc) }] : [];
  });
}

/**
 * The name of the program a process runs, without its arguments, which may hold a secret. "" when the process is gone.
 */
export function programName(pid: number, proc = "/proc"): string {
  try {
    return readFileSync(`${proc}/${pid}/comm`, "utf8").replace(/[\x00-\x1f\x7f]/g, "");
  } catch {
    return "";
  }
}

/** The name of the group that may use the device, such as "dialout", or the group's number. */
export function groupOf(device: string): string | undefined {
  try {
    const { gid, mode } = statSync(device);
    if ((mode & 0o060) !== 0o060) return undefined;
    const lines = readFileSync("/etc/group", "utf8").split("\n");
    return lines.map((line) => line.split(":")).find(([, , number]) => number === String(gid))?.[0] ?? String(gid);
  } catch {
    return undefined;
  }
}

/**
 * Makes a test for links in /proc/PID/fd to that device. Numbers of pseudo terminals count only within one /dev/pts.
 */
function sameDevice(device: string): (link: string) => boolean {
  const wanted = status(device);
  if (wanted === undefined) return () => false;
  return (link) => {
    if (!target(link).startsWith("/dev/")) return false;
    const found = status(link);
    return found?.rdev === wanted.rdev && (!isPtyNumber(wanted.rdev) || found.dev === wanted.dev);
  };
}

function target(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return "";
  }
}

function status(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
