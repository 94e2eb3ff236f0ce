// Where this process keeps its pid files and its status: /var/run, or the folder of an ordinary user.

import { statSync } from "node:fs";
import { libc } from "../os/ffi/libc.ts";
import { hasLentRights } from "../os/users/rights.ts";
import { RUN_DIRECTORY } from "../run/live/published-status.ts";

export function runDirectory(): string {
  return ownRunDirectory() ?? RUN_DIRECTORY;
}

/** Where pid files and status are looked for. */
export function runDirectories(): string[] {
  return [RUN_DIRECTORY, ownRunDirectory()].flatMap((path) => path ?? []);
}

/** Undefined for root, and where rights are lent: a session undoes what the files in its folder say. */
function ownRunDirectory(): string | undefined {
  const { XDG_RUNTIME_DIR: path } = process.env;
  const uid = libc.geteuid();
  if (uid === 0 || path?.startsWith("/") !== true || hasLentRights()) return undefined;
  const found = statSync(path, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === uid ? path : undefined;
}
