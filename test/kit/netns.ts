// A private network namespace for this thread and the programs that it starts. `leave` leaves it. Needs root.

import { dlopen } from "bun:ffi";
import { closeFd, O, openFd } from "../../src/os/ffi/libc.ts";

const CLONE_NEWNET = 0x40000000;

/** Why there can be no namespace here, or undefined. */
export const noNetns: string | undefined = process.getuid?.() === 0 ? probe() : "needs root";

function load() {
  return dlopen("libc.so.6", {
    unshare: { args: ["i32"], returns: "i32" },
    setns: { args: ["i32", "i32"], returns: "i32" },
  }).symbols;
}

function probe(): string | undefined {
  try {
    enterNetns()();
    return undefined;
  } catch (error) {
    return String(error);
  }
}

/** Enters a new namespace. The returned function goes back. */
export function enterNetns(): () => void {
  const libc = load();
  const home = openFd("/proc/thread-self/ns/net", O.RDONLY);
  if (libc.unshare(CLONE_NEWNET) !== 0) {
    closeFd(home);
    throw new Error("unshare(CLONE_NEWNET) refused");
  }
  return () => {
    if (libc.setns(home, CLONE_NEWNET) !== 0) throw new Error("setns refused");
    closeFd(home);
  };
}

/** Runs `ip` here and returns its output. Throws when it fails. */
export function ip(...words: string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(["ip", ...words]);
  if (exitCode !== 0) throw new Error(`ip ${words.join(" ")}: ${stderr.toString()}`);
  return stdout.toString();
}
