// Control sockets of processes that were killed.

import type { LeftFile } from "../os/files/left-file.ts";
import { isDeserted } from "../os/log/publication.ts";
import { namesIn } from "../os/process/sysfs.ts";
import { controllerOf } from "../run/control/control-path.ts";
import { thisMachine } from "./this-machine.ts";

export function leftControls(directory: string): LeftFile[] {
  const { isRunning } = thisMachine.processes;
  return namesIn(directory)
    .map((name) => ({ path: `${directory}/${name}`, pid: controllerOf(name) }))
    .filter(({ path, pid }) => pid !== undefined && !isRunning(pid) && isDeserted(path))
    .map(({ path }) => ({ path, isLeft: isDeserted }));
}
