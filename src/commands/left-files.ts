// Files of sessions that were killed: the sockets of status and control, pid files and lock files. Other programs write pid files and lock
// files that look the same. So only those are taken for ours that name a process which runs no longer, and which has left a control
// socket or whose pid file belongs to a status that nobody publishes any more.

import { leftControls } from "../applets/left-controls.ts";
import { textOf } from "../bytes/text.ts";
import { errno, ESRCH, libc } from "../os/ffi/libc.ts";
import { readHead } from "../os/ffi/small-file.ts";
import { type LeftFile, removeLeftFile } from "../os/files/left-file.ts";
import { isDeserted } from "../os/log/publication.ts";
import { isZombie } from "../os/process/process-start.ts";
import { namesIn } from "../os/process/sysfs.ts";
import { lockText } from "../os/serial/lock.ts";
import { interfaceOf } from "../run/live/published-status.ts";

/** Longer than any of these files. */
const MOST = 64;

/** Removes them. Returns their paths. */
export function removeLeftFiles(runDirectory: string, lockDirectory: string): string[] {
  return leftFiles(runDirectory, lockDirectory).flatMap((file) => (removeLeftFile(file) ? [file.path] : []));
}

function leftFiles(runDirectory: string, lockDirectory: string): LeftFile[] {
  const names = namesIn(runDirectory);
  const deserted = names.filter((name) => interfaceOf(name) !== undefined && isDeserted(`${runDirectory}/${name}`));
  const controls = leftControls(runDirectory);
  const pids = new Set(controls.map(({ pid }) => String(pid)).filter(isDead));
  for (const name of deserted) {
    const [pid] = contentOf(`${runDirectory}/${interfaceOf(name)!}.pid`)?.split("\n") ?? [];
    if (pid !== undefined && isDead(pid)) pids.add(pid);
  }
  const named = (path: string, pidOf: (content: string) => string | undefined): LeftFile[] => {
    const isLeft = (at: string): boolean => pids.has(pidOf(contentOf(at) ?? "") ?? "");
    return isLeft(path) ? [{ path, isLeft }] : [];
  };
  return [
    ...namesIn(lockDirectory)
      .filter((name) => name.startsWith("LCK.."))
      .flatMap((name) =>
        named(`${lockDirectory}/${name}`, (content) =>
          content === lockText(Number(content)) ? content.trim() : undefined,
        ),
      ),
    ...names
      .filter((name) => name.endsWith(".pid"))
      .flatMap((name) => named(`${runDirectory}/${name}`, (content) => /^(\d+)\n(?:[^\n]+\n)?$/.exec(content)?.[1])),
    ...deserted.map((name) => ({ path: `${runDirectory}/${name}`, isLeft: isDeserted })),
    ...controls,
  ];
}

function contentOf(path: string): string | undefined {
  try {
    return textOf(readHead(path, MOST));
  } catch {
    return undefined;
  }
}

function isDead(pid: string): boolean {
  if (!/^[1-9]\d{0,9}$/.test(pid)) return false;
  return (libc.kill(Number(pid), 0) < 0 && errno() === ESRCH) || isZombie(Number(pid));
}
