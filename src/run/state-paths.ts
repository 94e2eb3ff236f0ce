// Where this machine remembers things from one run to the next: the system's file, and that of a user who may not write it.

import type { Machine } from "./machine.ts";

const SYSTEM = "/var/lib";

/** The paths of a file, the better one first. */
export function statePaths({ processes, users }: Pick<Machine, "processes" | "users">, file: string): string[] {
  // Who lends us rights does not choose the files that they are used on.
  if (users.hasLentRights()) return [`${SYSTEM}/${file}`];
  const { XDG_STATE_HOME: state, HOME: home } = processes.environment();
  const own = state ?? (home === undefined ? undefined : `${home}/.local/state`);
  return [`${SYSTEM}/${file}`, ...(own === undefined ? [] : [`${own}/${file}`])];
}

/** Calls `keep` with one path after the other until one can be written. The user's own folder is made. False: none can. */
export function keepAt(
  machine: Pick<Machine, "files" | "processes" | "users">,
  file: string,
  keep: (path: string) => void,
): boolean {
  return statePaths(machine, file).some((path) => {
    const folder = path.slice(0, path.lastIndexOf("/"));
    try {
      if (folder !== SYSTEM) machine.files.makeFolder(folder);
      keep(path);
      return true;
    } catch {
      return false;
    }
  });
}
