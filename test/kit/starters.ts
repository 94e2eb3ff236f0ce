// Debian's programs that start pppd, in a machine of their own where our pppd is in its place (scripts/starters.sh).

import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { Machine } from "./machine.ts";
import { built } from "./program.ts";
import { must } from "./wires.ts";

const FOLDER = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "nullmodem-starters");

/** Why the programs cannot run, as text, or undefined. */
export function startersMissing(...programs: readonly string[]): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  const lacking = programs.filter((name) => ![FOLDER, "/"].some((top) => existsSync(join(top, "usr", name))));
  if (lacking.length > 0) return `${lacking.join(", ")}: not fetched (sh scripts/starters.sh ${FOLDER})`;
  const probe = `mount -t overlay overlay -o lowerdir=${FOLDER}/usr:/usr /usr`;
  const { exitCode, stderr } = Bun.spawnSync(["unshare", "--mount", "sh", "-c", probe], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  return exitCode === 0 ? undefined : `no overlay of files can be mounted here: ${stderr.toString().trim()}`;
}

/** Puts the programs into the machine's /usr, and links to ours into the place of pppd, chat, pon and poff. */
export async function addStarters(machine: Machine): Promise<void> {
  const ours = machine.path("/run/ours");
  for (const place of ["sbin/pppd", "sbin/chat", "bin/pon", "bin/poff"]) {
    mkdirSync(join(ours, dirname(place)), { recursive: true });
    symlinkSync(built(basename(place)), join(ours, place));
  }
  await must(machine, `mount -t overlay overlay -o lowerdir=${ours}:${FOLDER}/usr:/usr /usr`);
}
