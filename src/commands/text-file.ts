// A file of metrics for the textfile collector of node_exporter. The collector never finds a half of it.

import { consola } from "consola";
import { thisMachine } from "../applets/this-machine.ts";
import { replaceFile, removeFile } from "../os/ffi/host-files.ts";
import { reasonOf } from "../os/ffi/libc.ts";
import type { Status } from "../run/live/published-status.ts";
import { prometheusText } from "./prometheus.ts";
import { checkReplaceable, isReplaceable, NoRegularFile } from "./replaced-file.ts";

const READABLE = 0o644;

/** Writes the file once, or every `intervalMs` until a signal, and then removes it. Returns the exit code. */
export async function keepTextFile(
  path: string,
  intervalMs: number | undefined,
  links: () => readonly Status[],
): Promise<number> {
  let code = write(path, links());
  if (intervalMs === undefined || code !== 0) return code;
  const { promise: isEnded, resolve: end } = Promise.withResolvers<true>();
  const release = thisMachine.processes.catchSignals(["SIGINT", "SIGTERM", "SIGHUP"], () => end(true));
  while (code === 0 && (await Promise.race([isEnded, Bun.sleep(intervalMs)])) !== true) code = write(path, links());
  release();
  // The collector would take old numbers for new ones.
  if (code === 0 && isReplaceable(path)) removeFile(path);
  return code;
}

/** Returns the exit code. */
function write(path: string, links: readonly Status[]): number {
  try {
    checkReplaceable(path);
    replaceFile(path, Buffer.from(prometheusText(links)), READABLE);
    return 0;
  } catch (error) {
    if (error instanceof NoRegularFile) {
      consola.error(error.message);
      return 2;
    }
    consola.error(`${path} cannot be written: ${reasonOf(error)}`);
    return 1;
  }
}
