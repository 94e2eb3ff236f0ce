// <confdir>/resolv.conf: the peer's name servers (`usepeerdns`), for ip-up to put where the system wants them.

import { rmSync, writeFileSync } from "node:fs";
import { reasonOf } from "../ffi/libc.ts";

/** Writes one line for each server, and one for two that are the same. Returns what went wrong, for the log. */
export function writeResolvConf(confdir: string, servers: readonly string[]): string | undefined {
  const path = `${confdir}/resolv.conf`;
  try {
    writeFileSync(path, nameServerLines(servers), { mode: 0o644 });
    return undefined;
  } catch (error) {
    return `Failed to create ${path}: ${reasonOf(error)}`;
  }
}

/** What resolv.conf says of servers, each once. */
export function nameServerLines(servers: readonly string[]): string {
  return [...new Set(servers)].map((server) => `nameserver ${server}\n`).join("");
}

/** Does nothing when it is not there, or may not be removed. */
export function removeResolvConf(confdir: string): void {
  try {
    rmSync(`${confdir}/resolv.conf`, { force: true });
  } catch {
    // Its directory is read-only: nothing of ours is in it then.
  }
}
