// Finds other processes that have a device open, for messages about a busy line or a second reader.

import { readFileSync, readlinkSync, type Stats, statSync } from "node:fs";
import { isPtyNumber } from "./modem-lines.ts";
import { namesIn } from "../process/sysfs.ts";

export interface Opener {
  readonly pid: number;
  /** The program's name, such as "minicom". */
  readonly name: string;
  /** The unit of systemd that runs it, such as "serial-getty@ttyS1.service". */
  readonly unit?: string;
}

/** The other processes that have the device open, as far as we may look into /proc. `proc` is for tests. */
export function openersOf(device: string, proc = "/proc"): Opener[] {
  const same = sameDevice(device);
  return namesIn(proc).flatMap((entry) => {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) return [];
    const folder = `${proc}/${entry}/fd`;
    if (!namesIn(folder).some((fd) => same(`${folder}/${fd}`))) return [];
    const unit = unitOf(pid, proc);
    return [{ pid, name: programName(pid, proc), ...(unit === undefined ? {} : { unit }) }];
  });
}

/**
 * The system's unit that runs a process. Undefined for programs that a user has started: they may be in the unit of ssh
 * or cron, but they are not the program that systemd itself has started.
 */
function unitOf(pid: number, proc: string): string | undefined {
  try {
    if (!/^PPid:\t1$/m.test(readFileSync(`${proc}/${pid}/status`, "utf8"))) return undefined;
    const groups = readFileSync(`${proc}/${pid}/cgroup`, "utf8");
    return /:\/(?:\S*\/)?system\.slice\/(?:\S*\/)?([^\s/]+\.service)(?:\/|$)/m.exec(groups)?.[1];
  } catch {
    return undefined;
  }
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
