// Who else has a device open: for messages about a line that is busy, or that somebody else reads from.

import { readFileSync, readlinkSync, type Stats, statSync } from "node:fs";
import { isPtyNumber } from "./modem-lines.ts";
import { namesIn } from "../process/sysfs.ts";

export interface Opener {
  readonly pid: number;
  /** "minicom" */
  readonly name: string;
}

/** The processes that have it open, ourselves left out, as far as we may look into them. `proc` is for tests. */
export function openersOf(device: string, proc = "/proc"): Opener[] {
  const same = sameDevice(device);
  return namesIn(proc).flatMap((entry) => {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) return [];
    const folder = `${proc}/${entry}/fd`;
    return namesIn(folder).some((fd) => same(`${folder}/${fd}`)) ? [{ pid, name: programName(pid, proc) }] : [];
  });
}

/** What a process runs, without its arguments, which may hold a secret; "" when it is gone. */
export function programName(pid: number, proc = "/proc"): string {
  try {
    return readFileSync(`${proc}/${pid}/comm`, "utf8").replace(/[\x00-\x1f\x7f]/g, "");
  } catch {
    return "";
  }
}

/** The group a device is for, when its members may use it: "dialout", or its number. */
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

/** Whether a link in /proc is to that device. The numbers of terminals mean something only within their own /dev/pts. */
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
