// Where this machine remembers things from one run to the next: the system's file, and that of a user who may not write it.

import type { Machine } from "./machine.ts";

/** The paths of a file, the better one first. */
export function statePaths({ processes, users }: Pick<Machine, "processes" | "users">, file: string): string[] {
  // Who lends us rights does not choose the files that they are used on.
  if (users.hasLentRights()) return [`/var/lib/${file}`];
  const { XDG_STATE_HOME: state, HOME: home } = processes.environment();
  const own = state ?? (home === undefined ? undefined : `${home}/.local/state`);
  return [`/var/lib/${file}`, ...(own === undefined ? [] : [`${own}/${file}`])];
}
