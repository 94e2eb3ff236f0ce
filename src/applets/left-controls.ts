// Control sockets of processes that were killed.

import type { LeftFile } from "../os/files/left-file.ts";
import { isDeserted } from "../os/log/publication.ts";
import { namesIn } from "../os/process/sysfs.ts";
import { controllerOf, isControlName } from "../run/control/control-path.ts";
import { thisMachine } from "./this-machine.ts";

export interface LeftControl extends LeftFile {
  readonly pid: number;
}

/** Another process may have the number by now. Only a socket that has no name of its own yet may be one that is just being made. */
export function leftControls(directory: string): LeftControl[] {
  const { isRunning } = thisMachine.processes;
  return namesIn(directory).flatMap((name) => {
    const path = `${directory}/${name}`;
    const pid = controllerOf(name);
    if (pid === undefined || (!isControlName(name) && isRunning(pid)) || !isDeserted(path)) return [];
    return [{ path, pid, isLeft: isDeserted }];
  });
}
