// The command line of a kernel that runs as a process: Debian's User-Mode Linux.

import { readFileSync } from "node:fs";
import { PATIENCE_MS } from "../patience.ts";
import type { Kernel } from "./guest.ts";
import { image, KERNEL, type Version } from "./image.ts";

/** Unused memory costs nothing, and with less some boots fail. */
const MEMORY = "256M";
/** Benchmarks at boot and file systems that are not needed: two thirds of the boot time. */
const LEFT_OUT = ["raid6_select_algo", "init_btrfs_fs", "calibrate_xor_blocks", "init_zswap", "zswap_init"];
/** The channels of init.sh, apart from the ttys that a test may use. */
const CONTROL = 62;
const SAID = 63;

let booted = process.pid;

/**
 * The processors in turn, one for each guest. A kernel and its processes run in turn: a switch on one processor is
 * cheap, but between two idle processors it doubles all times.
 */
function nextCpu(): string {
  const [, list = "0"] = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  const allowed = list.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => String(first + index));
  });
  return allowed[booted++ % allowed.length]!;
}

/** The kernel of Debian's package on this machine, with this pppd in the guest. */
export function uml(version: Version): Kernel {
  return {
    bootMs: PATIENCE_MS,
    tries: 5,
    command: (folder, tty, terminal) => {
      const line = Number(tty.replace(/^ttyS/, ""));
      return [
        ...["taskset", "--cpu-list", nextCpu()],
        KERNEL,
        ...[`mem=${MEMORY}`, `initrd=${image(version)}`, "rdinit=/init", `share=${folder}`, "quiet", "loglevel=1"],
        ...["lpj=40000000", "pty.legacy_count=0", "cryptomgr.notests=1"],
        ...["con=null", "con0=null,fd:2", "ssl=null", `ssl${line}=tty:${terminal}`],
        ...[`ssl${CONTROL}=fd:0,fd:3`, `ssl${SAID}=null,fd:1`],
        ...[`uml_dir=${folder}`, "umid=guest", `initcall_blacklist=${LEFT_OUT.join(",")}`],
      ];
    },
  };
}
