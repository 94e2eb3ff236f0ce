// Writes <confdir>/resolv.conf with the peer's name servers (`usepeerdns`), for the ip-up script to install.

import { rmSync, writeFileSync } from "node:fs";
import { reasonOf } from "../ffi/libc.ts";

/** Writes a line for each server; two equal servers give one line. Returns an error text for the log. */
export function writeResolvConf(confdir: string, servers: readonly string[]): string | undefined {
  const path = `${confdir}/resolv.conf`;
  try {
    writeFileSync(path, nameServerLines(servers), { mode: 0o644 });
    return undefined;
  } catch (error) {
    return `Failed to create ${path}: ${reasonOf(error)}`;
  }
}

/** The lines of resolv.conf for these servers, without repetition. */
export function nameServerLines(servers: readonly string[]): string {
  return [...new Set(servers)].map((server) => `nameserver ${server}\n`).join("");
}

/** Removes the file. Does nothing when it does not exist or may not be removed. */
export function removeResolvConf(confdir: string): void {
  try {
    rmSync(`${confdir}/resolv.conf`, { force: true });
  } catch {
    // The directory is read-only, so it holds no file of ours.
  }
}
