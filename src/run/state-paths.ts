// Where this machine remembers things from one run to the next: the system's file, and that of a user who may not write it.

import type { Machine } from "./machine.ts";

/** The paths of a file, the better one first. */
export function statePaths({ processes }: Pick<Machine, "processes">, file: string): string[] {
  const { XDG_STATE_HOME: state, HOME: home } = processes.environment();
  const own = state ?? (home === undefined ? undefined : `${home}/.local/state`);
  return [`/var/lib/${file}`, ...(own === undefined ? [] : [`${own}/${file}`])];
}
