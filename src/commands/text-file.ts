// A file of metrics for the textfile collector of node_exporter. The collector never finds a half of it.

import { consola } from "consola";
import { thisMachine } from "../applets/this-machine.ts";
import { replaceFile, removeFile } from "../os/ffi/host-files.ts";
import { reasonOf } from "../os/ffi/libc.ts";
import type { Status } from "../run/live/published-status.ts";
import { prometheusText } from "./prometheus.ts";

const READABLE = 0o644;

/** Writes the file once, or every `intervalMs` until a signal, and then removes it. Returns the exit code. */
export async function keepTextFile(
  path: string,
  intervalMs: number | undefined,
  links: () => readonly Status[],
): Promise<number> {
  if (intervalMs === undefined) return write(path, links()) ? 0 : 1;
  const { promise: isEnded, resolve: end } = Promise.withResolvers<true>();
  const release = thisMachine.processes.catchSignals(["SIGINT", "SIGTERM", "SIGHUP"], () => end(true));
  let isWritten = false;
  do isWritten = write(path, links());
  while (isWritten && (await Promise.race([isEnded, Bun.sleep(intervalMs)])) !== true);
  release();
  // The collector would take old numbers for new ones.
  if (isWritten) removeFile(path);
  return isWritten ? 0 : 1;
}

function write(path: string, links: readonly Status[]): boolean {
  try {
    replaceFile(path, Buffer.from(prometheusText(links)), READABLE);
    return true;
  } catch (error) {
    consola.error(`${path} cannot be written: ${reasonOf(error)}`);
    return false;
  }
}
